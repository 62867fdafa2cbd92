import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import { IncidentRecord } from '../../lambdas/domain/incident-record.ts';
import { checkVirtualNode } from '../../local/vm/check-virtual-node.ts';

const check = checkVirtualNode();
const why = check.possible ? '' : ` (needs ${check.missing})`;

describe.skipIf(!check.possible)(`npm start -- --node vm${why}`, () => {
  it('makes the fault that it is told to, and says what becomes of it', async () => {
    const args = ['bin/run.mjs', 'local/start.ts', '--node', 'vm', '--fault', 'leaked-scopes', '--json'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, said, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    process.stdout.write(said);
    expect(code).toBe(0);
    const record = IncidentRecord.parse(JSON.parse(out));
    const folder = resolve(record.audit, '..');
    try {
      expect(record).toMatchObject({
        outcome: 'cured',
        recorded: false,
        diagnosis: { cause: 'leaked-scopes' },
        rungs: [{ treatment: 'stop-scopes', verification: { cured: true } }],
      });
      expect(said).toContain('the fault leaked-scopes made in it');
      expect(said).toContain(
        'counted by this process, not by the medic: 60 empty scope directories once the fault was made, before the incident began; 0 now that it has ended',
      );
      const trail = readFileSync(record.audit, 'utf8').trimEnd().split('\n');
      const key = readFileSync(join(folder, 'audit-public-key.pem'), 'utf8');
      expect(
        verifyTrail(
          trail.map((line) => JSON.parse(line)),
          key,
        ),
      ).toMatchObject({ ok: true });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
