import { describe, expect, it } from 'vitest';
import { agentLeak } from '../../../../lambdas/domain/causes/agent-leak.ts';
import type { Cause } from '../../../../lambdas/domain/causes/cause.ts';
import { cpuQuotaThrottling } from '../../../../lambdas/domain/causes/cpu-quota-throttling.ts';
import { dyingMemcgs } from '../../../../lambdas/domain/causes/dying-memcgs.ts';
import { kubeletLeak } from '../../../../lambdas/domain/causes/kubelet-leak.ts';
import { memcgIdExhaustion } from '../../../../lambdas/domain/causes/memcg-id-exhaustion.ts';
import { oversubscribedNode } from '../../../../lambdas/domain/causes/oversubscribed-node.ts';
import { reclaimPressure } from '../../../../lambdas/domain/causes/reclaim-pressure.ts';
import type { ProbeName } from '../../../../lambdas/domain/evidence/evidence.ts';
import { cgroups, loopingAgent, missing, slices, trend } from '../sample-evidence.ts';
import { judged, kubelet, load, nodeStatus, ok, pressure, thresholds, throttling, trendOf } from './judge.ts';

const mb = 1024;
const host = (kernel: string) => ok({ kernel });
const collector = {
  pod: 'ops/collector',
  container: 'c',
  owner: null,
  daemonSet: true,
  restarts: 0,
  waiting: null,
  memoryKb: 5000 * mb,
};
const beside = (probes: Record<string, unknown>) => ({ coveredSeconds: 3600, evicted: 0, ...probes });
const walks = { kernelHotspots: [{ symbol: 'mem_cgroup_iter' }] };
const freed = { tried: [{ what: 'drop-caches', helped: true }] };
const profile = { kubeletHeap: ['podcertificate'] };
const restarted = { tried: [{ what: 'restart-kubelet', helped: true }] };
const samples = Array.from({ length: 12 }, (_, at) => [
  1_790_000_000 + at * 3600,
  100,
  3000 + at * 200,
  0,
  5_000_000,
  1,
  1,
]);

type Lost = [what: string, cause: Cause, lost: ProbeName, probes: Parameters<typeof judged>[1]];

/** Each is a match before and after; the second answer comes from a lesser source, or from a rule that nothing excludes any more. */
const losses: Lost[] = [
  [
    'the count of the node, beside a larger one that somebody has noted',
    dyingMemcgs,
    'cgroups',
    { cgroups: cgroups(100, 20), observations: ok({ cgroups: { dying: 60_000 }, ...walks, ...freed }) },
  ],
  [
    'the memory of the node, beside more of the kernel that somebody has noted',
    dyingMemcgs,
    'memory',
    {
      observations: ok({
        memory: { totalKb: 8_000_000, slabUnreclaimableKb: 4_000_000 },
        ...walks,
        ...freed,
      }),
    },
  ],
  [
    'metrics that do not grow, beside samples on the node that do',
    dyingMemcgs,
    'trend',
    { cgroups: cgroups(9000, 6000), trend: trend({ dying: [6000, 0] }), history: ok({ samples }) },
  ],
  [
    'the memory of the node, beside less of it that somebody has noted',
    oversubscribedNode,
    'memory',
    {
      podStatus: ok(beside({ evicted: 3 })),
      nodeStatus: nodeStatus({ memory: { allocatableKb: 7_000_000, limitsKb: 20_000_000 } }),
      observations: ok({ memory: { totalKb: 8_000_000, availableKb: 1000 } }),
    },
  ],
  [
    'stalls of the last minute, beside more of them in the window',
    reclaimPressure,
    'pressure',
    { pressure: pressure(0), load: load({ kswapdPercent: 80, memoryStallPercent: 30 }) },
  ],
  [
    'a kernel, beside an older one that the API server knows',
    memcgIdExhaustion,
    'host',
    {
      host: host('6.1.0'),
      nodeStatus: nodeStatus({ kernelVersion: '3.10.0-1160.el7' }),
      mkdirProbe: ok({ made: 3, errno: 'ENOSPC' }),
    },
  ],
  [
    'a kernel, beside one with the fault of quotas that the API server knows',
    cpuQuotaThrottling,
    'host',
    {
      host: host('6.1.0'),
      nodeStatus: nodeStatus({ kernelVersion: '4.14.100' }),
      throttling: throttling({ throttledPeriods: 15 }),
    },
  ],
  [
    'the version of a kubelet in which what a gate leaks is mended',
    kubeletLeak,
    'nodeStatus',
    {
      kubelet: kubelet({ config: { featureGates: { PodCertificateRequest: 'true' } } }),
      nodeStatus: nodeStatus({ kubeletVersion: 'v1.35.1' }),
      observations: ok({ ...profile, ...restarted }),
    },
  ],
  [
    'the version of a kubelet, beside a leaky one that the API server knows',
    kubeletLeak,
    'kubelet',
    {
      kubelet: kubelet({ version: 'v1.35.1' }),
      nodeStatus: nodeStatus({ kubeletVersion: 'v1.36.1' }),
      observations: ok({ ...profile, ...restarted }),
    },
  ],
  [
    'the slices that say that a looping service made few of them, beside an agent that is large',
    agentLeak,
    'slices',
    {
      agents: loopingAgent({ requiredBy: ['a.service'], restarts: 200, rssKb: 5000 * mb }),
      cgroups: cgroups(100, 310),
      slices: slices({ path: '/system.slice', dying: 90_000 }),
    },
  ],
  [
    'the limit of a pod, beside another agent that is large',
    agentLeak,
    'workloads',
    {
      agents: loopingAgent({ active: 'active', sub: 'running', restarts: 0, rssKb: 5000 * mb }),
      podStatus: ok(beside({ agents: [collector] })),
      workloads: ok({
        pods: 1,
        top: [{ pod: 'ops/collector', uid: 'u', workingSetKb: 1, limitKb: 9_000_000 }],
      }),
      trend: trendOf('workingSetKb', (hour) => (5000 + hour * 50) * mb, { workload: 'ops/collector' }),
    },
  ],
];

describe('a rule that loses', () => {
  it.each(losses)('%s is no surer than before', (_, cause, lost, probes) => {
    const whole = judged(cause, probes);
    const less = judged(cause, { ...probes, [lost]: missing });

    expect([whole.result, less.result]).toEqual(['matches', 'matches']);
    expect(whole.confidence).toBeGreaterThanOrEqual(thresholds.leastConfidence);
    expect(less.confidence).toBeLessThanOrEqual(whole.confidence);
  });
});

describe('an agent of which the probe was lost that could clear it', () => {
  const looping = { agents: loopingAgent({ requiredBy: ['a.service'] }), cgroups: cgroups(100, 5000) };

  it.each([
    ['a service in a loop, without slices', { ...looping, slices: missing }],
    [
      'a pod, without the limits of pods',
      { podStatus: ok(beside({ agents: [collector] })), workloads: missing },
    ],
  ])('is as likely as not: %s', (_, probes) => {
    expect(judged(agentLeak, probes)).toMatchObject({ result: 'matches', confidence: 0.5 });
  });
});
