import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterTag } from '../../lambdas/adapters/instance-cluster.ts';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import type { LocalNode } from '../../local/local-node.ts';
import { clusters, startTestEngine, type TestEngine } from './test-engine.ts';

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());

type Call = { content: unknown; parameters: Record<string, string> };

/** A node that lets `answer` stand in for the documents it wants to. */
function withAnswers(
  node: LocalNode,
  answer: (
    call: Call,
  ) => { status: 'Success' | 'Failed'; responseCode: number; stdout: string; stderr: string } | undefined,
): LocalNode {
  const { managed } = node;
  return {
    ...node,
    managed: {
      ...managed,
      run: async (content, parameters, signal) =>
        answer({ content, parameters }) ?? managed.run(content, parameters, signal),
    },
  };
}

const isReclaim = ({ parameters }: Call): boolean => 'slices' in parameters;
const isRestore = ({ parameters }: Call): boolean => !('slices' in parameters) && 'incident' in parameters;
const failed = { status: 'Failed', responseCode: 1, stdout: '', stderr: 'killed' } as const;

// Incidents wait most of the time, so they run side by side.
describe.concurrent('when something breaks', () => {
  it('an undo that fails is tried again by the janitor before the incident closes', async () => {
    let restores = 0;
    const change = (node: LocalNode): LocalNode =>
      withAnswers(node, (call) => {
        if (isReclaim(call)) return failed;
        if (!isRestore(call)) return undefined;
        restores += 1;
        return restores === 1 ? failed : undefined;
      });
    await test.run({ node: 'v2-zombies', change }, async (incident) => {
      const trail = incident.auditLines.map((line) => JSON.parse(line));
      expect(restores).toBe(2);
      expect(incident.execution).toMatchObject({ status: 'FAILED', error: 'CloseFailed' });
      const undone = trail.filter(({ step }) => step === 'undo.finished').map(({ outcome }) => outcome);
      expect(undone).toEqual(['failed', 'done']);
      expect(trail.at(-2)).toMatchObject({ step: 'incident.closed', outcome: 'failed' });
      expect(verifyTrail(trail, incident.publicKey)).toMatchObject({ ok: true });
      expect(await incident.leaseHolder()).toBeUndefined();
      expect(incident.messages.map(({ kind }) => kind)).toContain('call-a-person');
    });
  });

  it('a treatment that refuses with an endless text leaves a trail that can be verified', async () => {
    const change = (node: LocalNode): LocalNode =>
      withAnswers(node, (call) =>
        isReclaim(call)
          ? {
              ...failed,
              stdout: JSON.stringify({
                version: 1,
                document: 'reclaim',
                error: `\u001b[2J${'x'.repeat(9000)}`,
              }),
            }
          : undefined,
      );
    await test.run({ node: 'v2-zombies', change }, async (incident) => {
      const trail = incident.auditLines.map((line) => JSON.parse(line));
      expect(incident.record.rungs[0]).toMatchObject({ status: 'refused' });
      expect(verifyTrail(trail, incident.publicKey)).toMatchObject({ ok: true });
      expect(JSON.stringify(trail)).not.toContain('\\u001b');
    });
  });

  it('a node that is tagged for another cluster is refused before anything is sent to it', async () => {
    const change = (node: LocalNode): LocalNode => ({
      ...node,
      managed: { ...node.managed, tags: { [clusterTag]: clusters.observe } },
    });
    await test.run({ node: 'v2-zombies', change }, async (incident) => {
      expect(incident.record.outcome).toBe('refused');
      expect(incident.record.reason).toContain(`says ${clusters.observe}`);
      expect(incident.auditLines.join('\n')).not.toContain('examination.sent');
      expect(await incident.leaseHolder()).toBeUndefined();
    });
  });

  it('a mode that was switched to observe after a treatment does not make the treatment undone', async () => {
    const change = (node: LocalNode): LocalNode =>
      withAnswers(node, (call) => {
        if (isReclaim(call))
          test.engine.cloud.ssm.putParameter(`/cgroup-medic/${clusters.switched}/mode`, 'observe');
        return undefined;
      });
    await test.run({ node: 'v2-partly', cluster: clusters.switched, change }, async (incident) => {
      expect(incident.record.outcome).toBe('relieved');
      expect(incident.messages.map(({ kind }) => kind)).toContain('call-a-person');
    });
  });
});
