import { describe, expect, it } from 'vitest';
import { cpuQuotaThrottling } from '../../../../lambdas/domain/causes/cpu-quota-throttling.ts';
import { diagnose } from '../../../../lambdas/domain/diagnosis.ts';
import { planFor } from '../../../../lambdas/domain/plan.ts';
import { clusterWith, evidenceWith, missing } from '../sample-evidence.ts';
import { judged, load, ok, pressure, reclaim, thresholds, throttling, trendOf, tried } from './judge.ts';

const judge = (probes: Parameters<typeof judged>[1]) => judged(cpuQuotaThrottling, probes);
const throttled = throttling({ throttledPeriods: 15, quotaUs: 50_000, periodUs: 100_000 });
const host = (kernel: string, cpus = 16) => ok({ kernel, cpus, bootId: 'b' });

describe('cpu-quota-throttling', () => {
  it('finds a pod that uses up its quota while nobody reclaims, and says which and how much', () => {
    const { result, confidence, explanation } = judge({ throttling: throttled });

    expect(result).toBe('matches');
    expect(confidence).toBe(0.8);
    expect(explanation).toContain('shop/web-1 uses up its own CPU quota of 0.5 CPUs');
    expect(explanation).toContain('75 % of its periods');
    expect(explanation).toContain('The node itself is fine');
  });

  it('goes by the share of periods, not by the seconds lost', () => {
    const long = throttling({ periods: 20, throttledPeriods: 2, throttledMs: 90_000 });

    expect(judge({ throttling: long }).result).toBe('excluded');
  });

  it('begins at the threshold, and asks for enough periods', () => {
    const at = (periods: number, throttledPeriods: number) =>
      judge({ throttling: throttling({ periods, throttledPeriods }) }).result;

    expect(at(20, 5)).toBe('matches');
    expect(at(20, 4)).toBe('excluded');
    expect(at(10, 9)).toBe('matches');
    expect(at(9, 9)).toBe('excluded');
  });

  it('is ruled out by direct reclaim in the same window, and less sure where nobody looked', () => {
    const reclaimed = judge({ throttling: throttled, load: load({ directReclaimPercent: 20 }) });
    const stalled = judge({ throttling: throttled, pressure: pressure(30) });
    const unseen = judge({ throttling: throttled, load: missing, reclaim: missing, pressure: missing });

    expect(reclaimed.result).toBe('excluded');
    expect(reclaimed.finding('direct reclaim in the same window')).toMatchObject({ speaks: 'against' });
    expect(stalled.result).toBe('excluded');
    expect(judge({ observations: tried('remove-cpu-limit', true), pressure: pressure(30) }).result).toBe(
      'excluded',
    );
    expect(unseen).toMatchObject({ result: 'matches', confidence: 0.6 });
    expect(unseen.explanation).toContain('was not seen');
  });

  it('does not take a few stalls for reclaim, nor many for none', () => {
    const stalls = (allocstall: number) =>
      judge({ throttling: throttled, reclaim: reclaim({ allocstall }) }).confidence;

    expect(stalls(9)).toBe(0.8);
    expect(stalls(10)).toBe(0.6);
  });

  it('goes by the metric of hours where the window shows nothing', () => {
    const trend = trendOf('throttledRatio', () => 0.4);

    expect(judge({ trend })).toMatchObject({ result: 'matches', confidence: 0.75 });
    expect(judge({ trend: trendOf('throttledRatio', (hour) => (hour === 3 ? 0.9 : 0.1)) }).result).toBe(
      'excluded',
    );
  });

  it('believes whoever has taken the limit away, whether it helped or not', () => {
    const cured = { throttling: missing, observations: tried('remove-cpu-limit', true) };

    expect(judge(cured)).toMatchObject({ result: 'matches', confidence: 0.87 });
    expect(judge({ throttling: throttled, observations: tried('remove-cpu-limit', false) }).result).toBe(
      'excluded',
    );
  });

  it('finds a pod that is throttled although its own CPUs cannot give it more', () => {
    const pinned = { periods: 3000, throttledPeriods: 30, quotaUs: 100_000, periodUs: 100_000 };

    expect(judge({ throttling: throttling({ ...pinned, cpus: 1 }) }).result).toBe('matches');
    expect(judge({ throttling: throttling({ ...pinned, cpus: 2 }) }).result).toBe('excluded');
  });

  it.each([
    ['4.14.35-1902.el7', true],
    ['4.14.154-128.181.amzn2.x86_64', false],
    ['4.18.0-553.el8', true],
    ['4.19.65', true],
    ['4.19.84', false],
    ['5.3.18', true],
    ['5.4.0-1028-aws', false],
    ['6.1.129-138.220.amzn2023.x86_64', false],
  ])('names the fault of kernel %s: %s', (kernel, faulty) => {
    const { finding, explanation, prevention } = judge({ throttling: throttled, host: host(kernel) });

    expect(finding('kernel with the fault of CFS quotas') !== undefined).toBe(faulty);
    expect(explanation.includes(kernel)).toBe(faulty);
    expect(prevention.some(({ what }) => what.includes('kernel 5.4'))).toBe(faulty);
  });

  it('says nothing of a kernel where nobody is throttled', () => {
    expect(judge({ host: host('4.14.35') }).result).toBe('excluded');
  });

  it('stays open where nobody counted, and names what to ask', () => {
    expect(judge({ throttling: missing })).toMatchObject({
      result: 'insufficient-evidence',
      needs: ['throttling'],
    });
  });

  it('tells people, and does nothing to the node', () => {
    const evidence = evidenceWith({ throttling: throttled });
    const { plan } = planFor(diagnose(evidence, thresholds), evidence, clusterWith());

    expect(plan.map(({ treatment }) => treatment)).toEqual(['notify']);
  });

  it('names the limit and its pod, and the threads only where there are many CPUs', () => {
    const on = (cpus: number) => judge({ throttling: throttled, host: host('6.1.0', cpus) }).prevention;

    expect(on(16)[0]).toMatchObject({ where: expect.stringContaining('shop/web-1') });
    expect(on(16).some(({ where }) => where.includes('GOMAXPROCS'))).toBe(true);
    expect(on(4).some(({ where }) => where.includes('GOMAXPROCS'))).toBe(false);
  });
});
