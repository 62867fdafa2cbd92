import type * as z from 'zod';
import { manyRestarts } from '../evidence/agents.ts';
import type { PodStatus } from '../evidence/node-status.ts';
import { coveredSeconds, isAbout, secondsAgo } from './events.ts';
import {
  type ContainerStatus,
  isOver,
  type KubernetesEvent,
  type Pod,
  type PodCertificateRequest,
  secondsSince,
} from './kubernetes.ts';
import { kibOf, quantity } from './quantity.ts';
import { given, notReadOf, type Read } from './read.ts';

const most = { oomKilled: 20, agents: 40 };

export type PodParts = {
  pods: Pod[];
  /** That these are not all of them. */
  partial?: string | undefined;
  /** Warnings about pods. */
  warnings: Read<KubernetesEvent[]>;
  /** That a kubelet stops a container. */
  killings: Read<KubernetesEvent[]>;
  certificateRequests: Read<PodCertificateRequest[]>;
};

/** What has happened to the pods of a node. Starts and ends are at least so many: what left no trace is in no list. */
export function podStatusOf(
  { pods, partial, warnings, killings, certificateRequests }: PodParts,
  node: string,
  now: Date,
): z.infer<typeof PodStatus> {
  const recent = (seconds: number | null): boolean => seconds !== null && seconds <= coveredSeconds;
  const uids = new Set(pods.map(({ metadata }) => metadata.uid));
  const about = (events: Read<KubernetesEvent[]>, reason: string): Set<string> =>
    new Set(
      ('gap' in events ? [] : events.value)
        .filter((event) => event.reason === reason && isAbout(event, node, uids))
        .filter((event) => (secondsAgo(event, now) ?? 0) <= coveredSeconds)
        .map(({ involvedObject }) => involvedObject.uid),
    );
  const staying = new Set(
    pods
      .filter((pod) => !isOver(pod) && pod.metadata.deletionTimestamp == null)
      .map(({ metadata }) => metadata.uid),
  );
  const ended = new Set([...about(killings, 'Killing')].filter((uid) => !staying.has(uid)));
  const evicted = about(warnings, 'Evicted');
  for (const pod of pods) {
    if (!isOver(pod)) continue;
    if (recent(endedAgo(pod, now))) ended.add(pod.metadata.uid);
    if (pod.status.reason === 'Evicted' && (endedAgo(pod, now) ?? 0) <= coveredSeconds)
      evicted.add(pod.metadata.uid);
  }
  const containers = pods.flatMap((pod) => containersOf(pod).map((container) => ({ pod, container })));
  const oomKilled = containers
    .flatMap(({ pod, container }) => oomKillOf(pod, container, now))
    .sort((a, b) => b.restarts - a.restarts);
  const agents = containers
    .filter(({ pod }) => !isOver(pod))
    .map(({ pod, container }) => ({
      ...placeOf(pod, container),
      daemonSet: ownerOf(pod)?.kind === 'DaemonSet',
      restarts: container.restartCount,
      waiting: waitingFor(container),
      memoryKb: null,
    }))
    .filter(({ daemonSet, restarts }) => daemonSet || restarts >= manyRestarts)
    .sort((a, b) => b.restarts - a.restarts);
  const leftOut = (name: keyof typeof most, length: number) =>
    length > most[name] ? { [name]: { gap: `${length - most[name]} of ${length} are left out` } } : {};
  const pending = 'gap' in certificateRequests ? null : certificateRequests.value.filter(isOpen(node)).length;
  return {
    coveredSeconds,
    started: pods.filter(({ status }) => recent(secondsSince(status.startTime, now))).length,
    ended: 'gap' in killings ? null : ended.size,
    evicted: evicted.size,
    oomKilled: oomKilled.slice(0, most.oomKilled),
    agents: agents.slice(0, most.agents),
    certificateRequestsPending: pending,
    notRead: notReadOf({
      ...(partial === undefined ? {} : { pods: { gap: partial } }),
      ended: killings,
      // Evicted pods that are in the list are counted without them.
      evicted: warnings,
      certificateRequestsPending: certificateRequests,
      ...leftOut('oomKilled', oomKilled.length),
      ...leftOut('agents', agents.length),
    }),
  };
}

function containersOf({ status }: Pod): ContainerStatus[] {
  return [...status.containerStatuses, ...status.initContainerStatuses];
}

function placeOf(pod: Pod, { name }: ContainerStatus) {
  return {
    pod: given(`${pod.metadata.namespace}/${pod.metadata.name}`),
    container: given(name),
    owner: ownerOf(pod),
  };
}

function waitingFor({ state }: ContainerStatus): string | null {
  const reason = state.waiting?.reason;
  return reason == null ? null : given(reason);
}

function ownerOf({ metadata }: Pod): { kind: string; name: string } | null {
  const owner = metadata.ownerReferences.find(({ controller }) => controller);
  return owner === undefined ? null : { kind: given(owner.kind), name: given(owner.name) };
}

function oomKillOf(pod: Pod, container: ContainerStatus, now: Date) {
  const end = [container.state.terminated, container.lastState.terminated].find(
    (ended) => ended?.reason === 'OOMKilled',
  );
  if (end === undefined) return [];
  const { spec } = pod;
  const limits = [...spec.containers, ...spec.initContainers].find(({ name }) => name === container.name);
  const limit = quantity(limits?.resources.limits.memory);
  return [
    {
      ...placeOf(pod, container),
      restarts: container.restartCount,
      limitKb: limit === undefined ? null : kibOf(limit),
      secondsAgo: secondsSince(end.finishedAt, now),
    },
  ];
}

/** Seconds since the last container of a pod that is over ended; for one that never ran, since it was started. */
function endedAgo(pod: Pod, now: Date): number | null {
  const ends = containersOf(pod).flatMap(
    ({ state }) => secondsSince(state.terminated?.finishedAt, now) ?? [],
  );
  return ends.length > 0 ? Math.min(...ends) : secondsSince(pod.status.startTime, now);
}

/** Nobody has issued, denied or failed it. */
function isOpen(node: string) {
  return ({ spec, status }: PodCertificateRequest): boolean =>
    spec.nodeName === node &&
    !status.conditions.some(
      ({ type, status: held }) => held === 'True' && ['Issued', 'Denied', 'Failed'].includes(type),
    );
}
