import { createHash } from 'node:crypto';
import * as z from 'zod';
import { Outcome } from '../incident-state.ts';
import type { RollSettings } from '../settings/roll.ts';
import { needyOutcomes } from './needy.ts';

/** Incidents that are known by name at once. Of more, the oldest are only counted, and the item stays below 100 KB. */
const mostKnown = 3000;
/** Nodes that need a person and are known by name; the audit knows all. */
const mostNeedy = 100;

/** An incident, in few bytes: the item holds many. */
const Key = z.string().length(10);
/** As many as the settings allow at most. */
const Singly = z.array(Key).max(100);

const Needy = z.object({ instanceId: z.string().max(30), outcome: Outcome });
export type Needy = z.infer<typeof Needy>;

/** The incidents of one cause in one cluster that belong together in time, and what people were told of them. */
export const Roll = z.object({
  version: z.literal(1),
  /** When the first of them came; `null` where there was none yet. */
  since: z.iso.datetime().nullable(),
  /** When the last of them came or went. */
  movedAt: z.iso.datetime().nullable(),
  open: z.array(Key).max(mostKnown),
  closed: z.array(Key).max(mostKnown),
  closings: z.int().nonnegative(),
  outcomes: z.partialRecord(Outcome, z.int().positive()),
  /** How many of them need a person, and which, as far as they are known. */
  needed: z.int().nonnegative(),
  needy: z.array(Needy).max(mostNeedy),
  /** Who was told of by themselves, by the kind of message. */
  singly: z.object({ progress: Singly, call: Singly, closing: Singly }),
  /** Closings that nobody was told of yet, and whether one of them needs a person. */
  untold: z.int().nonnegative(),
  untoldNeedy: z.boolean(),
  /** The incident that had to tell the last summary when it closed or left, at how many closings, and when. */
  summary: z.object({ by: Key, closings: z.int(), at: z.iso.datetime() }).nullable(),
});
export type Roll = z.infer<typeof Roll>;

export const emptyRoll: Roll = {
  version: 1,
  since: null,
  movedAt: null,
  open: [],
  closed: [],
  closings: 0,
  outcomes: {},
  needed: 0,
  needy: [],
  singly: { progress: [], call: [], closing: [] },
  untold: 0,
  untoldNeedy: false,
  summary: null,
};

export type Closing = {
  incident: string;
  instanceId: string;
  outcome: Outcome;
  /** Its ladder has called a person, however it ended. */
  called: boolean;
};
/** How people are told of a closing: by itself, in a summary that is sent now, or in one that comes later. */
export type Told = 'singly' | 'summary' | 'later';

export function keyOf(incident: string): string {
  return createHash('sha256').update(incident).digest('base64url').slice(0, 10);
}

/** The roll with this incident open in it. */
export function withOpen(roll: Roll, incident: string, settings: RollSettings, now: Date): Roll {
  const present = presentRoll(roll, settings, now);
  const key = keyOf(incident);
  // A closing that is repeated must not open it again, nor a second diagnosis count it twice.
  if (present.open.includes(key) || present.closed.includes(key)) return present;
  return moved(present, now, { open: [...present.open, key].slice(-mostKnown) });
}

/**
 * The roll without an incident that belongs to another cause, and whether people are told in a summary: where it was the last open
 * one, nothing else would tell of those that closed. One that leaves again tells again.
 */
export function withoutOpen(roll: Roll, incident: string, now: Date): { roll: Roll; told: boolean } {
  const key = keyOf(incident);
  if (!roll.open.includes(key)) return { roll, told: roll.summary?.by === key };
  const left = { ...roll, open: roll.open.filter((one) => one !== key) };
  if (left.untold === 0 || !summaryIsDue(left, now)) return { roll: left, told: false };
  return { roll: summarized(left, key, now), told: true };
}

/** Whether this incident may send messages of that kind by itself, and the roll that remembers it. */
export function withSingly(
  roll: Roll,
  kind: keyof Roll['singly'],
  incident: string,
  settings: RollSettings,
  now: Date,
): { roll: Roll; told: boolean } {
  const present = presentRoll(roll, settings, now);
  const key = keyOf(incident);
  if (present.singly[kind].includes(key)) return { roll: present, told: true };
  if (present.singly[kind].length >= settings.singly) return { roll: present, told: false };
  const singly = { ...present.singly, [kind]: [...present.singly[kind], key] };
  return { roll: moved(present, now, { singly }), told: true };
}

/**
 * The roll after this incident has closed, and how people are told. A closing that is repeated is told in the same way; one that needs
 * a person only now, for its end broke after it was counted, is in a summary as such.
 */
