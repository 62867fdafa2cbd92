import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { confidenceOf } from '../../lambdas/domain/causes/confidence.ts';
import { causes } from '../../lambdas/domain/causes/index.ts';
import { diagnose } from '../../lambdas/domain/diagnosis.ts';
import { contradictionsIn } from '../../lambdas/domain/evidence/contradictions.ts';
import { Evidence, type ProbeName } from '../../lambdas/domain/evidence/evidence.ts';
import {
  kubelet,
  load,
  memory,
  nodeStatus,
  ok,
  pressure,
  reclaim,
  thresholds,
  throttling,
  trendOf,
} from '../lambdas/domain/causes/judge.ts';

import { cgroups, evidenceWith, loopingAgent, sessions } from '../lambdas/domain/sample-evidence.ts';
import { runs } from './runs.ts';

const upTo = (max: number) => fc.integer({ min: 0, max });
const tried = fc.constantFrom(
  'remove-cpu-limit',
  'remove-memory-limit',
  'reserve-memory',
  'restart-workload',
);
const conditions = fc
  .record({ ready: fc.constantFrom('True', 'False', 'Unknown'), pressed: fc.constantFrom('True', 'False') })
  .map(({ ready, pressed }) => [
    { type: 'Ready', status: ready },
    { type: 'MemoryPressure', status: pressed },
  ]);

/** A probe each that may be well or sick, each in the bounds of what a node can say. */
const sick = {
  cgroups: fc.tuple(upTo(15_000), upTo(5000)).map(([live, dying]) => cgroups(live, dying)),
  memory: upTo(8_000_000).map((availableKb) => memory(availableKb)),
  pressure: upTo(20).map(pressure),
  load: fc.record({ directReclaimPercent: upTo(30), kswapdPercent: upTo(100) }).map(load),
  reclaim: fc.record({ allocstall: upTo(40), pgmajfault: upTo(3000) }).map(reclaim),
  throttling: upTo(20).map((throttledPeriods) =>
    throttling({ throttledPeriods, quotaUs: 50_000, periodUs: 100_000 }),
  ),
  workloads: upTo(1_200_000).map((workingSetKb) =>
    ok({ pods: 3, top: [{ pod: 'a/b', uid: 'u', workingSetKb, limitKb: 1_000_000 }] }),
  ),
  kubelet: fc
    .record({
      active: fc.constantFrom('active', 'failed', 'activating'),
      reserved: fc.boolean(),
      eviction: fc.constantFrom('100Mi', '5%', '30%'),
    })
    .map(({ active, reserved, eviction }) => {
      const part = reserved ? { memory: '500Mi' } : {};
      const config = {
        evictionHard: { 'memory.available': eviction },
        kubeReserved: part,
        systemReserved: part,
      };
      return kubelet({ active, config });
    }),
  oomKills: upTo(3).map((seen) => ok({ source: 'journal', seen, ofKubelet: 0 })),
  podStatus: fc
    .record({ restarts: upTo(5), killed: fc.boolean(), evicted: upTo(2) })
    .map(({ restarts, killed, evicted }) =>
      ok({
        coveredSeconds: 3600,
        evicted,
        oomKilled: killed ? [{ pod: 'a/b', restarts, limitKb: 1000 }] : [],
      }),
    ),
  nodeStatus: fc.tuple(conditions, upTo(20_000_000)).map(([held, limitsKb]) =>
    nodeStatus({
      conditions: held,
      memory: {
        capacityKb: 8_000_000,
        allocatableKb: 7_000_000,
        requestsKb: 6_800_000,
        limitsKb,
        podsWithoutLimit: 1,
      },
    }),
  ),
  sessions: fc.record({ logins: upTo(300), closing: upTo(80) }).map(sessions),
  unpopulated: upTo(100).map((scope) =>
    ok({ pod: 0, scope, session: 0, other: 0, checked: scope, sample: [] }),
  ),
  agents: fc.constant(loopingAgent()),
  observations: fc.tuple(tried, fc.boolean()).map(([what, helped]) => ok({ tried: [{ what, helped }] })),
  trend: fc
    .tuple(fc.constantFrom('throttledRatio', 'directReclaimPercent', 'workingSetKb'), upTo(60))
    .map(([name, slope]) =>
      trendOf(name, (hour) => (name === 'workingSetKb' ? 1_000_000 + hour * slope * 1000 : slope)),
    ),
} satisfies Partial<Record<ProbeName, fc.Arbitrary<unknown>>>;

