import { describe, expect, it } from 'vitest';
import { workloadLeak } from '../../../../lambdas/domain/causes/workload-leak.ts';
import { diagnose } from '../../../../lambdas/domain/diagnosis.ts';
import { evidenceWith, missing } from '../sample-evidence.ts';
import { judged, ok, thresholds, trendOf, tried } from './judge.ts';

const judge = (probes: Parameters<typeof judged>[1]) => judged(workloadLeak, probes);

function oomKilled(change: Record<string, unknown> = {}) {
  const container = {
    pod: 'shop/cart-7',
    container: 'app',
    owner: { kind: 'ReplicaSet', name: 'cart' },
    restarts: 6,
    limitKb: 512 * 1024,
    secondsAgo: 1200,
    ...change,
  };
  return ok({ coveredSeconds: 3600, oomKilled: [container] });
}

const uid = '1d5b7c90-4c1e-4d0a-9a54-0f6b2c8d7e11';
const collected = Date.parse('2026-11-21T06:30:00Z') / 1000;

function kernelKills(count: number, secondsAgo = 60) {
  const cgroup = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice/cri-1.scope`;
  const recent = Array.from({ length: count }, () => ({ at: collected - secondsAgo, comm: 'java', cgroup }));
  return ok({ source: 'journal', seen: count, ofKubelet: 0, recent });
}

function workloads(workingSetKb: number, limitKb: number | null = 1_000_000) {
  return ok({ pods: 12, top: [{ pod: 'shop/cart-7', uid, workingSetKb, limitKb }] });
}

const growing = trendOf('workingSetKb', (hour) => 1_000_000 + hour * 30_000, { workload: 'shop/cart-7' });

describe('workload-leak', () => {
  it('names the pod, the container and the owner of what is killed again and again', () => {
    const { result, confidence, explanation, prevention } = judge({ podStatus: oomKilled() });

    expect(result).toBe('matches');
    expect(confidence).toBe(0.73);
    expect(explanation).toContain('shop/cart-7, container app (ReplicaSet/cart) was killed');
    expect(explanation).toContain('its own limit of 512 MiB');
    expect(explanation).toContain('restarted 6 times');
    expect(prevention[0]).toMatchObject({ where: 'ReplicaSet/cart' });
  });

  it('is not sure by one kill alone, and sure enough with growth', () => {
    const once = oomKilled({ restarts: 1, limitKb: null });

    expect(judge({ podStatus: once }).confidence).toBeLessThan(thresholds.leastConfidence);
    expect(diagnose(evidenceWith({ podStatus: once }), thresholds).cause).toBe('inconclusive');
    expect(judge({ podStatus: once, trend: growing }).confidence).toBe(0.78);
  });

  it('believes a report that says no more than that it rises', () => {
    const trend = ok({ series: { workingSetKb: { source: 'report', course: 'rises' } } });

    expect(judge({ podStatus: oomKilled({ restarts: null, limitKb: null }), trend })).toMatchObject({
      result: 'matches',
      confidence: 0.67,
    });
  });

  it('counts kills in the cgroup of one pod, and names it by the list of workloads', () => {
    const { confidence, explanation } = judge({ oomKills: kernelKills(3), workloads: workloads(100) });

    expect(confidence).toBe(0.6);
    expect(explanation).toContain('shop/cart-7 was killed');
    expect(explanation).toContain('3 times in the last day');
    expect(judge({ oomKills: kernelKills(1) }).confidence).toBe(0.4);
  });

  it('forgets kills of days ago, and ends that a container remembers for weeks', () => {
    expect(judge({ oomKills: kernelKills(3, 90_000) }).result).toBe('excluded');
    expect(judge({ podStatus: oomKilled({ secondsAgo: 8 * 86_400 }) }).result).toBe('excluded');
    expect(judge({ podStatus: oomKilled({ secondsAgo: 6 * 86_400 }) }).result).toBe('matches');
  });

  it('is found by growth over hours, from the threshold on', () => {
    const perDay = (mb: number) =>
      judge({ trend: trendOf('workingSetKb', (hour) => 100_000 + (hour * mb * 1024) / 24) }).result;

    expect(perDay(501)).toBe('matches');
    expect(perDay(499)).toBe('excluded');
    expect(judge({ trend: growing }).explanation).toContain('shop/cart-7 takes more and more memory');
  });

  it('does not take a pod that sits near its limit for one that leaks', () => {
    const steady = trendOf('workingSetKb', () => 950_000);

    expect(judge({ workloads: workloads(950_000) })).toMatchObject({
      result: 'insufficient-evidence',
      needs: ['trend.workingSetKb'],
    });
    expect(judge({ workloads: workloads(950_000), trend: steady }).result).toBe('excluded');
    expect(judge({ workloads: workloads(890_000) }).result).toBe('excluded');
    expect(judge({ workloads: workloads(7_000_000, null) }).result).toBe('excluded');
    expect(judge({ workloads: workloads(950_000), trend: growing }).confidence).toBe(0.74);
  });

  it('is ruled out where a higher limit cured it, and surer where none did', () => {
    const podStatus = oomKilled();

    expect(judge({ podStatus, observations: tried('remove-memory-limit', true) }).result).toBe('excluded');
    expect(
      judge({ podStatus, observations: tried('remove-memory-limit', false) }).confidence,
    ).toBeGreaterThan(judge({ podStatus }).confidence);
  });

  it('stays open where nobody counted kills and nobody measured growth', () => {
    expect(judge({ podStatus: missing, oomKills: missing, trend: missing })).toMatchObject({
      result: 'insufficient-evidence',
      needs: ['oomKills', 'podStatus'],
    });
  });

  it('advises against scaling out: a new replica leaks as well', () => {
    expect(judge({ podStatus: oomKilled() }).prevention.map(({ what }) => what)).toContain(
      'do not scale out now',
    );
  });
});
