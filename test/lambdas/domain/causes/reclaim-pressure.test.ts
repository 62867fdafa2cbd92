import { describe, expect, it } from 'vitest';
import { reclaimPressure } from '../../../../lambdas/domain/causes/reclaim-pressure.ts';
import { diagnose } from '../../../../lambdas/domain/diagnosis.ts';
import { cgroups, evidenceWith, loopingAgent, missing, sessions } from '../sample-evidence.ts';
import {
  judged,
  kubelet,
  load,
  nodeStatus,
  ok,
  pressure,
  reclaim,
  thresholds,
  throttling,
  trendOf,
} from './judge.ts';

const judge = (probes: Parameters<typeof judged>[1]) => judged(reclaimPressure, probes);
const cause = (probes: Parameters<typeof judged>[1]) => diagnose(evidenceWith(probes), thresholds).cause;
const busy = { load: load({ directReclaimPercent: 22, kswapdPercent: 88 }), pressure: pressure(12) };
const stalled = { pressure: pressure(12) };

describe('reclaim-pressure', () => {
  it.each([
    [
      'direct reclaim',
      { load: load({ directReclaimPercent: 15 }) },
      { load: load({ directReclaimPercent: 14 }) },
    ],
    ['stalls', { pressure: pressure(5) }, { pressure: pressure(4.9) }],
    ['kswapd', { load: load({ kswapdPercent: 50 }) }, { load: load({ kswapdPercent: 49 }) }],
    [
      'direct reclaim over hours',
      { trend: trendOf('directReclaimPercent', () => 15) },
      { trend: trendOf('directReclaimPercent', (hour) => (hour < 3 ? 60 : 2)) },
    ],
  ])('is seen by %s, from its threshold on', (_, above, below) => {
    expect(judge(above).result).toBe('matches');
    expect(judge(below).result).toBe('excluded');
  });

  it('is seen in a profile of the kernel that shows reclaim, and not in one that shows a slab reaper', () => {
    const seenIn = (symbol: string) => judge({ observations: ok({ kernelHotspots: [{ symbol }] }) }).result;

    expect(seenIn('kswapd')).toBe('matches');
    expect(seenIn('cache_reap')).toBe('excluded');
    expect(seenIn('kworker')).toBe('excluded');
  });

  it('is surer with stalls, major faults and throttled pods beside it, which alone say nothing', () => {
    const beside = {
      reclaim: reclaim({ allocstall: 100, pgmajfault: 4000 }),
      throttling: throttling({ throttledPeriods: 18 }),
    };

    expect(judge(beside).result).toBe('excluded');
    expect(judge({ ...busy, ...beside }).confidence).toBeGreaterThan(judge(busy).confidence);
  });

  it.each([
    ['stalls', { reclaim: reclaim({ allocstall: 100 }) }],
    ['major faults', { reclaim: reclaim({ pgmajfault: 4000 }) }],
    ['throttled pods', { throttling: throttling({ throttledPeriods: 18 }) }],
  ])('is surer with %s alone beside it', (_, beside) => {
    expect(judge({ ...stalled, ...beside }).confidence).toBeGreaterThan(judge(stalled).confidence);
  });

  it('is no surer where nothing is throttled, or nobody looked', () => {
    expect(judge({ ...stalled, throttling: throttling() })).toMatchObject({
      confidence: judge({ ...stalled, throttling: missing }).confidence,
    });
  });

  it('says the figures, that CPU limits are not the cure, and that dropping caches is none', () => {
    const { explanation } = judge({ ...busy, throttling: throttling({ throttledPeriods: 18 }) });

    expect(explanation).toContain('22 % of all CPU time');
    expect(explanation).toContain('every task waits for memory 12 % of the time');
    expect(explanation).toContain('kswapd takes 88 % of a CPU');
    expect(explanation).toContain('raising CPU limits would not cure it');
    expect(explanation).toContain('Dropping caches would make it worse');
  });

  it('is the diagnosis of a node that throttles and reclaims at the same time', () => {
    expect(cause({ ...busy, throttling: throttling({ throttledPeriods: 18 }) })).toBe('reclaim-pressure');
  });

  it('is the diagnosis where metrics show both over the same hours', () => {
    const points = (value: number) => Array.from({ length: 24 }, (_, hour) => [hour * 3600, value]);
    const series = {
      throttledRatio: { source: 'cloudwatch', points: points(0.6) },
      directReclaimPercent: { source: 'cloudwatch', points: points(20) },
    };

    expect(cause({ trend: ok({ series }) })).toBe('reclaim-pressure');
  });

  it.each([
    ['dying-memcgs', { cgroups: cgroups(900, 2100) }],
    ['orphaned-agent', { agents: loopingAgent(), cgroups: cgroups(900, 600) }],
    [
      'session-churn',
      { sessions: sessions({ logins: 70, loginsSinceSample: 70, dyingThen: 20, dyingNow: 90 }) },
    ],
  ])('gives way to %s, however sure it is itself', (leak, probes) => {
    const all = { ...busy, reclaim: reclaim({ allocstall: 100, pgmajfault: 4000 }), ...probes };

    expect(cause(all)).toBe(leak);
  });

  it.each([
    ['pressure', { pressure: missing }, ['pressure']],
    ['any count of reclaim', { reclaim: missing }, ['reclaim']],
  ])('stays open without %s', (_, probes, needs) => {
    expect(judge(probes)).toMatchObject({ result: 'insufficient-evidence', needs });
  });

  it('advises limits and reservations, and not against more capacity, which helps here', () => {
    const { prevention } = judge({
      ...busy,
      nodeStatus: nodeStatus({ memory: { allocatableKb: 7_000_000, limitsKb: 9_000_000 } }),
      kubelet: kubelet({ config: { kubeReserved: {} } }),
    });

    expect(prevention.map(({ what }) => what)).toEqual([
      'memory limits close to the requests, or fewer of these pods on a node',
      expect.stringMatching(/^kubeReserved\.memory of /),
    ]);
    expect(prevention.some(({ what }) => what.includes('scale out'))).toBe(false);
  });
});
