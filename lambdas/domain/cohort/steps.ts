import type { CohortSettings } from '../settings/cohort.ts';
import {
  type Cohort,
  failedBy,
  longestWord,
  type Member,
  memberOf,
  mostFacts,
  mostMembers,
  mostWords,
  noCohort,
  type Promised,
} from './cohort.ts';
import { type At, atMoment, termsOf, withLeader, withNews } from './waves.ts';

/** An incident as its cohort knows it. */
export type Joining = Pick<Member, 'incident' | 'instanceId'> & {
  treatment: string;
  /** Policy does it without asking. */
  automatic: boolean;
  zone: string;
  group: string;
  image: string | null;
  /** What others may have in common with it. */
  facts: readonly string[];
};

/**
 * The cohort after this incident has come to it, or come back. The first opens it; the others join while it is open; what keeps
 * somebody out is for the gate to say.
 *
 * @param back it has come before, and is no member where it was lost meanwhile: then it joins again
 */
export function comeTo(cohort: Cohort, me: Joining, at: At): Cohort {
  const present = atMoment(cohort, at);
  if (memberOf(present, me.incident) !== undefined) return renewed(present, me.incident, at);
  if (present.phase === 'none' || isThroughFor(present, me)) return opened(me, at);
  if (!isOpen(present, at.now) || isFull(present) || !isCovered(present, me)) return present;
  const joined = withMember(present, me, at);
  return atMoment({ ...joined, many: true }, at);
}

/** The cohort in which somebody who has come is kept in mind for longer; written anew once half of that time is over. */
function renewed(cohort: Cohort, incident: string, { now, until }: At): Cohort {
  const half = (now.getTime() + until.getTime()) / 2;
  const isNew = ({ until: so, is }: Member): boolean => is === 'acts' || Date.parse(so) > half;
  const mine = memberOf(cohort, incident);
  if (mine === undefined || isNew(mine)) return cohort;
  return withOne(cohort, { ...mine, until: until.toISOString() });
}

export function isFull({ members, begun }: Cohort): boolean {
  return members.length + begun.length >= mostMembers;
}

/** Whether what people were asked, or have decided, is about this node as well: its card has shown group and image, and it is treated once. */
function isCovered(
  { phase, asked, automatic, begun, words }: Cohort,
  { instanceId, group, image }: Joining,
): boolean {
  if (automatic || phase === 'gathers') return true;
  if (begun.includes(instanceId)) return false;
  // A card about one node is about that one; the others are asked about next.
  if (phase === 'asks' && asked?.all === false) return true;
  const isShown = (shown: readonly (number | null)[] = [], text: string | null): boolean => {
    return shown.includes(text === null ? null : words.indexOf(text.slice(0, longestWord)));
  };
  return isShown(asked?.promised?.groups, group) && isShown(asked?.promised?.images, image);
}

/** Whether nobody is left of those that people have decided on, and this node is none that may still join: it asks anew. */
function isThroughFor(cohort: Cohort, me: Joining): boolean {
  return cohort.phase === 'goes' && cohort.members.length === 0 && !isCovered(cohort, me);
}

export function isOpen({ phase, automatic, opensUntil }: Cohort, now: Date): boolean {
  if (phase === 'gathers' || phase === 'asks') return true;
  return phase === 'goes' && (automatic || now.getTime() < Date.parse(opensUntil));
}

function opened(me: Joining, at: At): Cohort {
  const { now, settings } = at;
  const gathersUntil = after(now, settings.gatherSeconds);
  const first = withMember(
    {
      ...noCohort,
      phase: me.automatic ? 'goes' : 'gathers',
      treatment: me.treatment,
      automatic: me.automatic,
      leader: me.incident,
      gathersUntil,
      opensUntil: after(now, settings.windowMinutes * 60),
      wave: { ...noCohort.wave, size: settings.canary },
    },
    me,
    at,
  );
  return atMoment(first, at);
}

function withMember(cohort: Cohort, me: Joining, { now, until }: At): Cohort {
  const words = [...cohort.words];
  const wordOf = (text: string | null): number | undefined => {
    if (text === null || text === '') return undefined;
    const cut = text.slice(0, longestWord);
    const known = words.indexOf(cut);
    if (known >= 0) return known;
    if (words.length >= mostWords) return undefined;
    return words.push(cut) - 1;
  };
  const place = { zone: wordOf(me.zone), group: wordOf(me.group), image: wordOf(me.image) };
  const member: Member = {
    incident: me.incident,
    instanceId: me.instanceId,
    is: 'waits',
    since: now.toISOString(),
    until: until.toISOString(),
    ...Object.fromEntries(Object.entries(place).filter(([, word]) => word !== undefined)),
    facts: [...new Set(me.facts)].slice(0, mostFacts).flatMap((fact) => wordOf(fact) ?? []),
  };
  return { ...cohort, members: [...cohort.members, member], words };
}

/**
 * The leader asks people now, with a card that speaks of all where there are more.
 *
 * @param until when the leader is lost that has not come back with a decision
 * @param settings what the card says of the waves
 * @returns `undefined` where this incident does not lead, or asks for another approval
 */
