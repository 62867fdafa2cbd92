import { describe, expect, it } from 'vitest';
import { CauseId } from '../../../../lambdas/domain/causes/cause-id.ts';
import { diagnose } from '../../../../lambdas/domain/diagnosis.ts';
import { planFor } from '../../../../lambdas/domain/plan.ts';
import { Replacement } from '../../../../lambdas/domain/settings/replacement.ts';
import { replaceNode, settingsOf } from '../../../../lambdas/domain/treatments/replace-node.ts';
import { clusterWith, evidenceWith } from '../sample-evidence.ts';

const open = { api: { access: 'public' }, replacement: { enabled: true } } as const;
const ladderFor = (cause: CauseId, settings: Record<string, unknown> = open, unreachable?: string) => {
  const evidence = { ...evidenceWith(), ...(unreachable === undefined ? {} : { unreachable }) };
  const cluster = clusterWith(settings);
  return planFor({ ...diagnose(evidence, cluster.thresholds), cause }, evidence, cluster);
};

describe('replace-node', () => {
  it('is the last thing before people are told, asks, and disrupts', () => {
    const { plan } = ladderFor('memcg-id-exhaustion');

    expect(plan.map(({ treatment }) => treatment)).toEqual(['replace-node', 'notify']);
    expect(plan[0]).toMatchObject({ kind: 'replace', risk: 'high', needs: 'approval', disrupts: true });
  });

  it('is on the ladder of a node that does not answer as well', () => {
    const { plan } = ladderFor('kubelet-oom-cycle', open, 'the agent is silent');
    expect(plan.map(({ treatment }) => treatment)).toEqual(['cordon', 'replace-node', 'notify']);
  });

  it('is on no ladder where no new node would be better', () => {
    const on = CauseId.options.filter((cause) =>
      ladderFor(cause).plan.some(({ treatment }) => treatment === 'replace-node'),
    );
    expect(on).toEqual(['dying-memcgs', 'memcg-id-exhaustion', 'kubelet-oom-cycle', 'kubelet-leak']);
  });

  it('is left out where the settings do not open it, and of a node of which nothing is known', () => {
    const { plan, leftOut } = ladderFor('memcg-id-exhaustion', {});
    expect(plan.map(({ treatment }) => treatment)).toEqual(['notify']);
    expect(leftOut).toEqual([
      { treatment: 'replace-node', reason: expect.stringContaining('replacement.enabled is false') },
    ]);
    const diagnosis = { cause: 'memcg-id-exhaustion' as const, findings: [] };
    expect(replaceNode.propose(undefined, clusterWith(open), diagnosis)).toEqual({
      nothing: 'there is no evidence from this node',
    });
  });

  it('is done as it was approved, whatever the settings say by then', () => {
    const settings = { ...open, replacement: { enabled: true, drainMinutes: 7, localData: 'evict' } };
    const [rung] = ladderFor('memcg-id-exhaustion', settings).plan;
    const later = Replacement.parse({ enabled: true, drainMinutes: 90, barePods: 'evict', arriveMinutes: 9 });

    expect(settingsOf(rung?.arguments ?? {}, later)).toEqual({
      ...later,
      drainMinutes: 7,
      barePods: 'block',
      localData: 'evict',
    });
  });
});