export function withClosing(
  roll: Roll,
  { incident, instanceId, outcome, called }: Closing,
  settings: RollSettings,
  now: Date,
): { roll: Roll; told: Told } {
  const present = presentRoll(roll, settings, now);
  const key = keyOf(incident);
  const needs = called || needsPerson(outcome);
  const need = {
    needed: present.needed + (needs ? 1 : 0),
    needy: needs ? [...present.needy, { instanceId, outcome }].slice(-mostNeedy) : present.needy,
  };
  if (present.closed.includes(key)) {
    const told = toldBefore(present, key);
    const isKnown = !needs || present.needy.some((one) => one.instanceId === instanceId);
    if (told === 'singly' || isKnown) return { roll: present, told };
    return inSummary(moved(present, now, need), key, needs, now);
  }
  const next = moved(present, now, {
    open: present.open.filter((one) => one !== key),
    closed: [...present.closed, key].slice(-mostKnown),
    closings: present.closings + 1,
    outcomes: { ...present.outcomes, [outcome]: (present.outcomes[outcome] ?? 0) + 1 },
    ...need,
  });
  const { singly } = present;
  if (singly.closing.length < settings.singly) {
    return { roll: { ...next, singly: { ...singly, closing: [...singly.closing, key] } }, told: 'singly' };
  }
  return inSummary(next, key, needs, now);
}

/** The roll after a summary that could not be sent: the next closing that may tells of it. */
export function withUntold(roll: Roll, incident: string): Roll {
  if (roll.summary?.by !== keyOf(incident)) return roll;
  return { ...roll, untold: Math.max(1, roll.untold), untoldNeedy: roll.needy.length > 0, summary: null };
}

export function needsPerson(outcome: Outcome): boolean {
  return needyOutcomes.some((one) => one === outcome);
}

/**
 * How many messages of so many closings there are at most within five minutes: more only where the last open one ends or
 * leaves again and again, each time with a node that needs a person.
 */
export function mostMessages(closings: number, { singly }: RollSettings): number {
  if (closings <= singly) return closings;
  const doublings = Math.floor(Math.log2(closings)) - Math.floor(Math.log2(singly));
  const bursts = Math.floor(Math.log(closings / (singly + 1)) / Math.log(growth));
  // The first summary may come with the first closing that is not told of singly.
  return singly + 1 + doublings + bursts;
}

/** At the end of a burst a summary has to tell of at least a quarter more closings than the last, or come so much later. */
const growth = 1.25;
const calmMinutes = 5;

function inSummary(roll: Roll, key: string, needs: boolean, now: Date): { roll: Roll; told: Told } {
  const waiting = { ...roll, untold: roll.untold + 1, untoldNeedy: roll.untoldNeedy || needs };
  if (!summaryIsDue(waiting, now)) return { roll: waiting, told: 'later' };
  return { roll: summarized(waiting, key, now), told: 'summary' };
}

function summarized(roll: Roll, by: string, now: Date): Roll {
  const summary = { by, closings: roll.closings, at: now.toISOString() };
  return { ...roll, untold: 0, untoldNeedy: false, summary };
}

function summaryIsDue({ closings, open, summary, untoldNeedy }: Roll, now: Date): boolean {
  if (Number.isInteger(Math.log2(closings))) return true;
  const calm = summary === null || now.getTime() >= Date.parse(summary.at) + calmMinutes * 60_000;
  // One that is open can wait for hours, and whoever needs a person must not wait for it.
  if (open.length > 0) return untoldNeedy && calm;
  // None is open: nothing else would tell of these. A trickle of them must not become a message each.
  return untoldNeedy || calm || closings >= growth * (summary?.closings ?? 0);
}

function toldBefore({ singly, summary }: Roll, key: string): Told {
  if (singly.closing.includes(key)) return 'singly';
  return summary?.by === key ? 'summary' : 'later';
}

/** A roll in which nothing has moved for long is over, whoever may still be open in it; but not while a node that needs a person is untold. */
function presentRoll(roll: Roll, { quietMinutes }: RollSettings, now: Date): Roll {
  const quiet = roll.movedAt !== null && now.getTime() > Date.parse(roll.movedAt) + quietMinutes * 60_000;
  return quiet && !roll.untoldNeedy ? emptyRoll : roll;
}

function moved(roll: Roll, now: Date, change: Partial<Roll>): Roll {
  return { ...roll, ...change, since: roll.since ?? now.toISOString(), movedAt: now.toISOString() };
}
