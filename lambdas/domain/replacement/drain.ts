import { choosePods } from './choose-pods.ts';
import { drainReport, nameOf } from './drain-report.ts';
import type { DrainEnd, DrainNext, DrainSeen, DrainState } from './drain-state.ts';
import type { PodOnNode } from './objects.ts';
import type { Relief } from './relief.ts';
import { type PodPolicy, type SortedPods, sortPods } from './sort-pods.ts';

/** `kubectl drain` asks a budget again every five seconds; here the wait doubles while nothing moves. */
const firstWaitSeconds = 5;
const longestWaitSeconds = 60;
/** Evictions of one step: each is one short call, and a function has half a minute for all of them. */
export const mostAtOnce = 20;
/** Refusals that the state of the incident holds: some 16 kB of it at the most. */
const mostRemembered = 50;
const longestWords = 160;

/**
 * @param cordonedByUs whether the cordon of the node is this incident's, and so to be taken back by it
 * @param relief where not all pods are to go
 */
export function startDrain(
  {
    cordonedByUs,
    drainMinutes,
    relief,
  }: { cordonedByUs: boolean; drainMinutes: number; relief?: Relief | undefined },
  now: Date,
): DrainState {
  return {
    cordonedByUs,
    deadline: new Date(now.getTime() + drainMinutes * 60_000).toISOString(),
    waitSeconds: firstWaitSeconds,
    left: null,
    evicted: 0,
    refused: {},
    end: null,
    ...(relief === undefined ? {} : { relief: { pods: relief.pods, most: relief.most, chosen: null } }),
  };
}

/**
 * One step of a drain: what to do next, from what was seen. It may be asked twice with the same, and after any crash:
 * evictions that were made already show in the pods that are left. Once ended it stays so.
 */
export function drainStep(
  known: DrainState,
  seen: DrainSeen,
  { policy, now }: { policy: PodPolicy; now: Date },
): { state: DrainState; next: DrainNext } {
  if (known.end !== null) return { state: known, next: { do: 'end', end: known.end } };
  const before = choose(known, seen, policy);
  const sorted = wholeList(seen, policy, before.relief);
  const state = remember(before, seen, sorted);
  const end = (ending: DrainEnd) => ({
    state: { ...state, end: ending },
    next: { do: 'end', end: ending } as const,
  });
  const giveUp = (why: string) =>
    end({
      is: 'gave-up',
      uncordon: state.cordonedByUs,
      report: drainReport(why, { state, sorted, answers: seen.answers }),
    });
  const remaining = Math.floor((Date.parse(state.deadline) - now.getTime()) / 1000);
  const seconds = Math.max(1, Math.min(state.waitSeconds, remaining));

  if (seen.cordon === 'node-gone') return end({ is: 'gone' });
  const lost = whatBecameOfTheCordon(state, seen);
  if (lost !== undefined) return giveUp(lost);
  if (sorted !== undefined && leftOf(sorted) + sorted.blocked.length === 0) return end({ is: 'done' });
  const stop = seen.answers.find(({ answer }) => answer.is === 'stop');
  if (stop?.answer.is === 'stop') return giveUp(`${nameOf(stop.pod)} cannot be evicted: ${stop.answer.says}`);
  if (sorted !== undefined && sorted.blocked.length > 0) {
    return giveUp(`${pods(sorted.blocked.length)} of the node must not be evicted`);
  }
  if (remaining <= 0) {
    return giveUp(
      sorted === undefined
        ? `at the deadline the pods of the node could not be read: ${gapOf(seen)}`
        : `at the deadline ${pods(leftOf(sorted))} of the node had not gone`,
    );
  }
  if (sorted === undefined) return { state, next: { do: 'wait', seconds, why: gapOf(seen) } };
  if (sorted.evict.length === 0) {
    return { state, next: { do: 'wait', seconds, why: `${pods(sorted.leaving.length)} on the way out` } };
  }
  return { state, next: { do: 'evict', pods: leastRefused(sorted, state), thenSeconds: seconds } };
}

