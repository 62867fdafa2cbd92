import type { Logger } from '@aws-lambda-powertools/logger';
import { SNSClient } from '@aws-sdk/client-sns';
import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { publish } from '../adapters/notifier.ts';
import { RollStore } from '../adapters/roll-store.ts';
import type { AuditEntry } from '../domain/audit/entry.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Message } from '../domain/message.ts';
import {
  type Closing,
  keyOf,
  type Roll,
  type Told,
  withClosing,
  withOpen,
  withoutOpen,
  withSingly,
  withUntold,
} from '../domain/roll/roll.ts';
import { summaryMessage } from '../domain/roll/summary.ts';
import type { RollSettings } from '../domain/settings/roll.ts';
import type { PhaseContext } from './phase.ts';
import { problemOf } from './problem-of.ts';

type Telling = Omit<Message, 'version'>;
type Tools = { settings: RollSettings; now: Date; logger: Pick<Logger, 'error'> };
type Subject = Closing & { cluster: string; cause: string };

/** Of incidents that are not diagnosed yet, or ended before they were. */
const undiagnosed = 'undiagnosed';

const sns = new SNSClient({});

function rolls(): RollStore {
  return new RollStore(dynamo(), environment().STATE_TABLE);
}

/** The cause whose roll an incident belongs to. */
export function causeOf({ diagnosis }: Pick<IncidentState, 'diagnosis'>): string {
  return diagnosis?.cause ?? undiagnosed;
}

/** The same, of an incident of which only the trail is left. */
export function causeIn(entries: readonly AuditEntry[]): string {
  return entries.findLast(({ step }) => step === 'diagnosed')?.outcome ?? undiagnosed;
}

/** The incident has its cause: it belongs to the roll of that from now on. What cannot be written is logged, and it goes on. */
export async function enterRoll(
  state: IncidentState,
  cause: string,
  { cluster: settings, now, logger }: PhaseContext,
): Promise<void> {
  const { id, cluster } = state.incident;
  const before = causeOf(state);
  try {
    await rolls().change(cluster, cause, (roll) => withOpen(roll, id, settings.roll, now()));
    // Not before it is on the other, so that one of the two always knows that there is more to come.
    if (before !== cause) await leaveRoll({ incident: id, cluster, cause: before }, { now: now(), logger });
  } catch (error) {
    logger.error('the incident could not be put on the roll of its cause', { error, cause });
  }
}

/** The incident is over, and its execution died: it may have died before it had left the rolls of what it was taken for before. */
export async function leaveFormerRolls(
  subject: Pick<Subject, 'incident' | 'cluster' | 'cause'>,
  entries: readonly AuditEntry[],
  tools: Pick<Tools, 'now' | 'logger'>,
): Promise<void> {
  const diagnosed = entries.flatMap(({ step, outcome }) =>
    step === 'diagnosed' && outcome ? [outcome] : [],
  );
  const former = new Set([undiagnosed, ...diagnosed]);
  former.delete(subject.cause);
  for (const cause of former) {
    await leaveRoll({ ...subject, cause }, tools).catch((error: unknown) =>
      tools.logger.error('the incident could not be taken off a roll', { error, cause }),
    );
  }
}

async function leaveRoll(
  subject: Pick<Subject, 'incident' | 'cluster' | 'cause'>,
  { now, logger }: Pick<Tools, 'now' | 'logger'>,
): Promise<void> {
  const { incident, cluster, cause } = subject;
  let told = false;
  const { after } = await rolls().change(cluster, cause, (roll) => {
    const left = withoutOpen(roll, incident, now);
    told = left.told;
    return left.roll;
  });
  if (!told) return;
  try {
    await publish(sns, environment().NOTIFY_TOPIC_ARN, summaryMessage(after, subject));
  } catch (error) {
    logger.error('people could not be told of incidents that have closed', { error, cause });
    await keepUntold(subject, logger);
  }
}

/** The incident has begun, and is looked at: what ends before its diagnosis is told of with all that did. */
export async function enterUndiagnosed(
  { incident, cluster }: Pick<Subject, 'incident' | 'cluster'>,
  { settings, now, logger }: Tools,
): Promise<void> {
  try {
    await rolls().change(cluster, undiagnosed, (roll) => withOpen(roll, incident, settings, now));
  } catch (error) {
    logger.error('the incident could not be put on a roll', { error });
  }
}

/**
 * Whether this incident may send messages of that kind by itself, and where that could not be found out, why: then it may.
 */
export async function maySpeakSingly(
  state: IncidentState,
  kind: keyof Roll['singly'],
  { cluster: settings, now, logger }: PhaseContext,
): Promise<{ may: boolean; why?: string }> {
  const { id, cluster } = state.incident;
  try {
    let may = true;
    await rolls().change(cluster, causeOf(state), (roll) => {
      const asked = withSingly(roll, kind, id, settings.roll, now());
      may = asked.told;
      return asked.roll;
    });
    return { may };
  } catch (error) {
    logger.error('the roll could not be asked, and people are told', { error });
    return { may: true, why: problemOf(error) };
  }
}

/**
 * Tells people of an incident that closes: by itself, in a summary, or later. Where the roll cannot be read or written, by itself.
 *
 * @param messageOf the message about it alone, by whether the call of its ladder for a person was sent
 * @returns what became of it, for the audit
 */
export async function tellOfClosing(
  subject: Subject,
  messageOf: (wasCalled: boolean) => Telling | undefined,
  { settings, now, logger }: Tools,
): Promise<string> {
  const { cluster, cause, incident } = subject;
  let closing: { told: Told; roll?: Roll } = { told: 'singly' };
  let why: string | undefined;
  try {
    await rolls().change(cluster, cause, (present) => {
      const closed = withClosing(present, subject, settings, now);
      closing = closed;
      return closed.roll;
    });
  } catch (error) {
    logger.error('the roll could not be written, and people are told', { error, cause });
    closing = { told: 'singly' };
    why = problemOf(error);
  }
  const { told, roll } = closing;
  if (told === 'later') return 'in a later summary';
  const isSummary = told === 'summary' && roll !== undefined;
  const alone = messageOf(roll?.singly.call.includes(keyOf(incident)) ?? false);
  const message =
    isSummary && roll !== undefined ? summaryMessage(roll, subject) : alone && withWhy(alone, why);
  if (message === undefined) return 'not needed';
  try {
    await publish(sns, environment().NOTIFY_TOPIC_ARN, message);
    return isSummary ? 'done, in a summary' : 'done';
  } catch (error) {
    logger.error('people could not be told of an incident that has closed', { error });
    if (isSummary) await keepUntold(subject, logger);
    return `failed: ${error instanceof Error ? error.name : 'unknown error'}`;
  }
}

/** A message that is sent by itself because nobody knows how many others there were. */
export function withWhy(message: Telling, why: string | undefined): Telling {
  if (why === undefined) return message;
  const text = `${message.text}\nTold by itself, for the roll of its cause could not be asked: ${why}`;
  return { ...message, text };
}

async function keepUntold(
  { cluster, cause, incident }: Pick<Subject, 'incident' | 'cluster' | 'cause'>,
  logger: Tools['logger'],
): Promise<void> {
  await rolls()
    .change(cluster, cause, (roll) => withUntold(roll, incident))
    .catch((error: unknown) =>
      logger.error('the next summary does not know that one failed', { error, cause }),
    );
}
