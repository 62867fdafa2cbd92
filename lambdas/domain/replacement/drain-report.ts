import { given } from '../around/read.ts';
import type { DrainReport, DrainSeen, DrainState } from './drain-state.ts';
import type { PodRef } from './pod-ref.ts';
import type { SortedPods } from './sort-pods.ts';

/** The names of this many pods and budgets say what the matter is. */
const mostNamed = 20;

export function nameOf({ namespace, name }: Pick<PodRef, 'namespace' | 'name'>): string {
  return given(`${namespace}/${name}`);
}

/** What held a drain up, pod by pod: what must not be evicted first, then what was refused, then what does not go. */
export function drainReport(
  why: string,
  {
    state,
    sorted,
    answers,
  }: { state: DrainState; sorted: SortedPods | undefined; answers: DrainSeen['answers'] },
): DrainReport {
  const stopped = answers.flatMap(({ pod, answer }) =>
    answer.is === 'stop' ? [{ pod: nameOf(pod), why: answer.says }] : [],
  );
  const blocked = (sorted?.blocked ?? []).map((pod) => ({ pod: nameOf(pod), why: pod.why }));
  const refused = Object.values(state.refused).map(({ pod, times, says }) => ({
    pod,
    why: `refused ${times === 1 ? 'once' : `${times} times`}: ${says}`,
  }));
  const leaving = (sorted?.leaving ?? []).map((pod) => ({
    pod: nameOf(pod),
    why: 'its end has begun, and it does not go: it takes longer than the deadline, or a finalizer holds it',
  }));
  const named = new Set([...stopped, ...blocked, ...refused, ...leaving].map(({ pod }) => pod));
  const others = (sorted?.evict ?? [])
    .map(nameOf)
    .filter((pod) => !named.has(pod))
    .map((pod) => ({ pod, why: 'it was not evicted' }));
  const all = [...stopped, ...blocked, ...refused, ...leaving, ...others];
  const budgets = Object.values(state.refused).flatMap(({ pod, budgets: names }) =>
    names.map((name) => `${pod.split('/')[0]}/${name}`),
  );
  return {
    why,
    budgets: [...new Set(budgets)].slice(0, mostNamed),
    pods: all.slice(0, mostNamed),
    morePods: Math.max(0, all.length - mostNamed),
    evicted: state.evicted,
  };
}

/** The report as a person reads it. */
export function drainReportText({ why, budgets, pods, morePods, evicted }: DrainReport): string {
  const lines = pods.map(({ pod, why: reason }) => `- ${pod}: ${reason}`);
  if (morePods > 0) lines.push(`- and ${morePods} more`);
  const moved = evicted === 0 ? 'No pod was evicted.' : `Pods evicted before that: ${evicted}.`;
  const held = budgets.length === 0 ? [] : [`Budgets that allow nothing: ${budgets.join(', ')}.`];
  return [`The node was not drained: ${why}. ${moved}`, ...held, ...lines].join('\n');
}
