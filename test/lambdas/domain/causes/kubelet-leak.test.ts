import { describe, expect, it } from 'vitest';
import { kubeletLeak } from '../../../../lambdas/domain/causes/kubelet-leak.ts';
import { evidenceWith, missing, trend } from '../sample-evidence.ts';
import { kubelet, ok } from './judge.ts';
import { judged } from './judged.ts';

const mb = 1024;
const metrics = (change: Record<string, unknown>) => ok({ rssKb: 90_000, goroutines: 220, ...change });
const observed = (...kubeletHeap: string[]) => ok({ kubeletHeap });
const gates = (featureGates: Record<string, string>) => ({ featureGates });

/** The kubelet grows by 150 MB a day, with 20 pods all the time. */
const leaking = trend({ kubeletRssKb: [400 * mb, 150 * mb], pods: [20, 0] });
const verdictWith = (probes: Parameters<typeof evidenceWith>[0], settings = {}) =>
  judged(kubeletLeak, evidenceWith(probes), settings);

describe('kubelet-leak', () => {
  it('is growth that no number of pods explains', () => {
    const verdict = verdictWith({ trend: leaking, kubelet: kubelet({ rssKb: 700 * mb }) });

    expect(verdict).toMatchObject({ result: 'matches', variant: 'other', confidence: 0.64 });
    expect(verdict.explanation).toContain('it holds 700 MB and grows by 150 MB a day.');
    expect(verdict.explanation).toContain('changed by 0 % in the same time, which does not explain it');
    expect(verdict.findings).toContainEqual(
      expect.objectContaining({
        value: 150,
        threshold: 100,
        source: 'settings thresholds.kubeletMbPerDay; CloudWatch: 49 points over 48 h',
      }),
    );
  });

  it.each([
    [99.9, 'excluded'],
    [100, 'matches'],
  ])('begins exactly at the threshold: %d MB a day', (perDay, result) => {
    const verdict = verdictWith({ trend: trend({ kubeletRssKb: [400 * mb, perDay * mb], pods: [20, 0] }) });

    expect(verdict.result).toBe(result);
  });

  it('is not it where the pods became more in the same time, and not much less than the memory did', () => {
    const withPods = (perDay: number) =>
      verdictWith({ trend: trend({ kubeletRssKb: [400 * mb, 150 * mb], pods: [20, perDay] }) }).result;

    expect(withPods(7)).toBe('excluded');
    // Ten pods more do not make 300 MB of 400.
    expect(withPods(2)).toBe('matches');
  });

  it('does not take its growth for a sign where load explains it', () => {
    const probes = { kubelet: kubelet({ rssKb: 3000 * mb }) };
    const byLoad = verdictWith({
      ...probes,
      trend: trend({ kubeletRssKb: [400 * mb, 150 * mb], pods: [20, 7] }),
    });

    expect(byLoad).toMatchObject({ result: 'matches', confidence: 0.4 });
    expect(verdictWith({ ...probes, trend: missing }).confidence).toBe(0.4);
    expect(verdictWith({ ...probes, trend: leaking }).confidence).toBeGreaterThan(0.7);
  });

  it('compares moments with as many pods where there were more pods as well', () => {
    const { value } = leaking as { value: { series: Record<string, { points: [number, number][] }> } };
    const rss = value.series.kubeletRssKb?.points ?? [];
    // It was restarted when all pods were there, and grows on.
    const points = rss.map(([at], hour): [number, number] => [at, (hour < 20 ? 900 : 400 + hour) * mb]);
    const pods = rss.map(([at], hour): [number, number] => [at, hour < 20 ? 5 + hour * 0.75 : 20]);
    const series = {
      kubeletRssKb: {
        source: 'cloudwatch',
        points: points.map(([at, kb], hour) => [at, kb + hour * 9 * mb]),
      },
      pods: { source: 'cloudwatch', points: pods },
    };
    const verdict = verdictWith({ trend: ok({ series }) });

    expect(verdict.result).toBe('matches');
    expect(verdict.findings).toContainEqual(
      expect.objectContaining({
        speaks: 'for',
        source: expect.stringContaining('with as many pods it grows'),
      }),
    );
  });

  it('cannot tell a leak from load where nobody counted the pods', () => {
    const alone = { trend: trend({ kubeletRssKb: [400 * mb, 150 * mb] }) };

    expect(verdictWith(alone)).toMatchObject({ result: 'insufficient-evidence', needs: ['trend.pods'] });
    const tried = [{ what: 'restart-kubelet', helped: true }];
    expect(verdictWith({ ...alone, observations: ok({ tried }) })).toMatchObject({
      result: 'matches',
      confidence: 0.7,
      explanation: expect.stringContaining('part of it may be load'),
    });
  });

  it('is open without a course, and is none where it is flat', () => {
    expect(verdictWith({ trend: missing })).toMatchObject({
      result: 'insufficient-evidence',
      needs: ['trend.kubeletRssKb'],
    });
    expect(verdictWith({}).result).toBe('excluded');
    expect(
      verdictWith({ trend: ok({ series: { kubeletRssKb: { source: 'report', course: 'steady' } } }) }).result,
    ).toBe('excluded');
  });

  it('is not proven by a level, however high, nor by one weak sign', () => {
    const huge = verdictWith({ trend: missing, kubelet: kubelet({ rssKb: 50_000 * mb }) });

    expect(huge).toMatchObject({ result: 'matches', confidence: 0.4 });
    expect(verdictWith({ trend: missing, kubeletMetrics: metrics({ goroutines: 900 }) }).result).toBe(
      'insufficient-evidence',
    );
    const tried = [{ what: 'restart-kubelet', helped: true }];
    expect(verdictWith({ trend: missing, observations: ok({ tried }) }).result).toBe('insufficient-evidence');
  });

  it('takes the words of a report for less than a number', () => {
    const rises = ok({ series: { kubeletRssKb: { source: 'report', course: 'rises' } } });
    const tried = [{ what: 'restart-kubelet', helped: true }];

    expect(verdictWith({ trend: rises }).result).toBe('insufficient-evidence');
    expect(verdictWith({ trend: rises, observations: ok({ tried }) }).confidence).toBe(0.65);
  });

  it('is not goroutines that became more with the pods, each of which has some', () => {
    const withPods = (perDay: number) =>
      verdictWith({
        trend: trend({ kubeletRssKb: [250 * mb, 20 * mb], goroutines: [400, 200], pods: [20, perDay] }),
        kubeletMetrics: metrics({ goroutines: 800 }),
      }).result;

    expect(withPods(10)).toBe('excluded');
    expect(withPods(0)).toBe('matches');
  });

  it('is goroutines that breed, whatever their memory was read as', () => {
    const breeding = trend({ kubeletRssKb: [90_000, 0], goroutines: [400, 100], pods: [20, 0] });

    expect(verdictWith({ trend: breeding, kubeletMetrics: metrics({ goroutines: 900 }) })).toMatchObject({
      result: 'matches',
      confidence: 0.55,
    });
    expect(verdictWith({ trend: trend({ kubeletRssKb: [90_000, 0], goroutines: [400, 99] }) }).result).toBe(
      'excluded',
    );
  });

  describe('says which leak it is', () => {
    it.each([
      ['Manager.credStore', 'pod-certs', 0.6],
      ['podWorkers.isWorking', 'pod-workers', 0.6],
      ['k8s.io/kubernetes/pkg/kubelet.(*podWorkers).startPodSync', 'pod-workers', 0.6],
      ['pleg.(*EventedPLEG).watchEventsChannel', 'evented-pleg', 0.6],
    ])('by the top of a heap profile, which needs nothing else: %s', (top, variant, confidence) => {
      expect(verdictWith({ trend: missing, observations: observed(top) })).toMatchObject({
        result: 'matches',
        variant,
        confidence,
      });
    });

    it.each([
      ['cadvisor container housekeeping', 'cadvisor'],
      ['pkg/kubelet/container/container_gc.go', 'container-gc'],
    ])('by a name that any profile may have only beside other signs: %s', (top, variant) => {
      const probes = { observations: observed('reflect.New', top) };

      expect(verdictWith({ ...probes, trend: missing }).result).toBe('insufficient-evidence');
      expect(verdictWith({ ...probes, trend: leaking })).toMatchObject({ result: 'matches', variant });
    });

    it('by a gate and a version in which it leaks', () => {
      const withGate = (gate: string, version: string | null) =>
        verdictWith({ trend: leaking, kubelet: kubelet({ version, config: gates({ [gate]: 'true' }) }) })
          .variant;

      expect(withGate('PodCertificateRequest', 'v1.34.1-eks-1')).toBe('pod-certs');
      expect(withGate('PodCertificateRequest', null)).toBe('pod-certs');
      expect(withGate('PodCertificateRequest', 'v1.35.0-eks-1')).toBe('other');
      expect(withGate('EventedPLEG', 'v1.35.0-eks-1')).toBe('evented-pleg');
    });

    it('by no gate that is off, and by no version alone', () => {
      const off = kubelet({ version: 'v1.34.1', config: gates({ PodCertificateRequest: 'false' }) });

      expect(verdictWith({ trend: leaking, kubelet: off }).variant).toBe('other');
      expect(verdictWith({ kubelet: kubelet({ version: 'v1.36.1' }) }).result).toBe('excluded');
    });

    it('by the releases of 1.36 that leak a context with every sync', () => {
      const withVersion = (version: string) => verdictWith({ trend: leaking, kubelet: kubelet({ version }) });

      expect(withVersion('v1.36.2-eks-3a2b')).toMatchObject({ variant: 'pod-workers', confidence: 0.78 });
      expect(withVersion('v1.36.3-eks-3a2b').variant).toBe('other');
      expect(withVersion('v1.36.2-eks-3a2b').prevention).toContainEqual(
        expect.objectContaining({ what: 'an AMI with kubelet 1.36.3 or later' }),
      );
    });

    describe('as the misc controller of cgroup v1', () => {
      const misc = (change: {
        kernel?: string;
        memory?: 'v1' | 'v2';
        runc?: string;
        loops?: number;
        kubelet?: string;
        config?: Record<string, unknown>;
      }) =>
        verdictWith({
          trend: leaking,
          host: ok({
            kernel: change.kernel ?? '5.15.0-1028-aws',
            os: 'Ubuntu',
            bootId: 'b',
            uptimeSeconds: 1,
            cpus: 2,
          }),
          hierarchy: ok({ memory: change.memory ?? 'v1', layout: 'legacy', mount: '/sys/fs/cgroup/memory' }),
          containers: ok({ running: 12, exited: 1, runc: change.runc ?? '1.1.5' }),
          kubelet: kubelet({
            version: change.kubelet ?? 'v1.27.9',
            config: change.config ?? null,
            journal: { cgroupDeleteFailed: change.loops ?? 40, pleg: 0, criDeadline: 0, listTooLarge: 0 },
          }),
        });

      it('where runc does not know it', () => {
        const verdict = misc({});

        expect(verdict.variant).toBe('cgroup-v1-misc');
        expect(verdict.explanation).toContain('kubernetes#117647');
        expect(verdict.prevention.map(({ what }) => what).join()).toContain('cgroup v2 (AL2023)');
      });

      it('before a gate that is on as well, where the kubelet fails to remove cgroups', () => {
        const config = gates({ EventedPLEG: 'true' });

        expect(misc({ config }).variant).toBe('cgroup-v1-misc');
        expect(misc({ config, loops: 9 }).variant).toBe('evented-pleg');
      });

      it('where runc does, and the kubelet fails to remove what it leaves', () => {
        expect(misc({ runc: '1.1.7', kubelet: 'v1.24.9' }).variant).toBe('cgroup-v1-misc');
      });

      it.each([
        ['before the kernel had one', { kernel: '5.10.220' }],
        ['on cgroup v2', { memory: 'v2' as const }],
        ['where both know it', { runc: '1.1.7' }],
        ['where nothing fails to be removed', { runc: '1.1.7', kubelet: 'v1.24.9', loops: 0 }],
      ])('not %s', (_, change) => {
        expect(misc(change).variant).toBe('other');
      });
    });

    it('as the claim about container garbage collection only for want of a better name, and says that it is a claim', () => {
      const dead = ok({ running: 12, exited: 900 });

      const verdict = verdictWith({ trend: leaking, containers: dead });

      expect(verdict.variant).toBe('container-gc');
      expect(verdict.explanation).toContain('kubernetes#131905 claims it and is not confirmed');
      expect(
        verdictWith({ trend: leaking, containers: dead, kubelet: kubelet({ version: 'v1.36.0' }) }).variant,
      ).toBe('pod-workers');
    });

    it('and names the claim about pod controllers as one', () => {
      const { explanation } = verdictWith({ trend: leaking, observations: observed('podWorkers') });

      expect(explanation).toContain('kubernetes#131906 claims one of today and is not confirmed');
    });
  });

  it('warns of new nodes with the same kubelet, and only where it grows', () => {
    const scaling = ({ what }: { what: string }) => what.startsWith('do not scale out now');

    expect(verdictWith({ trend: leaking }).prevention.some(scaling)).toBe(true);
    const level = verdictWith({ trend: missing, kubelet: kubelet({ rssKb: 3000 * mb }) });
    expect(level.prevention.some(scaling)).toBe(false);
    expect(level.prevention.map(({ what }) => what).join()).toContain('kubeReserved.memory');
  });

  it('finds a runtime whose cgroup driver is not that of the kubelet', () => {
    const drivers = (runtime: string) =>
      verdictWith({
        trend: leaking,
        containers: ok({ running: 1, exited: 1, cgroupDriver: runtime }),
        kubelet: kubelet({ config: { flags: { cgroupDriver: 'systemd' } } }),
      }).prevention.map(({ where }) => where.split(' ')[0]);

    expect(drivers('cgroupfs')).toContain('/etc/containerd/config.toml');
    expect(drivers('systemd')).not.toContain('/etc/containerd/config.toml');
  });
});