export function askedBy(
  cohort: Cohort,
  incident: string,
  approvalId: string,
  until: Date,
  settings: CohortSettings,
): Cohort | undefined {
  const { leader, phase, asked, members } = cohort;
  const mine = memberOf(cohort, incident);
  if (leader !== incident || mine === undefined) return undefined;
  if (phase === 'asks') return asked?.approvalId === approvalId ? cohort : undefined;
  if (phase !== 'gathers') return undefined;
  return withOne(
    {
      ...cohort,
      phase: 'asks',
      asked: { approvalId, all: members.length > 1, promised: promisedBy(cohort, settings) },
    },
    { ...mine, until: until.toISOString() },
  );
}

function promisedBy(
  { members }: Cohort,
  { windowMinutes, canary, growth, stopAtFailures }: CohortSettings,
): Promised {
  const shown = (words: (number | undefined)[]) => [...new Set(words.map((word) => word ?? null))];
  return {
    groups: shown(members.map(({ group }) => group)),
    images: shown(members.map(({ image }) => image)),
    windowMinutes,
    canary,
    growth,
    stopAtFailures,
  };
}

export type Decided = {
  approvalId: string;
  status: 'approved' | 'denied' | 'expired' | 'void';
  by: string;
  reason?: string | undefined;
};

/**
 * What people have decided. Of a card that spoke of one node it is about that one: the others ask anew, without it. A decision
 * on something that is not asked for changes nothing.
 */
export function decided(cohort: Cohort, { approvalId, status, by, reason }: Decided, at: At): Cohort {
  const { phase, asked, leader } = cohort;
  if (phase !== 'asks' || asked?.approvalId !== approvalId) return cohort;
  const { now, settings } = at;
  const promised = termsOf(cohort, settings);
  const others = { ...cohort, members: cohort.members.filter(({ incident }) => incident !== leader) };
  if (!asked.all || status === 'void') return withLeader(others, now);
  const decision = {
    approvalId,
    by: by.slice(0, 500),
    ...(reason === undefined ? {} : { reason: reason.slice(0, 1000) }),
    at: now.toISOString(),
  };
  if (status !== 'approved') {
    return { ...others, phase: status, decision, opensUntil: after(now, settings.windowMinutes * 60) };
  }
  const first = cohort.members.filter(({ incident }) => incident === leader);
  return atMoment(
    {
      ...cohort,
      phase: 'goes',
      decision,
      opensUntil: after(now, promised.windowMinutes * 60),
      wave: { number: 1, size: promised.canary, helped: 0, failed: 0 },
      // Who asked is the canary, and has been away for as long as people took.
      members: [...first.map((one) => ({ ...one, until: at.until.toISOString() })), ...others.members],
    },
    at,
  );
}

/** Its treatment begins now; `undefined` where it is not its turn, or not any more, or its node was treated by this decision already. */
export function begins(cohort: Cohort, incident: string, until: Date): Cohort | undefined {
  const mine = memberOf(cohort, incident);
  if (cohort.phase !== 'goes' || mine === undefined || mine.is === 'waits') return undefined;
  const { begun, automatic } = cohort;
  const isBegun = begun.includes(mine.instanceId);
  if (isBegun && mine.is !== 'acts') return undefined;
  return withOne(automatic || isBegun ? cohort : { ...cohort, begun: [...begun, mine.instanceId] }, {
    ...mine,
    is: 'acts',
    until: until.toISOString(),
  });
}

/**
 * How an incident leaves its cohort. left: without a treatment. died: nobody knows, and what had begun counts as failed.
 */
export type Came = { came: 'helped' | 'failed' | 'left' | 'died'; why: string };

/** The cohort without this incident, by what came of it. What that completes is among its news. */
export function leaves(cohort: Cohort, incident: string, { came, why }: Came, at: At): Cohort {
  const mine = memberOf(cohort, incident);
  if (mine === undefined) return atMoment(cohort, at);
  let rest: Cohort = { ...cohort, members: cohort.members.filter((member) => member !== mine) };
  const { wave, tally } = rest;
  if (mine.is === 'acts' && came === 'helped') {
    rest = {
      ...rest,
      wave: { ...wave, helped: wave.helped + 1 },
      tally: { ...tally, helped: tally.helped + 1 },
      ...(cohort.automatic ? { opensUntil: after(at.now, at.settings.windowMinutes * 60) } : {}),
    };
  } else if (mine.is === 'acts' && (came === 'failed' || came === 'died')) {
    rest = failedBy(rest, mine, why);
  } else {
    rest = { ...rest, tally: { ...tally, left: tally.left + 1 } };
  }
  if (rest.phase === 'gathers' || rest.phase === 'asks') {
    return rest.leader === incident ? withLeader(rest, at.now) : rest;
  }
  const present = atMoment(rest, at);
  const isThrough = present.phase === 'goes' && present.many && present.members.length === 0;
  return isThrough ? withNews(present, { kind: 'through', text: throughText(present) }) : present;
}

function throughText({ treatment, tally: { helped, failed, left } }: Cohort): string {
  const others = left === 0 ? '' : `, ${left} went without it: recovered, refused or lost`;
  return `the cohort of ${treatment} is through: ${helped} helped, ${failed} did not${others}`;
}

function withOne(cohort: Cohort, member: Member): Cohort {
  return {
    ...cohort,
    members: cohort.members.map((one) => (one.incident === member.incident ? member : one)),
  };
}

function after(now: Date, seconds: number): string {
  return new Date(now.getTime() + seconds * 1000).toISOString();
}

export type { At, CohortSettings };
