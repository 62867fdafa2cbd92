import * as z from 'zod';

/** Beyond these nobody joins: the item that holds them stays below the 400 KB of DynamoDB. */
export const mostMembers = 1000;
/** Different words of all members: zones, groups, images, what they have in common. Others are not remembered. */
export const mostWords = 200;
export const longestWord = 120;
/** Facts of one member that others may share. */
export const mostFacts = 5;
/** Failures that are told; all are counted. */
const mostFailures = 10;
/** What is to be told and has not been; more than one wave does not end before somebody tells it. */
export const mostNews = 10;

/** The place of a word among the words of the cohort. */
const Word = z
  .int()
  .min(0)
  .max(mostWords - 1);

/**
 * One incident of a cohort. waits: for the decision, or for its wave. turn: it may act, once its own gates let it. acts: its
 * treatment may have begun.
 */
const Member = z.object({
  incident: z.string().max(80),
  instanceId: z.string().max(30),
  is: z.enum(['waits', 'turn', 'acts']),
  since: z.iso.datetime(),
  /** Whoever does not come back is out of it then; one that acts counts as failed. */
  until: z.iso.datetime(),
  zone: Word.optional(),
  group: Word.optional(),
  image: Word.optional(),
  facts: z.array(Word).max(mostFacts),
});
export type Member = z.infer<typeof Member>;

const Failure = z.object({ incident: z.string(), instanceId: z.string(), why: z.string().max(200) });

/** What people have decided on all of them. */
const Decision = z.object({
  approvalId: z.string(),
  by: z.string().max(500),
  reason: z.string().max(1000).optional(),
  at: z.iso.datetime(),
});

/**
 * What a card has said that a decision covers. A deployment after it makes the waves no larger, and the stop no later; who joins
 * after it is of these node groups and machine images; `null`: one that nobody knows.
 */
const Promised = z.object({
  groups: z.array(Word.nullable()),
  images: z.array(Word.nullable()),
  windowMinutes: z.number(),
  canary: z.number(),
  growth: z.number(),
  stopAtFailures: z.number(),
});
export type Promised = z.infer<typeof Promised>;

/** What is to be told of a cohort. stopped: to everybody; the others to those who follow it. */
const News = z.object({ kind: z.enum(['wave', 'stopped', 'through']), text: z.string().max(1000) });
export type News = z.infer<typeof News>;

/**
 * Incidents of one cluster that are decided together and treated one wave after the other.
 *
 * none: there is none. gathers: the first of them, who leads, waits for others. asks: the leader asks people. goes: it is
 * decided, or needs no decision, and waves go. stopped: a treatment did not help. denied, expired: it was not approved.
 */
export const Cohort = z.object({
  version: z.literal(1),
  phase: z.enum(['none', 'gathers', 'asks', 'goes', 'stopped', 'denied', 'expired']),
  treatment: z.string().max(50),
  /** There is nobody to ask: policy does it. */
  automatic: z.boolean(),
  /** It has been more than one node at some time. */
  many: z.boolean(),
  /** Incident that asks, or came first: what is told of the cohort is told below its card. */
  leader: z.string().max(80),
  /** Until when the leader waits for others; who joins after that shows on the card as it is repeated, and in the waves. */
  gathersUntil: z.iso.datetime(),
  /** The approval that the leader asks for, and whether its card speaks of all of them. One without `promised` covers nobody later. */
  asked: z.object({ approvalId: z.string(), all: z.boolean(), promised: Promised.optional() }).nullable(),
  decision: Decision.nullable(),
  /** Who comes until then belongs to it. After a stop or a denial: whom it keeps away. */
  opensUntil: z.iso.datetime(),
  wave: z.object({
    number: z.int().positive(),
    size: z.int().positive(),
    helped: z.int().nonnegative(),
    failed: z.int().nonnegative(),
  }),
  /** Over all waves. left: went without a treatment, because it recovered, was refused, or was lost. */
  tally: z.object({
    helped: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    left: z.int().nonnegative(),
  }),
  failures: z.array(Failure).max(mostFailures),
  members: z.array(Member).max(mostMembers),
  /** Nodes whose treatment has begun by the decision of people: it is about each node once. */
  begun: z.array(z.string().max(30)).max(mostMembers).default([]),
  words: z.array(z.string().max(longestWord)).max(mostWords),
  news: z.array(News).max(mostNews),
});
export type Cohort = z.infer<typeof Cohort>;

const never = new Date(0).toISOString();

export const noCohort: Cohort = {
  version: 1,
  phase: 'none',
  treatment: '',
  automatic: false,
  many: false,
  leader: '',
  gathersUntil: never,
  asked: null,
  decision: null,
  opensUntil: never,
  wave: { number: 1, size: 1, helped: 0, failed: 0 },
  tally: { helped: 0, failed: 0, left: 0 },
  failures: [],
  members: [],
  begun: [],
  words: [],
  news: [],
};

export function memberOf({ members }: Cohort, incident: string): Member | undefined {
  return members.find((member) => member.incident === incident);
}

/** Whose treatment may begin at any moment, or has begun. */
export function inFlight({ members }: Cohort): Member[] {
  return members.filter(({ is }) => is !== 'waits');
}

/** With one failure more; the first are told. */
export function failedBy(
  cohort: Cohort,
  { incident, instanceId }: Pick<Member, 'incident' | 'instanceId'>,
  why: string,
): Cohort {
  const { wave, tally, failures } = cohort;
  const failure = { incident, instanceId, why: why.slice(0, 200) };
  return {
    ...cohort,
    wave: { ...wave, failed: wave.failed + 1 },
    tally: { ...tally, failed: tally.failed + 1 },
    failures: failures.length < mostFailures ? [...failures, failure] : failures,
  };
}
