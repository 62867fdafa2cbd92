import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../lambdas/domain/diagnosis.ts';
import { closedBreaker } from '../../lambdas/domain/gates/breaker.ts';
import { breakerGate } from '../../lambdas/domain/gates/breaker-gate.ts';
import { type GateResult, strictest } from '../../lambdas/domain/gates/gate.ts';
import { leaseGate } from '../../lambdas/domain/gates/lease-gate.ts';
import { modeGate } from '../../lambdas/domain/gates/mode-gate.ts';
import { leavingTaints, othersGate } from '../../lambdas/domain/gates/others-gate.ts';
import type { Pause } from '../../lambdas/domain/gates/pause.ts';
import { pauseGate } from '../../lambdas/domain/gates/pause-gate.ts';
import { vetoGate } from '../../lambdas/domain/gates/veto-gate.ts';
import { windowGate } from '../../lambdas/domain/gates/window-gate.ts';
import { planFor } from '../../lambdas/domain/plan.ts';
import { Mode, Need } from '../../lambdas/domain/settings.ts';
import { replaceNode } from '../../lambdas/domain/treatments/replace-node.ts';
import type { Rung } from '../../lambdas/domain/treatments/treatment.ts';
import { samplePast } from '../lambdas/domain/history/sample-past.ts';
import { clusterWith } from '../lambdas/domain/sample-evidence.ts';
import { anyEvidence } from './arbitrary-evidence.ts';
import { runs } from './runs.ts';

const now = new Date('2026-11-28T12:00:00Z');
const incident = 'prod-i-0123456789abcdef0-1764312000';
const minutes = (count: number): string => new Date(now.getTime() + count * 60_000).toISOString();

const anyPolicy = fc.record({
  risk: fc.record({
    low: fc.constantFrom(...Need.options),
    medium: fc.constantFrom(...Need.options),
    high: fc.constantFrom(...Need.options),
  }),
  treatments: fc.record(
    { 'replace-node': fc.constantFrom(...Need.options), reclaim: fc.constantFrom(...Need.options) },
    { requiredKeys: [] },
  ),
});

/** A cluster with any policy that may replace nodes and whose group reclaim has helped before, and the ladder there for a cause that a replacement ends, with any evidence. */
const anyLadder = fc
  .record({ policy: anyPolicy, cause: fc.constantFrom(...replaceNode.treats), evidence: anyEvidence })
  .map(({ policy, cause, evidence }) => {
    const cluster = clusterWith({ policy, api: { access: 'public' }, replacement: { enabled: true } });
    const diagnosis = { ...diagnose(evidence, cluster.thresholds), cause };
    const pasts = [1, 2, 3].map((index) => samplePast({ incident: `inc-${index}`, cause }));
    const group = { nodeGroup: 'workers', pasts, days: 7, standing: undefined };
    return { cluster, ladder: planFor(diagnosis, evidence, cluster, group).plan };
  });

const pauseUntil = (until: number): Pause => ({
  version: 1,
  name: 'ana',
  reason: 'the release',
  until: minutes(until),
  by: 'ana',
  arn: 'arn:aws:iam::123456789012:user/ana',
  at: minutes(-60),
});

const unmarked = { taints: [], unschedulable: false, cordonedBy: null, deleting: false };
/** Nothing keeps a treatment away but the mode. */
const calm = {
  pauses: { pauses: [], unreadable: [] },
  vetoes: [{ where: 'instance', value: null }],
  marks: unmarked,
  lease: { status: 'ours' as const, until: minutes(45) },
};

const trouble = fc.record({
  pauses: fc.oneof(
    fc
      .array(fc.integer({ min: -30, max: 600 }), { minLength: 1, maxLength: 4 })
      .map((ends) => ({ pauses: ends.map(pauseUntil), unreadable: [] as string[] })),
    fc.constantFrom(undefined, { pauses: [], unreadable: ['odd'] }),
  ),
  vetoes: fc
    .tuple(
      fc.constantFrom({ where: 'instance', value: '' }, { where: 'instance', value: 'mine' }, ...calm.vetoes),
      fc.constantFrom(
        { where: 'node', value: 'mine' },
        { where: 'node', problem: 'no answer' },
        ...calm.vetoes,
      ),
    )
    .map((reads) => [...reads]),
  marks: fc.oneof(
    fc.constantFrom({ gap: 'no answer' }, { notAsked: 'api.access is none' }),
    fc.record({
      taints: fc.subarray(
        ['a', ...leavingTaints.map(({ key }) => key)].map((key) => ({
          key,
          value: '',
          effect: 'NoSchedule',
        })),
        { maxLength: 2 },
      ),
      unschedulable: fc.boolean(),
      cordonedBy: fc.constantFrom(null, incident, 'another'),
      deleting: fc.boolean(),
    }),
  ),
  lease: fc.constantFrom(
    { status: 'lost' as const, holder: 'another' },
    { status: 'error' as const, reason: 'no answer' },
  ),
});

/** What is found out about the cluster and the node, of which nothing, some or all keeps a treatment away. */
const anyWorld = fc
  .record({
    /** The text of the parameter. */
    mode: fc.constantFrom<string | undefined>(...Mode.options, 'auto', undefined, 'AUTO'),
    trouble,
    with: fc.subarray(['pauses', 'vetoes', 'marks', 'lease'] as const),
  })
  .map(({ mode, trouble: all, with: some }) => ({
    mode,
    ...calm,
    ...(Object.fromEntries(some.map((name) => [name, all[name]])) as Partial<typeof all>),
  }));
