import * as z from 'zod';
import type { Evidence } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import { LookAgain } from '../look-again.ts';
import type { Thresholds } from '../thresholds.ts';
import { signals } from '../verification/signals.ts';
import { sampleOf } from '../verification.ts';
import { InstanceId } from './node.ts';

/** A provisional cure that has still to be looked at, and the incident that it closed. */
export const DueLook = LookAgain.extend({ incident: z.string().max(100) });
export type DueLook = z.infer<typeof DueLook>;

/**
 * held: it is still well. came-back: it is not. unseen: a quick look does not tell this figure. restarted: the node was
 * started again since, so that what it shows now says nothing of the cure.
 */
export const SecondLook = z.object({
  instanceId: InstanceId,
  due: DueLook,
  result: z.enum(['held', 'came-back', 'unseen', 'restarted']),
  reason: z.string().max(300),
});
export type SecondLook = z.infer<typeof SecondLook>;

/** More second looks than this wait for the next run: they travel in a message, and people read what they come to. */
export const mostSecondLooks = 25;
/** A node that does not answer is waited for so long after its second look was due. */
export const waitsForSilentMs = 86_400_000;

/** The day between the cure and the look at it (look-again.ts). */
const dayMs = 86_400_000;

/** What a quick look says of a provisional cure: by its level, and by how much it rose since. */
export function judgeAgain(
  due: DueLook,
  evidence: Evidence,
  thresholds: Thresholds,
): Pick<SecondLook, 'result' | 'reason'> {
  const now = Date.parse(evidence.collectedAt);
  const { signal, level } = due;
  const { fact, better, healthy, growth } = signals[signal];
  const hours = Math.max(1, (now - (Date.parse(due.at) - dayMs)) / 3_600_000);
  const uptime = probeValue(evidence.probes.host)?.uptimeSeconds;
  if (uptime != null && uptime < hours * 3600) {
    return { result: 'restarted', reason: `the node was started again ${uptime} s ago` };
  }
  const value = sampleOf(evidence, new Date(now))[signal];
  if (value === null) return { result: 'unseen', reason: `a quick look does not tell the ${fact}` };
  const limit = (better === 'less' ? due.atMost : due.atLeast) ?? healthy(thresholds, level ?? value);
  if (better === 'less' ? value > limit : value < limit) {
    const side = better === 'less' ? 'at most' : 'at least';
    return { result: 'came-back', reason: `${value} ${fact}, where ${side} ${limit} was healthy` };
  }
  const rose = level === null ? 0 : value - level;
  const may = growth === undefined ? undefined : growth.perHour(thresholds) * hours;
  if (growth !== undefined && may !== undefined && rose > Math.max(may, growth.noise)) {
    return {
      result: 'came-back',
      reason: `${value} ${fact}, ${rose} more than after the treatment, where ${Math.round(may)} more would be healthy (${growth.source})`,
    };
  }
  return { result: 'held', reason: `${value} ${fact}` };
}

/** For the person who is told. */
export function secondLookMessage(
  cluster: string,
  { instanceId, due, reason }: Pick<SecondLook, 'instanceId' | 'due' | 'reason'>,
): { title: string; text: string } {
  return {
    title: `${instanceId} in ${cluster}: the cure of ${due.cause} by ${due.treatment} is in doubt`,
    text: [
      `Incident ${due.incident} closed as cured, provisionally. The census has looked again, a day later: ${reason}.`,
      'What makes it is still there, or nobody knows. Nothing was done now: the next incident of this node will examine it.',
      `The audit trail of incident ${due.incident} has what was found and done then.`,
    ].join('\n'),
  };
}
