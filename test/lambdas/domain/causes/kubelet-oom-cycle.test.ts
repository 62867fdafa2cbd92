import { describe, expect, it } from 'vitest';
import { kubeletOomCycle } from '../../../../lambdas/domain/causes/kubelet-oom-cycle.ts';
import { diagnose } from '../../../../lambdas/domain/diagnosis.ts';
import { clusterWith, evidenceWith, missing, trend } from '../sample-evidence.ts';
import { kubelet, ok } from './judge.ts';
import { judged } from './judged.ts';

const mb = 1024;
const kills = (ofKubelet: number | null) =>
  ok({ sinceBoot: 3, source: 'journal', coveredSeconds: 3600, seen: 3, ofKubelet, recent: [] });
const metrics = (change: Record<string, unknown>) =>
  ok({
    rssKb: 90_000,
    startedSecondsAgo: null,
    plegRelistP99Seconds: 0.1,
    podWorkerP99Seconds: 1,
    ...change,
  });
const verdictWith = (probes: Parameters<typeof evidenceWith>[0]) =>
  judged(kubeletOomCycle, evidenceWith(probes));

describe('kubelet-oom-cycle', () => {
  it('is found by the kernel log, the console, or what systemd keeps of the last end', () => {
    const silent = { kubeletMetrics: missing };
    const console = ok({
      lines: 9,
      oomKills: 1,
      ofKubelet: 1,
      hungTasks: 0,
      cgroupNoSpace: 0,
      panics: 0,
      last: [],
    });

    expect(verdictWith({ ...silent, oomKills: kills(1) })).toMatchObject({
      result: 'matches',
      confidence: 0.7,
    });
    expect(verdictWith({ ...silent, oomKills: missing, console })).toMatchObject({
      result: 'matches',
      confidence: 0.6,
    });
    expect(
      verdictWith({ ...silent, kubelet: kubelet({ result: 'oom-kill', active: 'failed' }) }),
    ).toMatchObject({
      result: 'matches',
      confidence: 0.7,
      variant: 'killed',
    });
  });

  it('is over a week after the last kill, which the log of the kernel may hold for as long as the boot', () => {
    const collectedAt = Date.parse(evidenceWith().collectedAt) / 1000;
    const killed = (comm: string, days: number) => ({
      at: collectedAt - days * 86_400,
      comm,
      cgroup: '/system.slice/kubelet.service',
    });
    const causeWith = (...recent: ReturnType<typeof killed>[]) => {
      const ofKubelet = recent.filter(({ comm }) => comm === 'kubelet').length;
      const oomKills = ok({ source: 'kmsg', seen: recent.length, ofKubelet, recent });
      return diagnose(evidenceWith({ oomKills }), clusterWith().thresholds).cause;
    };

    expect(causeWith(killed('kubelet', 8))).toBe('healthy');
    expect(causeWith(killed('java', 8), killed('kubelet', 7))).toBe('kubelet-oom-cycle');
    // The log names the latest only: what has no date counts.
    expect(verdictWith({ oomKills: kills(1) }).result).toBe('matches');
  });

  it('is surer where it was killed again', () => {
    const again = verdictWith({ kubeletMetrics: missing, oomKills: kills(2) });

    expect(again.confidence).toBe(0.85);
    expect(again.explanation).toContain('for want of memory 2 times');
  });

  it('is none where other processes were killed, and open where nobody read the log', () => {
    expect(verdictWith({ oomKills: kills(0) }).result).toBe('excluded');
    expect(verdictWith({ oomKills: missing })).toMatchObject({
      result: 'insufficient-evidence',
      needs: ['oomKills'],
    });
    expect(verdictWith({ oomKills: kills(null) }).needs).toEqual(['oomKills']);
    expect(verdictWith({ kubelet: missing }).needs).toEqual(['kubelet']);
    // A kill -9 by hand is no OOM kill.
    expect(
      verdictWith({ kubelet: kubelet({ execMainStatus: 9, restarts: 1, result: 'signal' }) }).result,
    ).toBe('excluded');
  });

  describe('in its stage', () => {
    const stageOf = (started: number | null, change: Record<string, unknown> = {}, more = {}) =>
      verdictWith({
        oomKills: kills(1),
        kubelet: kubelet({ startedSecondsAgo: started, execMainStatus: 9, restarts: 1, ...change }),
        kubeletMetrics: metrics({}),
        ...more,
      }).variant;
    const slow = { kubeletMetrics: metrics({ plegRelistP99Seconds: 12 }) };

    it('killed: it does not run', () => {
      expect(stageOf(null, { active: 'failed', result: 'oom-kill' })).toBe('killed');
      expect(stageOf(20, { active: 'activating', sub: 'auto-restart' })).toBe('killed');
      expect(stageOf(null)).toBe('killed');
    });

    it('storm: it has just been started, or is slow soon after', () => {
      expect(stageOf(0)).toBe('storm');
      expect(stageOf(90)).toBe('storm');
      expect(stageOf(91)).toBe('settling');
      expect(stageOf(600, {}, slow)).toBe('storm');
      expect(stageOf(600, { journal: { pleg: 0, criDeadline: 2 } })).toBe('storm');
      expect(stageOf(601, {}, slow)).toBe('settling');
    });

    it('climbing: it was killed, and its memory grows again', () => {
      const climbing = { trend: trend({ kubeletRssKb: [400 * mb, 150 * mb] }) };

      expect(stageOf(9000, {}, climbing)).toBe('climbing');
      expect(stageOf(30, {}, climbing)).toBe('storm');
      expect(stageOf(9000)).toBe('settling');
    });
  });

  it('is ahead where the kubelet is near a limit of its unit, which is the thing to take away', () => {
    const near = (percent: number) =>
      verdictWith({
        kubeletMetrics: missing,
        kubelet: kubelet({ memoryMaxKb: 512_000, rssKb: 5120 * percent, startedSecondsAgo: 9000 }),
      });

    expect(near(89.9).result).toBe('excluded');
    expect(near(90)).toMatchObject({ result: 'matches', variant: 'climbing', confidence: 0.65 });
    expect(near(90).explanation).toContain('is about to be killed');
    expect(near(90).explanation).toContain('memory limit of 500 MB');
    expect(near(90).prevention[0]?.what).toContain('no memory limit on the unit of the kubelet');
    expect(
      verdictWith({ oomKills: kills(1) })
        .prevention.map(({ what }) => what)
        .join(),
    ).not.toContain('no memory limit');
  });

  it('is the diagnosis before the leak behind it: the node is in trouble now', () => {
    const both = evidenceWith({
      oomKills: kills(1),
      kubelet: kubelet({ startedSecondsAgo: 40, restarts: 1 }),
      kubeletMetrics: missing,
      trend: trend({ kubeletRssKb: [400 * mb, 150 * mb], goroutines: [400, 200], pods: [20, 0] }),
      observations: ok({ kubeletHeap: ['podWorkers'], tried: [{ what: 'restart-kubelet', helped: true }] }),
    });
    const diagnosis = diagnose(both, clusterWith().thresholds);

    expect(diagnosis).toMatchObject({ cause: 'kubelet-oom-cycle', variant: 'storm' });
    expect(diagnosis.alsoPossible).toContainEqual(
      expect.objectContaining({ cause: 'kubelet-leak', variant: 'pod-workers' }),
    );
    expect(diagnosis.alsoPossible[0]?.confidence).toBeGreaterThan(diagnosis.confidence);
  });
});
