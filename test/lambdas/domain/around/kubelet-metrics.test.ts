import { describe, expect, it } from 'vitest';
import { kubeletMetricsIn } from '../../../../lambdas/domain/around/kubelet-metrics.ts';
import { histogramQuantile, samplesIn } from '../../../../lambdas/domain/around/prometheus-text.ts';
import { KubeletMetrics } from '../../../../lambdas/domain/evidence/kubelet-metrics.ts';
import { now } from './objects.ts';

const page = `# HELP go_goroutines Number of goroutines that currently exist.
# TYPE go_goroutines gauge
go_goroutines 612
process_resident_memory_bytes 1.44703488e+08
process_start_time_seconds ${now.getTime() / 1000 - 3600.4}
kubelet_running_pods 14
kubelet_running_containers{container_state="created"} 1
kubelet_running_containers{container_state="exited"} 9
kubelet_running_containers{container_state="running"} 31
kubelet_orphaned_runtime_pods_total 2
# TYPE kubelet_evictions counter
kubelet_evictions{eviction_signal="memory.available"} 3
kubelet_evictions{eviction_signal="nodefs.available"} 1
kubelet_cgroup_version 2
kubelet_pleg_relist_duration_seconds_bucket{le="0.1"} 900
kubelet_pleg_relist_duration_seconds_bucket{le="10"} 980
kubelet_pleg_relist_duration_seconds_bucket{le="+Inf"} 1000
kubelet_pod_worker_duration_seconds_bucket{operation_type="create",le="1"} 10
kubelet_pod_worker_duration_seconds_bucket{operation_type="create",le="2"} 10
kubelet_pod_worker_duration_seconds_bucket{operation_type="create",le="+Inf"} 10
kubelet_pod_worker_duration_seconds_bucket{operation_type="sync",le="1"} 80
kubelet_pod_worker_duration_seconds_bucket{operation_type="sync",le="2"} 90
kubelet_pod_worker_duration_seconds_bucket{operation_type="sync",le="+Inf"} 90
apiserver_audit_event_total 0
`;

describe('the metrics of a kubelet', () => {
  it('are read from its page', () => {
    const read = kubeletMetricsIn(page, now);

    expect(read).toEqual({
      value: {
        rssKb: 141_312,
        goroutines: 612,
        startedSecondsAgo: 3600,
        // In the last bucket: the highest bound that is known.
        plegRelistP99Seconds: 10,
        podWorkerP99Seconds: 1.9,
        evictionStatsAgeP99Seconds: null,
        runningContainers: 31,
        exitedContainers: 9,
        runningPods: 14,
        orphanedRuntimePods: 2,
        evictions: { 'memory.available': 3, 'nodefs.available': 1 },
        cgroupVersion: 2,
        notRead: {},
      },
    });
    if ('value' in read) expect(KubeletMetrics.parse(read.value)).toEqual(read.value);
  });

  it('that are not there are named, and are no zeros', () => {
    const read = kubeletMetricsIn('go_goroutines 1\n', now);

    expect(read).toMatchObject({
      value: {
        goroutines: 1,
        rssKb: null,
        runningContainers: null,
        exitedContainers: null,
        plegRelistP99Seconds: null,
        notRead: {
          rssKb: 'the kubelet has no process_resident_memory_bytes',
          plegRelistP99Seconds: 'the kubelet has no kubelet_pleg_relist_duration_seconds',
          exitedContainers: 'the kubelet has no kubelet_running_containers',
        },
      },
    });
  });

  it('of a kubelet that has no exited container are zero, where it counts containers at all', () => {
    const read = kubeletMetricsIn('kubelet_running_containers{container_state="running"} 3\n', now);
    expect(read).toMatchObject({ value: { runningContainers: 3, exitedContainers: 0 } });
  });

  it.each(['', '<html>Unauthorized</html>', 'up 1\n'])('are a gap where the page %j has none', (text) => {
    expect(kubeletMetricsIn(text, now)).toEqual({ gap: expect.stringContaining('none of the metrics') });
  });
});

describe('samples', () => {
  const all = () => true;

  it('have names, labels and values, whatever is escaped, spaced or dated', () => {
    const text = [
      'plain 1',
      'spaced{ a="1", b="2", } 2.5 1700000000000',
      'escaped{path="C:\\\\x\\n\\"y\\"",other="}"} 3\r',
      'infinite{le="+Inf"} +Inf',
      'small -1e-3',
    ].join('\n');

    expect(samplesIn(text, all)).toEqual([
      { name: 'plain', labels: {}, value: 1 },
      { name: 'spaced', labels: { a: '1', b: '2' }, value: 2.5 },
      { name: 'escaped', labels: { path: 'C:\\x\n"y"', other: '}' }, value: 3 },
      { name: 'infinite', labels: { le: '+Inf' }, value: Number.POSITIVE_INFINITY },
      { name: 'small', labels: {}, value: -0.001 },
    ]);
  });

  it.each(['nan NaN', 'words two', 'nothing', '{a="b"} 1', `long{a="${'x'.repeat(5000)}"} 1`])(
    'leave out a line like %.20s, and read on',
    (line) => {
      expect(samplesIn(`${line}\nafter 1\n`, all)).toEqual([{ name: 'after', labels: {}, value: 1 }]);
    },
  );

  it('are no more than can be held', () => {
    const text = 'x 1\n'.repeat(30_000);
    expect(samplesIn(text, all)).toHaveLength(20_000);
  });

  it('take no longer than their length, whatever the labels are', () => {
    const started = performance.now();
    const lines = `go_goroutines{${'a'.repeat(4000)}} 1\n`.repeat(1000);
    expect(samplesIn(lines, () => true)).toHaveLength(1000);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('of other metrics are not read', () => {
    expect(samplesIn('a 1\nab 2\n', (name) => name === 'a')).toEqual([{ name: 'a', labels: {}, value: 1 }]);
  });
});

describe('a quantile', () => {
  const of = (...buckets: [string, number][]) =>
    buckets.map(([le, value]) => ({ name: 'h_bucket', labels: { le }, value }));

  it('lies within its bucket, in proportion', () => {
    expect(histogramQuantile(0.5, of(['1', 0], ['3', 100], ['+Inf', 100]), 'h')).toBe(2);
    expect(histogramQuantile(0.5, of(['4', 100], ['+Inf', 100]), 'h')).toBe(2);
  });

  it('is the highest bound where it lies beyond it', () => {
    expect(histogramQuantile(0.99, of(['1', 10], ['10', 20], ['+Inf', 100]), 'h')).toBe(10);
  });

  it.each([
    ['nothing was counted', of(['1', 0], ['+Inf', 0])],
    ['there is no bucket of all', of(['1', 10])],
    ['there is only the bucket of all', of(['+Inf', 10])],
    ['there is no bucket', []],
  ])('is not known where %s', (_, buckets) => {
    expect(histogramQuantile(0.99, buckets, 'h')).toBeUndefined();
  });
});
