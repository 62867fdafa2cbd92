import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cause } from '../../lambdas/domain/causes/cause.ts';
import { confidenceOf } from '../../lambdas/domain/causes/confidence.ts';
import { causes } from '../../lambdas/domain/causes/index.ts';
import { diagnose } from '../../lambdas/domain/diagnosis.ts';
import { Evidence } from '../../lambdas/domain/evidence/evidence.ts';
import { planFor } from '../../lambdas/domain/plan.ts';
import { clusterWith } from '../lambdas/domain/sample-evidence.ts';
import { runs } from './runs.ts';

const cluster = clusterWith();
const { thresholds } = cluster;

function upTo(max: number) {
  return fc.oneof(fc.integer({ min: 0, max }), fc.constantFrom(0, 1, max));
}
function perhaps<T>(value: fc.Arbitrary<T>) {
  return fc.option(value, { freq: 4 });
}
function probe<T>(value: fc.Arbitrary<T>) {
  const gap = fc.constant({ status: 'missing' as const, reason: 'x' });
  return fc.oneof(
    { weight: 4, arbitrary: value.map((present) => ({ status: 'ok' as const, value: present })) },
    { weight: 1, arbitrary: gap },
  );
}

const version = fc.constantFrom('v1.24.3', 'v1.34.1-eks-1', 'v1.35.0', 'v1.36.1-eks-2', 'nonsense');
const kernel = fc.constantFrom('3.10.0-1160.el7', '4.19.1', '5.15.0-1028-aws', '6.1.119', 'nonsense');
const unit = fc.constantFrom('a.service', 'b.service', 'amazon-ssm-agent.service', 'docker.service');
const series = fc.record({
  source: fc.constantFrom('cloudwatch' as const, 'report' as const),
  points: fc
    .array(upTo(8_000_000), { maxLength: 12 })
    .map((values) => values.map((value, index): [number, number] => [index * 3600, value])),
  course: perhaps(fc.constantFrom('rises' as const, 'steady' as const)),
});
const agent = fc.record({
  unit,
  active: fc.constantFrom('active', 'activating', 'failed'),
  restarts: perhaps(upTo(30_000)),
  memoryKb: perhaps(upTo(20_000_000)),
  rssKb: perhaps(upTo(20_000_000)),
  requiredBy: fc.constantFrom([], ['x.service']),
  containers: perhaps(upTo(3)),
});
const podAgent = fc.record({
  pod: fc.constantFrom('ns/one', 'ns/two'),
  container: fc.constant('c'),
  owner: perhaps(fc.constant({ kind: 'DaemonSet', name: 'one' })),
  daemonSet: fc.boolean(),
  restarts: upTo(30_000),
  waiting: fc.constant(null),
  memoryKb: perhaps(upTo(20_000_000)),
});
const tried = fc.record({
  what: fc.constantFrom('restart-kubelet' as const, 'drop-caches' as const, 'restart-agent' as const),
  helped: fc.boolean(),
});

const probes = fc.record({
  host: probe(fc.record({ kernel: perhaps(kernel) })),
  hierarchy: probe(fc.record({ memory: fc.constantFrom('v1' as const, 'v2' as const) })),
  cgroups: probe(
    fc.record({ live: upTo(70_000), dying: upTo(70_000), source: fc.constant('cgroup.stat' as const) }),
  ),
  slices: probe(
    fc.record({
      entries: fc
        .constantFrom('/kubepods.slice', '/system.slice')
        .chain((path) =>
          upTo(70_000).map((dying) => [{ path, live: 1, dying, ghostKb: null, cachedKb: null }]),
        ),
      omitted: fc.constant(0),
      unread: fc.constant(0),
    }),
  ),
  mkdirProbe: probe(
    fc.record({
      made: upTo(20),
      errno: perhaps(fc.constantFrom('ENOSPC' as const, 'ENOMEM' as const, 'EROFS' as const)),
    }),
  ),
  journal: probe(
    fc.record({
      coveredSeconds: fc.constant(3600),
      lines: upTo(9),
      cutOff: fc.boolean(),
      cgroupNoSpace: upTo(9),
      cgroupNoMemory: upTo(9),
    }),
  ),
  unpopulated: probe(
    upTo(70_000).map((scope) => ({ pod: 0, scope, session: 0, other: 0, checked: 0, sample: [] })),
  ),
  kubelet: probe(
    fc.record({
      active: perhaps(fc.constantFrom('active', 'failed', 'activating')),
      result: perhaps(fc.constantFrom('success', 'oom-kill')),
      execMainStatus: perhaps(fc.constantFrom(0, 9)),
      restarts: perhaps(upTo(9)),
      memoryMaxKb: perhaps(upTo(4_000_000)),
      startedSecondsAgo: perhaps(upTo(100_000)),
      rssKb: perhaps(upTo(8_000_000)),
      journal: perhaps(
        fc.record({
          cgroupDeleteFailed: upTo(50),
          pleg: upTo(3),
          criDeadline: upTo(3),
          listTooLarge: perhaps(upTo(3)),
        }),
      ),
    }),
  ),
  kubeletMetrics: probe(
    fc.record({
      rssKb: perhaps(upTo(8_000_000)),
      goroutines: perhaps(upTo(5000)),
      startedSecondsAgo: perhaps(upTo(100_000)),
      plegRelistP99Seconds: perhaps(upTo(200)),
      podWorkerP99Seconds: perhaps(upTo(200)),
      runningContainers: perhaps(upTo(100)),
      exitedContainers: perhaps(upTo(3000)),
      orphanedRuntimePods: perhaps(upTo(3)),
    }),
  ),
  // One probe tells of the version: two that contradict each other are no node.
  nodeStatus: probe(fc.record({ kubeletVersion: perhaps(version) })),
  containers: probe(
    fc.record({
      running: perhaps(upTo(100)),
      exited: perhaps(upTo(3000)),
      sandboxesNotReady: perhaps(upTo(3000)),
      runc: perhaps(fc.constantFrom('1.1.5', '1.1.6')),
    }),
  ),
  agents: probe(
    fc
      .array(agent, { maxLength: 4 })
      .map((entries) => ({ total: entries.length, failed: 0, entries, omitted: 0 })),
  ),
  podStatus: probe(
    fc.array(podAgent, { maxLength: 3 }).map((agents) => ({ coveredSeconds: 3600, evicted: 0, agents })),
  ),
  oomKills: probe(
    perhaps(upTo(3)).map((ofKubelet) => ({ source: 'journal' as const, seen: 3, ofKubelet, recent: [] })),
  ),
  trend: probe(
    fc.record({
      series: fc.record(
        { kubeletRssKb: series, goroutines: series, pods: series, workingSetKb: series },
        { requiredKeys: [] },
      ),
      workload: perhaps(fc.constantFrom('a.service', 'ns/one')),
    }),
  ),
  observations: probe(
    fc.record({
      kubeletHeap: fc.subarray(['podWorkers', 'cadvisor', 'reflect.New']),
      tried: fc.array(tried, { maxLength: 2 }),
    }),
  ),
});

