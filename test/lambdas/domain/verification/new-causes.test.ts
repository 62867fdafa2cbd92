import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../../lambdas/domain/diagnosis.ts';
import type { Evidence } from '../../../../lambdas/domain/evidence/evidence.ts';
import { newCauses } from '../../../../lambdas/domain/verification/new-causes.ts';
import {
  cgroups,
  clusterWith,
  evidenceWith,
  loopingAgent,
  missing,
  slices,
  trend,
} from '../sample-evidence.ts';

const cluster = clusterWith();
const { thresholds } = cluster;

describe('a second cause', () => {
  const leak = {
    cgroups: cgroups(100, 20_000),
    slices: slices({ path: '/system.slice', dying: 20_000 }),
  };
  const first = diagnose(evidenceWith(leak), thresholds);
  const found = (evidence: Evidence, settings = cluster) =>
    newCauses(first, evidence, settings).map(({ cause }) => cause);

  it('that the first diagnosis did not have is found, and what it had is not found again', () => {
    const both = evidenceWith({ ...leak, agents: loopingAgent() });

    expect(first.cause).toBe('dying-memcgs');
    expect(found(both)[0]).toBe('orphaned-agent');
    expect(found(both)).not.toContain('dying-memcgs');
    expect(newCauses(diagnose(both, thresholds), both, cluster)).toEqual([]);
    expect(newCauses(undefined, evidenceWith(leak), cluster)).toMatchObject([{ cause: 'dying-memcgs' }]);
  });

  it('is told with its variant, from the least confidence on that the settings want', () => {
    const mb = 1024;
    const growing = evidenceWith({ trend: trend({ kubeletRssKb: [400 * mb, 150 * mb], pods: [20, 0] }) });
    const { confidence } = diagnose(growing, thresholds);
    const from = (leastConfidence: number) =>
      newCauses(first, growing, clusterWith({ thresholds: { leastConfidence } }));

    expect(from(confidence)).toEqual([{ cause: 'kubelet-leak', variant: 'other', confidence }]);
    expect(from(confidence + 0.01)).toEqual([]);
  });

  it('is not health, no guess, and nothing of a rule that only watches', () => {
    const both = evidenceWith({ ...leak, agents: loopingAgent() });

    expect(found(evidenceWith())).toEqual([]);
    expect(found(evidenceWith({ cgroups: missing }))).toEqual([]);
    expect(
      found(evidenceWith({ cgroups: missing }), clusterWith({ thresholds: { leastConfidence: 0 } })),
    ).toEqual([]);
    expect(found(both, clusterWith({ thresholds: { leastConfidence: 0.99 } }))).toEqual([]);
    expect(found(both, clusterWith({ diagnosis: { shadow: ['orphaned-agent', 'agent-leak'] } }))).toEqual([]);
  });
});
