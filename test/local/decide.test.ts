import { userInfo } from 'node:os';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { clusters, startTestEngine, type TestEngine } from './test-engine.ts';

// A whole incident, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());

describe('a decision that comes after the decision', () => {
  it('is confirmed to the one who repeats it, and refused to everybody else; the trail stays as it was', async () => {
    await test.run({ node: 'v2-zombies', cluster: clusters.approve, approve: 'yes' }, async (incident) => {
      const trail = incident.auditLines.map((line) => JSON.parse(line));
      const { approvalId } = trail.find(({ step }) => step === 'approval.requested').details;
      const click = (person: string, decision: 'approve' | 'deny') =>
        test.engine.functions.invoke(test.engine.stack.outputs.DecideFunctionName ?? '', {
          approvalId,
          decision,
          by: { person, door: 'local' },
          reason: 'once more',
        });
      const { username } = userInfo();

      expect(await click(username, 'approve')).toEqual({
        status: 'recorded',
        approval: { status: 'approved', decisions: 1, quorum: 1 },
      });
      expect(await click(username, 'deny')).toMatchObject({
        status: 'refused',
        reason: expect.stringContaining('already approved'),
      });
      expect(await click('bob', 'approve')).toMatchObject({
        status: 'refused',
        reason: expect.stringContaining('already approved'),
      });
      expect(incident.auditLines).toHaveLength(trail.length);
      // There is no console of AWS for what runs on one machine.
      const card = incident.messages.find(({ kind }) => kind === 'approval-requested');
      expect(card?.text).toContain('Expected: ');
      expect(card?.text).not.toContain('AWS console');
    });
  });

  it('on an approval that does not exist, or without a decision, says what is wrong', async () => {
    const decide = (input: Parameters<typeof test.engine.functions.invoke>[1]) =>
      test.engine.functions.invoke(test.engine.stack.outputs.DecideFunctionName ?? '', input);
    const by = { person: 'bob', door: 'local' };

    expect(await decide({ approvalId: 'nothing', decision: 'approve', by })).toEqual({
      status: 'refused',
      reason: 'there is no approval nothing',
    });
    expect(await decide({ approvalId: 'nothing', decision: 'maybe', by })).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('decision'),
    });
  });
});