/** A node that is well but for some probes. */
const evidence = fc.record(sick, { requiredKeys: [] }).map((probes) => evidenceWith(probes));

const oneSick = fc
  .tuple(fc.record(sick), fc.constantFrom(...(Object.keys(sick) as (keyof typeof sick)[])))
  .map(([probes, name]) => evidenceWith({ [name]: probes[name] }));

const names = Object.keys(Evidence.shape.probes.shape);

function without(present: Evidence, lost: string, status: 'missing' | 'failed'): Evidence {
  return Evidence.parse({ ...present, probes: { ...present.probes, [lost]: { status, reason: 'lost' } } });
}

describe('every cause, for nodes that are sick in some ways', () => {
  it('never gets surer of itself by losing a probe', () => {
    fc.assert(
      fc.property(evidence, fc.constantFrom(...names), (present, lost) => {
        const less = without(present, lost, 'missing');
        for (const cause of causes) {
          const whole = cause.judge(present, thresholds);
          const rest = cause.judge(less, thresholds);
          if (whole.result !== 'matches' || rest.result !== 'matches') continue;
          expect([cause.id, confidenceOf(rest.findings) <= confidenceOf(whole.findings)]).toEqual([
            cause.id,
            true,
          ]);
        }
      }),
      runs(1000),
    );
  });

  it('never makes a node healthy by losing a probe', () => {
    fc.assert(
      fc.property(
        // Where one thing is wrong, its probe is all that tells of it.
        fc.oneof(evidence, oneSick),
        // What people found out by hand is no probe: a node about which nobody noted anything has lost nothing.
        fc.constantFrom(...names.filter((name) => name !== 'observations')),
        fc.constantFrom('missing' as const, 'failed' as const),
        (present, lost, status) => {
          fc.pre(diagnose(present, thresholds).cause !== 'healthy');

          expect(diagnose(without(present, lost, status), thresholds).cause).not.toBe('healthy');
        },
      ),
      runs(1000),
    );
  });

  it('says in words what it found, and nothing that it did not', () => {
    fc.assert(
      fc.property(evidence, (present) => {
        for (const cause of causes) {
          const verdict = cause.judge(present, thresholds);
          if (verdict.result === 'insufficient-evidence') expect(verdict.needs).not.toHaveLength(0);
          if (verdict.result !== 'matches') continue;
          expect(cause.explain(verdict.findings, verdict.variant)).not.toMatch(
            /undefined|null|NaN|unknown|: ;|\(\)/,
          );
          for (const { what, where, because } of cause.prevent(present, verdict.findings)) {
            expect(`${what} ${where} ${because}`).not.toMatch(/undefined|null|NaN/);
          }
        }
      }),
    );
  });
});

describe('a healthy node', () => {
  const noise = fc.record({
    cgroups: fc
      .tuple(fc.integer({ min: 60, max: 900 }), upTo(150))
      .map(([live, dying]) => cgroups(live, dying)),
    memory: fc.integer({ min: 1_000_000, max: 7_000_000 }).map((availableKb) => memory(availableKb)),
    pressure: fc.double({ min: 0, max: 1, noNaN: true }).map(pressure),
    load: fc.record({ directReclaimPercent: upTo(2), kswapdPercent: upTo(20) }).map(load),
    reclaim: fc.record({ allocstall: upTo(8), pgmajfault: upTo(200) }).map(reclaim),
    throttling: upTo(4).map((throttledPeriods) => throttling({ throttledPeriods })),
    sessions: fc.record({ logins: upTo(10), closing: upTo(3) }).map(sessions),
  });

  it('stays healthy under noise, and never contradicts itself by it', () => {
    fc.assert(
      fc.property(noise, (probes) => {
        const present = evidenceWith(probes);

        expect(contradictionsIn(present)).toEqual([]);
        expect(diagnose(present, thresholds).cause).toBe('healthy');
      }),
    );
  });
});
