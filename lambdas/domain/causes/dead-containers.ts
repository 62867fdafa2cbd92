import type { Evidence } from '../evidence/evidence.ts';
import { exitedContainers, exitedPerRunning } from '../evidence/kubelet-figures.ts';
import { probeValue } from '../evidence/probe.ts';
import type { Thresholds } from '../thresholds.ts';
import type { Cause, Finding, Prevention } from './cause.ts';
import { gather } from './gather.ts';
import { where } from './where.ts';

/** Below this many exited ones their ratio to the running says nothing: a few Jobs on an empty node have any ratio. */
const leastForRatio = 50;

const exitedFact = 'exited containers';
const ratioFact = 'exited containers for each running one';
const sandboxFact = 'sandboxes that are not ready';
const tooLargeFact = 'lists of the runtime that were too large for the kubelet';

/** From how many on exited containers are too many on a node with so many running ones. */
export function exitedLimit(running: number | null, thresholds: Thresholds): number {
  if (running === null) return thresholds.exitedContainers;
  const byRatio = Math.ceil(thresholds.exitedPerRunning * Math.max(1, running));
  return Math.min(thresholds.exitedContainers, Math.max(leastForRatio, byRatio));
}

/** What a kubelet, or an event about its node, says when the runtime’s answer has passed the limit of gRPC. */
const tooLarge = /larger than max|Unable to retrieve pods/i;

/** Containers and sandboxes that are over and that nobody has removed: every list of the runtime carries them all. */
export const deadContainers: Cause<'dead-containers'> = {
  id: 'dead-containers',
  title: 'Exited containers and dead sandboxes pile up until the runtime’s lists are too long.',
  seen: 'At least exitedContainers exited containers or sandboxes that are not ready, exitedPerRunning exited for each running one, or a list of the runtime that was too large for gRPC.',
  excludedBy: 'Containers and sandboxes were counted, and there are fewer.',
  // With each container that is listed the kubelet’s memory grows.
  explains: ['kubelet-leak'],

  judge(evidence, thresholds) {
    const { findings, atLeast } = gather(thresholds);
    const exited = exitedContainers(evidence);
    const sandboxes = probeValue(evidence.probes.containers)?.sandboxesNotReady ?? undefined;
    const lists = atLeast({
      fact: tooLargeFact,
      value: listsTooLarge(evidence),
      threshold: 1,
      weight: 0.8,
      source: 'journal or events, "received message larger than max": 16 MiB in gRPC (kubernetes#131407)',
    });
    const byNumber = atLeast({
      fact: exitedFact,
      value: exited,
      threshold: 'exitedContainers',
      weight: 0.6,
      source: 'crictl ps -a, kubelet_running_containers',
    });
    const byRatio =
      exited !== undefined && exited >= leastForRatio
        ? atLeast({
            fact: ratioFact,
            value: exitedPerRunning(evidence),
            threshold: 'exitedPerRunning',
            weight: 0.5,
            source: `from ${leastForRatio} exited on`,
          })
        : undefined;
    const bySandboxes = atLeast({
      fact: sandboxFact,
      value: sandboxes,
      threshold: 'exitedContainers',
      weight: 0.6,
      source: 'crictl pods; listed just like exited containers',
    });
    if (!lists && !byNumber && !byRatio && !bySandboxes) {
      const needs = [
        ...(exited === undefined ? ['containers'] : []),
        ...(exited !== undefined && sandboxes === undefined ? ['containers.sandboxes'] : []),
      ];
      return needs.length > 0
        ? { result: 'insufficient-evidence', needs, findings }
        : { result: 'excluded', findings };
    }
    atLeast({
      fact: 'relist of the pod lifecycle generator, 99th percentile in seconds',
      value: probeValue(evidence.probes.kubeletMetrics)?.plegRelistP99Seconds,
      threshold: 'plegRelistSeconds',
      weight: 0.3,
      source: 'kubelet_pleg_relist_duration_seconds',
    });
    return { result: 'matches', findings };
  },

  explain(findings) {
    const value = (fact: string) => findings.find((finding) => finding.fact === fact)?.value;
    const exited = value(exitedFact);
    const ratio = value(ratioFact);
    const sandboxes = value(sandboxFact);
    const lists = value(tooLargeFact);
    return [
      exited === undefined
        ? 'Dead containers or sandboxes have piled up on this node; how many was not seen'
        : `${exited} exited containers are on this node`,
      ratio === undefined ? '' : `, ${ratio} for each one that runs`,
      sandboxes === undefined ? '.' : `, and ${sandboxes} sandboxes that are not ready.`,
      ' Nobody has removed them, and every relist of the kubelet carries them all.',
      lists === undefined || lists === 0
        ? ' With some thousands the list passes the 16 MiB that gRPC lets through.'
        : ` The list has passed the 16 MiB that gRPC lets through (seen ${lists === 1 ? 'once' : `${lists} times`}): the kubelet does not see its pods any more, and neither does crictl.`,
      ' Removing exited containers leaves the newest of each and touches no running one; it does not remove dead sandboxes.',
    ].join('');
  },

  untreated:
    'Relists get slower with each until the list is too large for the kubelet: then it sees none of its pods, the node goes NotReady, and addresses of dead sandboxes run out.',

  prevent: preventions,
};

/** How often a list was refused for its size, where anybody would have said so. */
function listsTooLarge(evidence: Evidence): number | undefined {
  const inJournal = probeValue(evidence.probes.kubelet)?.journal?.listTooLarge ?? undefined;
  const events = probeValue(evidence.probes.nodeEvents)?.reasons;
  const told = (events ?? []).filter(({ sample }) => tooLarge.test(sample ?? ''));
  const inEvents = told.reduce((sum, { count }) => sum + count, 0);
  // Events about it are seldom: none of them is no answer.
  return inEvents > 0 ? Math.max(inEvents, inJournal ?? 0) : inJournal;
}

function preventions(_: Evidence, findings: Finding[]): Prevention[] {
  const found = (fact: string) =>
    findings.find((finding) => finding.fact === fact && finding.speaks === 'for');
  const dead = found(exitedFact) ?? found(ratioFact);
  const pods = found(sandboxFact) ?? found(tooLargeFact);
  const because = ({ fact, value }: Finding): string => `${fact}: ${value}`;
  return [
    ...(dead === undefined
      ? []
      : [
          {
            what: '--maximum-dead-containers=100 and --maximum-dead-containers-per-container=1: the kubelet has no limit of its own by default',
            where: where.kubeletFlags,
            because: because(dead),
          },
        ]),
    ...(pods === undefined
      ? []
      : [
          {
            what: 'ttlSecondsAfterFinished on Jobs, successfulJobsHistoryLimit and failedJobsHistoryLimit of 1 on CronJobs, and fewer of those that start every minute',
            where: 'the manifests of the Jobs and CronJobs whose pods run on this node',
            because: because(pods),
          },
        ]),
  ];
}
