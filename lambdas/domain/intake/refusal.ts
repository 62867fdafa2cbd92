import { printable } from '../printable.ts';

/** Why an alarm starts nothing. A short fixed list: each is a value of the dimension Reason of the metric AlarmsRefused. */
export const intakeReasons = [
  /** It is no JSON, or not of the shape that its source has. */
  'malformed',
  'oversized',
  'unknown-source',
  /** A source that may not write to the queue it came by. */
  'forged',
  /** Its time lies too far back, or ahead. */
  'stale',
  /** An alert without the label cgroup_medic, or one that is for people only. */
  'not-for-us',
  /** Somebody has muted or suppressed the alarm. */
  'muted',
  /** It sums up others, which come by events of their own. */
  'comes-apart',
  /** It names no node. */
  'no-node',
  /** It names a node that cannot be found, or that does not run. */
  'unknown-instance',
  'ambiguous-node',
  'unknown-cluster',
  /** The node belongs to another cluster than the alarm says. */
  'wrong-cluster',
  /** More alarms in one message than are taken. */
  'too-many',
] as const;
export type IntakeReason = (typeof intakeReasons)[number];

/** An alarm that starts nothing: a reason to count by, and a sentence for whoever looks for the alarm. */
export type Refusal = { reason: IntakeReason; sentence: string };

/** Longest sentence: what it quotes comes from elsewhere. */
const longest = 500;

export function refusal(reason: IntakeReason, sentence: string): Refusal {
  return { reason, sentence: printable(sentence.replace(/\s+/g, ' ')).slice(0, longest) };
}

/** A value from elsewhere, as a sentence quotes it. */
export function quoted(value: string): string {
  return `"${value.length > 100 ? `${value.slice(0, 99)}…` : value}"`;
}
