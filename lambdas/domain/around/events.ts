import type * as z from 'zod';
import type { NodeEvents } from '../evidence/node-status.ts';
import { printable } from '../printable.ts';
import { type KubernetesEvent, type Pod, secondsSince } from './kubernetes.ts';
import { given, notReadOf, type Read } from './read.ts';

/** How far back events are counted. EKS keeps them for an hour. */
export const coveredSeconds = 3600;

const mostReasons = 30;
const longestSample = 300;

/** Whether an event is about this node or about a pod on it: by the reporter, for a pod that is gone is in no list. */
export function isAbout(event: KubernetesEvent, node: string, pods: ReadonlySet<string>): boolean {
  const { kind, name, uid } = event.involvedObject;
  if (kind === 'Node') return name === node;
  if (kind !== 'Pod') return false;
  return event.source?.host === node || event.reportingInstance === node || pods.has(uid);
}

export function secondsAgo(event: KubernetesEvent, now: Date): number | null {
  const { series, lastTimestamp, eventTime, metadata } = event;
  return secondsSince(
    series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp,
    now,
  );
}

export type EventParts = {
  ofNode: KubernetesEvent[];
  /** That these are not all of them. */
  partial?: string | undefined;
  /** Warnings about pods, wherever they are. */
  ofPods: Read<KubernetesEvent[]>;
  /** The pods that are on the node now. */
  pods: readonly Pod[];
};

/** The events of the last hour about the node and its pods, by reason. One without a time counts: it has not expired yet. */
export function nodeEventsOf(
  { ofNode, ofPods, pods, partial }: EventParts,
  node: string,
  now: Date,
): z.infer<typeof NodeEvents> {
  const uids = new Set(pods.map(({ metadata }) => metadata.uid));
  const events = [...ofNode, ...('gap' in ofPods ? [] : ofPods.value)].filter(
    (event) => isAbout(event, node, uids) && (secondsAgo(event, now) ?? 0) <= coveredSeconds,
  );
  const reasons = [...Map.groupBy(events, ({ reason }) => reason ?? 'without a reason')]
    .map(([reason, group]) => {
      const [latest] = group.toSorted((a, b) => (secondsAgo(a, now) ?? 0) - (secondsAgo(b, now) ?? 0));
      return {
        reason: given(reason),
        count: timesOf(group),
        lastSecondsAgo: latest === undefined ? null : secondsAgo(latest, now),
        sample: latest?.message ? printable(latest.message).slice(0, longestSample) : null,
      };
    })
    .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
  const sandbox = (pattern: RegExp): number =>
    timesOf(
      events.filter(
        ({ reason, message }) => reason === 'FailedCreatePodSandBox' && pattern.test(message ?? ''),
      ),
    );
  const omitted = reasons.length - mostReasons;
  return {
    coveredSeconds,
    reasons: reasons.slice(0, mostReasons),
    sandboxNoSpace: sandbox(/no space left on device/i),
    sandboxNoMemory: sandbox(/cannot allocate memory/i),
    notRead: notReadOf({
      ...(partial === undefined ? {} : { ofNode: { gap: partial } }),
      ofPods,
      ...(omitted > 0 ? { reasons: { gap: `${omitted} of ${reasons.length} reasons are left out` } } : {}),
    }),
  };
}

/** One event stands for as many as it counts. */
function timesOf(events: readonly KubernetesEvent[]): number {
  return events.reduce((sum, { series, count }) => sum + Math.max(1, series?.count ?? count ?? 1), 0);
}
