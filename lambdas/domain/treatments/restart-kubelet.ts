import type { Evidence } from '../evidence/evidence.ts';
import { kubeletRssKb, kubeletStartedSecondsAgo } from '../evidence/kubelet-figures.ts';
import { probeValue } from '../evidence/probe.ts';
import { type Diagnosed, noEvidence, type Treatment } from './treatment.ts';

/** One that was started this recently is left alone: it has leaked nothing yet, or is looking at every container anew. */
const leastUptimeSeconds = 3600;
/** What EKS reserves for Kubernetes on a node before it counts any pod: with less, a restart has nothing to give back. */
const leastRssKb = 255 * 1024;

/** Restarts the kubelet once and waits until it is healthy. The pods go on running; it begins to leak anew. */
export const restartKubelet: Treatment = {
  id: 'restart-kubelet',
  kind: 'document',
  document: 'restart-kubelet',
  risk: 'medium',
  disrupts: true,
  treats: ['kubelet-leak', 'kubelet-oom-cycle'],

  propose(evidence, { replacement }, diagnosis) {
    if (evidence === undefined) return noEvidence;
    const forbidden = whyNot(evidence, diagnosis);
    if (forbidden !== undefined) return { nothing: forbidden };
    const rssKb = kubeletRssKb(evidence);
    const startedAgo = kubeletStartedSecondsAgo(evidence);
    const holds =
      rssKb === undefined ? 'what it has leaked' : `what it has leaked (it holds ${mb(rssKb)} MB)`;
    const age =
      startedAgo === undefined
        ? `since when it runs was not seen; started less than ${leastUptimeSeconds} s ago, it is left alone`
        : `it was started ${startedAgo} s ago`;
    const cordons = replacement.enabled;
    const pods = cordons
      ? 'the node is cordoned from before it until it is Ready again'
      : 'the node is not cordoned by it, for nothing here may (replacement.enabled is false)';
    return {
      // What was cordoned is to settle soon, or be replaced.
      arguments: { minUptimeSeconds: String(leastUptimeSeconds), maxSeconds: cordons ? '120' : '300' },
      ...(cordons ? { cordons } : {}),
      reason: `a restart of the kubelet gives back ${holds}; ${age}. The pods go on running, and for some 30 to 90 s nobody starts or checks any; ${pods}. The leak begins anew`,
      expects: {
        text: 'half of its memory at the most, and no growth that shows within the window',
        signal: 'kubeletRssKb',
        ...(rssKb === undefined ? {} : { atMost: Math.round(rssKb / 2) }),
      },
    };
  },
};

/** What the findings say against it. An OOM cycle is broken only before the next kill, never by one more start. */
function whyNot(evidence: Evidence, { cause, variant }: Diagnosed): string | undefined {
  if (cause === 'kubelet-oom-cycle' && variant !== 'climbing') {
    return 'the kubelet has been killed already: one more start begins the cycle anew';
  }
  const startedAgo = kubeletStartedSecondsAgo(evidence);
  if (startedAgo !== undefined && startedAgo < leastUptimeSeconds) {
    return `the kubelet was started ${startedAgo} s ago, and one younger than ${leastUptimeSeconds} s is left alone`;
  }
  const rssKb = kubeletRssKb(evidence);
  if (rssKb !== undefined && rssKb < leastRssKb) {
    return `the kubelet holds ${mb(rssKb)} MB: too little for a restart to give anything back`;
  }
  // Somebody has stopped it, or systemd is starting it already.
  const active = probeValue(evidence.probes.kubelet)?.active ?? 'active';
  return active === 'active' || active === 'failed'
    ? undefined
    : `systemd says that the kubelet is ${active}: somebody has stopped it, or it is being started`;
}

function mb(kb: number): number {
  return Math.round(kb / 1024);
}
