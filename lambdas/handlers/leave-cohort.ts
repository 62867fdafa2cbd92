import type { Logger } from '@aws-lambda-powertools/logger';
import { SNSClient } from '@aws-sdk/client-sns';
import { environment } from '../adapters/environment.ts';
import { publish } from '../adapters/notifier.ts';
import type { AuditEntry } from '../domain/audit/entry.ts';
import { cameOf } from '../domain/cohort/came.ts';
import type { Cohort } from '../domain/cohort/cohort.ts';
import { newsMessage } from '../domain/cohort/cohort-messages.ts';
import { type Came, decided, leaves } from '../domain/cohort/steps.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Cluster, Settings } from '../domain/settings.ts';
import { atNow, changeSurely, cohorts, decisionOn } from './cohort.ts';
import type { PhaseContext } from './phase.ts';

type Subject = Pick<IncidentState['incident'], 'id' | 'cluster'>;
type Leaving = Pick<PhaseContext, 'cluster' | 'settings' | 'now'> & { logger: Pick<Logger, 'error'> };

const sns = new SNSClient({});

/** The rung is over, or its incident is: the cohort learns what came of it, and goes on. */
export async function leaveCohort(state: IncidentState, context: Leaving): Promise<void> {
  if (state.cohort === undefined) return;
  await leave(state.incident, state.cohort.key, cameOf(state), context);
}

/** The execution of an incident died. Where it was asking, what people have decided by then holds for the others. */
export async function leaveDead(
  subject: Subject,
  entries: readonly AuditEntry[],
  { cluster, settings, logger }: { cluster: Cluster; settings: Settings; logger: Pick<Logger, 'error'> },
): Promise<void> {
  const key = cohortOfTrail(entries);
  if (key === undefined) return;
  const context: Leaving = { cluster, settings, logger, now: () => new Date() };
  try {
    const { phase, leader, asked } = await cohorts().read(subject.cluster, key);
    if (phase === 'asks' && leader === subject.id && asked !== null) {
      const decision = await decisionOn(asked.approvalId);
      await changeSurely(subject.cluster, key, (present) => decided(present, decision, atNow(context)));
    }
  } catch (error) {
    logger.error('what was decided for a cohort could not be handed on', { error });
  }
  await leave(subject, key, { came: 'died', why: 'its execution died' }, context);
}

/** The cohort that an incident was in last: its gates wrote it down. */
function cohortOfTrail(entries: readonly AuditEntry[]): string | undefined {
  const keys = entries.flatMap(({ details }) =>
    typeof details?.cohort === 'string' ? [details.cohort] : [],
  );
  return keys.at(-1);
}

/** What cannot be written is logged: whoever acts counts as failed once its time is over, and nobody waits for ever. */
async function leave({ id, cluster }: Subject, key: string, came: Came, context: Leaving): Promise<void> {
  try {
    let left: Cohort | undefined;
    await changeSurely(cluster, key, (present) => {
      left = leaves(present, id, came, atNow(context));
      return left.news.length === 0 ? left : { ...left, news: [] };
    });
    if (left !== undefined) await tell(left, cluster, context);
  } catch (error) {
    context.logger.error('an incident could not leave its cohort', { error, key, ...came });
  }
}

/** Whoever's result completes a wave tells of it: of several at a time one writes that it is told. */
async function tell(cohort: Cohort, cluster: string, { settings, logger }: Leaving): Promise<void> {
  for (const news of cohort.news) {
    // Who follows an incident does so in Slack, as for every other progress.
    if (news.kind !== 'stopped' && !settings.slack.enabled) continue;
    try {
      await publish(sns, environment().NOTIFY_TOPIC_ARN, newsMessage(news, cohort, cluster));
    } catch (error) {
      logger.error('nobody could be told how a cohort goes on', { error });
    }
  }
}