type World = typeof anyWorld extends fc.Arbitrary<infer T> ? T : never;

/** Every gate that needs no other service to be asked, in any order. */
function answersOf(
  { cluster }: { cluster: ReturnType<typeof clusterWith> },
  world: World,
  rung: Rung,
  approved: boolean,
): GateResult[] {
  const breaker = breakerGate(closedBreaker, { incident, rung, settings: cluster.gates.breaker, now });
  if (breaker.decision === 'canary') throw new Error('a breaker that is closed has no canary');
  return [
    modeGate(world.mode, rung, approved),
    pauseGate(world.pauses, { rung, settings: cluster.gates.pauses, now, approved }),
    vetoGate(world.vetoes, { rung, key: cluster.gates.veto.key }),
    othersGate(world.marks, { rung, approved, incident }),
    windowGate(cluster.gates.windows, { rung, now, approved }),
    leaseGate(world.lease),
    breaker,
  ];
}

/** A ladder takes longer to make than a world, so each is looked at in many. */
const anyCase = fc.record({
  cluster: anyLadder,
  worlds: fc.array(fc.record({ world: anyWorld, approved: fc.boolean() }), { minLength: 30, maxLength: 30 }),
});

/** Holds of every rung of every ladder that is not for telling people alone. */
function holds(
  check: (
    rung: Rung,
    answer: GateResult,
    given: { world: World; approved: boolean; policy: ReturnType<typeof clusterWith>['policy'] },
  ) => void,
): void {
  fc.assert(
    fc.property(anyCase, ({ cluster, worlds }) => {
      const { policy } = cluster.cluster;
      for (const rung of cluster.ladder.filter(({ kind }) => kind !== 'notify')) {
        for (const { world, approved } of worlds) {
          const answers = answersOf(cluster, world, rung, approved);
          const answer = strictest(answers);
          // Whoever is asked first or last: what comes of it is the same.
          expect(strictest(answers.toReversed()).decision).toBe(answer.decision);
          check(rung, answer, { world, approved, policy });
        }
      }
    }),
    runs(60),
  );
}

describe('a rung of any ladder, of a cluster with any policy, in any mode', () => {
  it('is done without a person only in the mode auto, and where the policy says auto for it', () => {
    let unasked = 0;
    holds((rung, { decision }, { world, approved, policy }) => {
      if (decision !== 'pass' || approved) return;
      unasked += 1;
      expect(world.mode).toBe('auto');
      if (rung.treatment === 'notify') return;
      const { [rung.treatment]: explicit } = policy.treatments;
      expect(explicit ?? (rung.risk === 'none' ? 'auto' : policy.risk[rung.risk])).toBe('auto');
    });
    expect(unasked).toBeGreaterThan(0);
  });

  it('that replaces the node is of high risk, and never done unasked where only lesser risks are auto', () => {
    let replaced = 0;
    holds((rung, { decision }, { approved, policy }) => {
      if (rung.kind !== 'replace') return;
      expect(rung).toMatchObject({ treatment: replaceNode.id, risk: 'high', disrupts: true });
      replaced += 1;
      const auto = (policy.treatments['replace-node'] ?? policy.risk.high) === 'auto';
      if (!approved && !auto) expect(decision).not.toBe('pass');
    });
    expect(replaced).toBeGreaterThan(0);
  });

  it('that stands for days to come is never begun without a person, whatever the policy says', () => {
    let standing = 0;
    holds((rung, { decision }, { approved }) => {
      if (rung.kind !== 'standing') return;
      standing += 1;
      if (!approved) expect(decision).not.toBe('pass');
    });
    expect(standing).toBeGreaterThan(0);
  });

  it('is never done, nor asked about, while a veto or a pause stands or could not be read, also where it was approved', () => {
    let held = 0;
    holds((_, { decision }, { world }) => {
      const vetoed = world.vetoes.some((one) => 'problem' in one || one.value !== null);
      const paused =
        world.pauses === undefined ||
        world.pauses.unreadable.length > 0 ||
        world.pauses.pauses.some(({ until }) => Date.parse(until) > now.getTime());
      if (!vetoed && !paused) return;
      held += 1;
      expect(['refuse', 'observe', 'skip', 'wait']).toContain(decision);
      if (vetoed) expect(decision).toBe('refuse');
    });
    expect(held).toBeGreaterThan(0);
  });

  it('is never done by an incident that has not, or may not have, the lease of the node, nor where somebody takes it away', () => {
    holds((_, { decision }, { world: { lease, marks } }) => {
      const leaves =
        'deleting' in marks &&
        (marks.deleting || marks.taints.some(({ key }) => leavingTaints.some((one) => one.key === key)));
      if (lease.status !== 'ours' || leaves) expect(decision).toBe('refuse');
    });
  });

  it('is not done in the mode observe, or in one that nobody knows, also where it was approved', () => {
    holds((_, { decision }, { world: { mode } }) => {
      if (mode !== 'auto' && mode !== 'approve') expect(['refuse', 'observe']).toContain(decision);
    });
  });
});