/** What is below one slice is on the node as well. */
function consistent(given: typeof probes extends fc.Arbitrary<infer T> ? T : never): typeof given {
  const { cgroups, slices } = given;
  if (cgroups.status !== 'ok' || slices.status !== 'ok') return given;
  const dying = Math.max(cgroups.value.dying, ...slices.value.entries.map((slice) => slice.dying));
  return { ...given, cgroups: { ...cgroups, value: { ...cgroups.value, dying } } };
}

const evidence = probes.map(consistent).map((given) =>
  Evidence.parse({
    version: 1,
    document: 'collect-evidence',
    profile: 'full',
    collectedAt: '2026-11-21T06:00:00Z',
    probes: given,
  }),
);

function confidence(cause: Cause, of: Evidence): number {
  const verdict = cause.judge(of, thresholds);
  return verdict.result === 'matches' ? confidenceOf(verdict.findings) : 0;
}

const ids = [
  'kubelet-leak',
  'kubelet-oom-cycle',
  'dead-containers',
  'memcg-id-exhaustion',
  'agent-leak',
] as const;

describe.each(ids)('%s, for any evidence', (id) => {
  const cause = causes.find((one) => one.id === id);
  if (cause === undefined) throw new Error(`no ${id}`);

  it('is judged alike each time, names what it lacks, and explains what it found', () => {
    fc.assert(
      fc.property(evidence, (present) => {
        const verdict = cause.judge(present, thresholds);

        expect(cause.judge(present, thresholds)).toEqual(verdict);
        if (verdict.result === 'insufficient-evidence') expect(verdict.needs).not.toEqual([]);
        if (verdict.result !== 'matches') return;
        expect(Object.keys(cause.variants ?? { none: '' })).toContain(verdict.variant ?? 'none');
        expect(cause.explain(verdict.findings, verdict.variant)).not.toMatch(/undefined|NaN|null|\.\. /);
        for (const { because, what, where } of cause.prevent(present, verdict.findings)) {
          expect([because, what, where].join(' ')).not.toMatch(/undefined|NaN|null/);
        }
      }),
      runs(300),
    );
  });

  it('never gets surer by losing a probe', () => {
    fc.assert(
      fc.property(evidence, fc.constantFrom(...Object.keys(Evidence.shape.probes.shape)), (present, lost) => {
        const whole = confidence(cause, present);
        const less = { ...present.probes, [lost]: { status: 'missing', reason: 'lost' } };
        // What another probe had excluded is another verdict, and no surer one.
        fc.pre(whole > 0);

        expect(confidence(cause, { ...present, probes: less } as Evidence)).toBeLessThanOrEqual(whole);
      }),
      runs(300),
    );
  });
});

describe('planFor, for any evidence about kubelet, containers and agents', () => {
  it('restarts no kubelet that has just started, and touches nothing for an agent in a pod', () => {
    fc.assert(
      fc.property(evidence, (present) => {
        const diagnosis = diagnose(present, thresholds);
        const ladder = planFor(diagnosis, present, cluster).plan.map(({ treatment }) => treatment);
        const { kubelet, kubeletMetrics } = present.probes;
        const started = [kubelet, kubeletMetrics].flatMap((one) =>
          one.status === 'ok' ? [one.value.startedSecondsAgo ?? 3600] : [],
        );

        if (ladder.includes('restart-kubelet')) {
          expect(['kubelet-leak', 'kubelet-oom-cycle']).toContain(diagnosis.cause);
          expect(Math.min(3600, ...started)).toBe(3600);
        }
        if (diagnosis.cause === 'agent-leak' && diagnosis.variant !== 'crash-loop') {
          expect(ladder).toEqual(['notify']);
        }
        if (diagnosis.cause === 'memcg-id-exhaustion') expect(ladder).toEqual(['notify']);
      }),
      runs(300),
    );
  });
});
