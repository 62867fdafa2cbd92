import type { Evidence } from './evidence.ts';
import { probeValue } from './probe.ts';

/**
 * Figures that more than one probe tells. Of two numbers the one that weighs more against the node is taken, so that
 * losing a probe never makes it look worse; of two versions the node's own is named, and a rule for which a version
 * speaks takes any of the two, for the same reason.
 */

/** Resident memory of the kubelet, in KiB. */
export function kubeletRssKb(evidence: Evidence): number | undefined {
  return most([
    probeValue(evidence.probes.kubelet)?.rssKb,
    probeValue(evidence.probes.kubeletMetrics)?.rssKb,
  ]);
}

export function kubeletStartedSecondsAgo(evidence: Evidence): number | undefined {
  const seen = [
    probeValue(evidence.probes.kubelet)?.startedSecondsAgo,
    probeValue(evidence.probes.kubeletMetrics)?.startedSecondsAgo,
  ].filter((seconds) => seconds != null);
  return seen.length === 0 ? undefined : Math.min(...seen);
}

export function kubeletVersion(evidence: Evidence): string | undefined {
  return kubeletVersions(evidence)[0];
}

/** As every probe tells it, the node's own first. */
export function kubeletVersions(evidence: Evidence): string[] {
  return known(
    probeValue(evidence.probes.kubelet)?.version,
    probeValue(evidence.probes.nodeStatus)?.kubeletVersion,
  );
}

export function kernelVersion(evidence: Evidence): string | undefined {
  return kernelVersions(evidence)[0];
}

/** As every probe tells it, the node's own first. */
export function kernelVersions(evidence: Evidence): string[] {
  return known(
    probeValue(evidence.probes.host)?.kernel,
    probeValue(evidence.probes.nodeStatus)?.kernelVersion,
  );
}

/** Which cgroup version owns the memory controller. */
export function cgroupVersion(evidence: Evidence): 1 | 2 | undefined {
  return cgroupVersions(evidence)[0];
}

/** As every probe tells it, the node's own first. */
export function cgroupVersions(evidence: Evidence): (1 | 2)[] {
  const seen = probeValue(evidence.probes.hierarchy)?.memory;
  return known(
    seen === undefined ? undefined : seen === 'v1' ? 1 : 2,
    probeValue(evidence.probes.kubeletMetrics)?.cgroupVersion,
  );
}

/** Whether a feature gate of the kubelet is switched on by its configuration; `undefined` where that was not read. */
export function gateIsOn(evidence: Evidence, gate: string): boolean | undefined {
  const gates = probeValue(evidence.probes.kubelet)?.config?.featureGates;
  return gates == null ? undefined : gates[gate] === 'true';
}

export function exitedContainers(evidence: Evidence): number | undefined {
  return most(counts(evidence).map(({ exited }) => exited));
}

/** Exited containers for each running one. */
export function exitedPerRunning(evidence: Evidence): number | undefined {
  return most(
    counts(evidence).map(({ exited, running }) =>
      exited == null || running == null ? undefined : exited / Math.max(1, running),
    ),
  );
}

function counts(evidence: Evidence) {
  const runtime = probeValue(evidence.probes.containers);
  const metrics = probeValue(evidence.probes.kubeletMetrics);
  return [
    { exited: runtime?.exited, running: runtime?.running },
    { exited: metrics?.exitedContainers, running: metrics?.runningContainers },
  ];
}

function most(values: (number | null | undefined)[]): number | undefined {
  const seen = values.filter((value) => value != null);
  return seen.length === 0 ? undefined : Math.max(...seen);
}

function known<T>(...values: (T | null | undefined)[]): T[] {
  return values.filter((value) => value != null);
}