/** All pods of the node; `undefined` where not all of them were read. */
function allOf({ cordon, pods: read }: DrainSeen): readonly PodOnNode[] | undefined {
  return cordon === 'unknown' || 'gap' in read || read.partial !== undefined ? undefined : read.value;
}

/** Says once, of a drain of some pods only, which they are. */
function choose(state: DrainState, seen: DrainSeen, policy: PodPolicy): DrainState {
  const { relief } = state;
  const all = allOf(seen);
  if (relief === undefined || relief.chosen !== null || all === undefined) return state;
  return { ...state, relief: { ...relief, chosen: choosePods(all, policy, relief) } };
}

/** The pods that the drain is about, sorted; `undefined` where not all pods of the node were read. */
function wholeList(seen: DrainSeen, policy: PodPolicy, relief: DrainState['relief']): SortedPods | undefined {
  const all = allOf(seen);
  if (all === undefined || relief === undefined) return all && sortPods(all, policy);
  const { chosen } = relief;
  if (chosen === null) return undefined;
  return sortPods(
    all.filter(({ metadata }) => chosen.includes(metadata.uid)),
    policy,
  );
}

function gapOf({ pods: read }: DrainSeen): string {
  return 'gap' in read ? read.gap : (read.partial ?? 'the node could not be read');
}

/** A cordon that is no longer what it was is somebody's decision, and pods that go would come back. */
function whatBecameOfTheCordon({ cordonedByUs }: DrainState, { cordon }: DrainSeen): string | undefined {
  switch (cordon) {
    case 'ours':
    case 'unknown':
      return undefined;
    case 'foreign':
      return cordonedByUs ? 'somebody else has taken over the cordon of the node' : undefined;
    case 'another':
      return 'another incident has taken over the cordon of the node';
    default:
      return 'somebody has uncordoned the node in the meantime';
  }
}

/** The state after what was seen. What moves is asked again soon; what does not, less and less often. */
function remember(before: DrainState, { answers }: DrainSeen, sorted: SortedPods | undefined): DrainState {
  const refused = { ...before.refused };
  let evicted = before.evicted;
  let asked = 0;
  for (const { pod, answer } of answers) {
    if (answer.is === 'going') evicted += 1;
    if (answer.is !== 'refused') continue;
    const { budgets, says, retrySeconds = 0 } = answer;
    const times = (refused[pod.uid]?.times ?? 0) + 1;
    refused[pod.uid] = { pod: nameOf(pod), times, budgets, says: says.slice(0, longestWords) };
    asked = Math.max(asked, retrySeconds);
  }
  if (sorted !== undefined) {
    // What has gone holds nothing up any more.
    const still = new Set([...sorted.evict, ...sorted.blocked].map(({ uid }) => uid));
    for (const uid of Object.keys(refused)) if (!still.has(uid)) delete refused[uid];
  }
  const left = sorted === undefined ? before.left : leftOf(sorted);
  const moves = evicted > before.evicted || (left !== null && before.left !== null && left < before.left);
  const first = before.left === null && answers.length === 0;
  const wait = moves || first ? firstWaitSeconds : before.waitSeconds * 2;
  return {
    ...before,
    refused: mostRefused(refused),
    evicted,
    left,
    waitSeconds: Math.min(longestWaitSeconds, Math.max(wait, asked)),
  };
}

/** Those that were refused least come first: a budget that allows nothing must not keep the others from being asked. */
function leastRefused({ evict }: SortedPods, { refused }: DrainState) {
  const times = (uid: string): number => refused[uid]?.times ?? 0;
  return evict.toSorted((a, b) => times(a.uid) - times(b.uid)).slice(0, mostAtOnce);
}

function mostRefused(refused: DrainState['refused']): DrainState['refused'] {
  const all = Object.entries(refused).toSorted(([, a], [, b]) => b.times - a.times);
  return Object.fromEntries(all.slice(0, mostRemembered));
}

function leftOf({ evict, leaving }: SortedPods): number {
  return evict.length + leaving.length;
}

function pods(count: number): string {
  return count === 1 ? '1 pod' : `${count} pods`;
}
