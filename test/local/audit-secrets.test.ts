import { afterAll, beforeAll, expect, it } from 'vitest';
import { removed } from '../../lambdas/domain/audit/without-secrets.ts';
import type { LocalNode } from '../../local/local-node.ts';
import { startTestEngine, type TestEngine } from './test-engine.ts';

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());

const marked = 'MARKED0secret1value2';

it('what a node prints with a secret in it is in the trail without it', async () => {
  const change = (node: LocalNode): LocalNode => ({
    ...node,
    managed: {
      ...node.managed,
      run: async () => ({
        status: 'Success',
        responseCode: 0,
        stdout: `curl -H "Authorization: Bearer ${marked}" failed`,
        stderr: '',
      }),
    },
  });
  await test.run({ node: 'v2-zombies', change }, async ({ auditLines, record }) => {
    expect(record.diagnosis?.cause).toBe('inconclusive');
    const trail = auditLines.join('\n');
    expect(trail).toContain(`curl -H \\"Authorization: Bearer ${removed}`);
    expect(trail).not.toContain(marked);
  });
});
