import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../../lambdas/domain/diagnosis.ts';
import { planFor } from '../../../../lambdas/domain/plan.ts';
import { pruneContainers } from '../../../../lambdas/domain/treatments/prune-containers.ts';
import { loadDocument } from '../../../../ssm-documents/load.ts';
import { clusterWith, evidenceWith, missing } from '../sample-evidence.ts';

const containers = (running: number, exited: number | null) => ({
  status: 'ok',
  value: { running, exited, sandboxesNotReady: 0 },
});
const dead = { cause: 'dead-containers' as const, findings: [] };
const proposed = (running: number, exited: number | null) => {
  const evidence = evidenceWith({ containers: containers(running, exited) });
  const answer = pruneContainers.propose(evidence, clusterWith(), dead);
  return 'nothing' in answer ? undefined : answer;
};

describe('prune-containers', () => {
  it('is on the ladder for dead containers, after an approval', () => {
    const evidence = evidenceWith({ containers: containers(20, 900) });
    const diagnosis = diagnose(evidence, clusterWith().thresholds);
    const { plan } = planFor(diagnosis, evidence, clusterWith());

    expect(diagnosis.cause).toBe('dead-containers');
    expect(plan.map(({ treatment, needs }) => `${treatment} ${needs}`)).toEqual([
      'prune-containers approval',
      'notify auto',
    ]);
    expect(plan[0]?.expects).toMatchObject({ signal: 'exitedContainers', atMost: 199 });
  });

  it.each([
    [100, 505, '10', 499],
    [100, 510, '50', 499],
    [100, 900, '500', 499],
    [100, 9000, '500', 499],
    [5, 80, '50', 49],
  ])(
    'removes no more than there are too many: %d running, %d exited',
    (running, exited, maxRemove, atMost) => {
      const proposal = proposed(running, exited);

      expect(proposal).toMatchObject({ arguments: { maxRemove }, expects: { atMost } });
      expect(loadDocument('prune-containers').content.parameters.maxRemove?.allowedValues).toContain(
        maxRemove,
      );
      expect(loadDocument('prune-containers').content.parameters.minAgeSeconds?.allowedValues).toContain(
        proposal?.arguments.minAgeSeconds,
      );
    },
  );

  it('is not proposed where sandboxes alone are what is dead, or nobody could list containers', () => {
    expect(proposed(100, 499)).toBeUndefined();
    expect(proposed(100, null)).toBeUndefined();
    expect(
      pruneContainers.propose(evidenceWith({ containers: missing }), clusterWith(), dead),
    ).toHaveProperty('nothing');
    expect(pruneContainers.propose(undefined, clusterWith(), dead)).toHaveProperty('nothing');
  });
});
