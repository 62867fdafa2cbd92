import type { Logger } from '@aws-lambda-powertools/logger';
import { SNSClient } from '@aws-sdk/client-sns';
import { BreakerStore } from '../adapters/breaker-store.ts';
import { censusEnvironment } from '../adapters/census-environment.ts';
import { CourseStore } from '../adapters/course-store.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { publish } from '../adapters/notifier.ts';
import { readPauses } from '../adapters/pause-reader.ts';
import { putInQueue, sqs } from '../adapters/queue.ts';
import { RaisedStore } from '../adapters/raised-store.ts';
import { endStanding } from '../adapters/standing-end.ts';
import type { ClusterNode } from '../domain/census/node.ts';
import type { Raised } from '../domain/census/raise.ts';
import type { CensusRun } from '../domain/census/run.ts';
import { type Turns, turnsOf } from '../domain/census/standing-turns.ts';
import { isActive } from '../domain/gates/pause.ts';
import type { Cluster } from '../domain/settings.ts';
import { atOnceOf, type Course, placesAt, withRun } from '../domain/standing/course.ts';
import { endCommand } from '../domain/standing/end-command.ts';
import { isDue, judgeStanding, remedyOf } from '../domain/standing/judgement.ts';
import { type Standing, type StandingRead, standingText } from '../domain/standing/standing.ts';
import { problemOf } from './problem-of.ts';

const sns = new SNSClient({});

/** What a run comes to for the standing treatments of its cluster. `undefined` where there never was one. */
export type StandingFigures = {
  live: number;
  raised: number;
  over: number;
  /** Those of which something could not be read or written: they did nothing in this run, or not all. */
  broken: { id: string; problem: string }[];
};

type Context = { run: CensusRun; cluster: Cluster; running: readonly ClusterNode[]; logger: Logger };

/**
 * Has the worst nodes over threshold treated by what people agreed to for their group, a few at a time, and judges every week whether
 * that keeps up. Nothing is raised while somebody has paused the cluster, and an open breaker ends it.
 */
export async function actByStandings(
  live: readonly Standing[],
  known: readonly StandingRead[],
  context: Context,
): Promise<StandingFigures | undefined> {
  if (known.length === 0) return undefined;
  const { run, cluster, logger } = context;
  const broken: StandingFigures['broken'] = [];
  const stopped =
    live.length === 0
      ? undefined
      : await stoppedBy(run.cluster).catch((error: unknown) => {
          logger.error('what may stop a standing treatment cannot be read', { error });
          const why = `what may stop it cannot be read: ${problemOf(error)}`;
          broken.push(...live.map(({ id }) => ({ id, problem: why })));
          return { why, ends: false };
        });
  let [raised, over, still] = [0, 0, 0];
  for (const standing of live) {
    try {
      const turns = turnsOf(standing, run.tally, cluster, new Date());
      over += turns.look.over;
      if (stopped?.ends === true) {
        await end(standing, stopped.why);
        continue;
      }
      still += 1;
      const sent = stopped === undefined ? await raise(standing, turns, context) : 0;
      if (stopped !== undefined)
        logger.info('a standing treatment is held', { id: standing.id, why: stopped.why });
      raised += sent;
      const course = await courses().change(standing, (present) =>
        withRun(present, { ...turns.look, raised: sent }, new Date(run.startedAt)),
      );
      await judge(standing, course, logger);
    } catch (error) {
      // It keeps neither the other groups nor the rest of the census from going on.
      logger.error('a standing treatment broke in this run', { id: standing.id, error });
      broken.push({ id: standing.id, problem: problemOf(error) });
    }
  }
  return { live: still, raised, over, broken };
}

function courses(): CourseStore {
  return new CourseStore(dynamo(), censusEnvironment().STATE_TABLE);
}

/** What keeps all standing treatments of a cluster from acting. What cannot be read keeps them, too. */
async function stoppedBy(cluster: string): Promise<{ why: string; ends: boolean } | undefined> {
  const { STATE_TABLE } = censusEnvironment();
  const [breaker, { pauses, unreadable }] = await Promise.all([
    new BreakerStore(dynamo(), STATE_TABLE).read(cluster),
    readPauses(dynamo(), STATE_TABLE, cluster),
  ]);
  if (breaker.openedAt !== null)
    return { why: `the breaker of the cluster opened at ${breaker.openedAt}`, ends: true };
  if (unreadable.length > 0) return { why: 'a pause of the cluster cannot be read', ends: false };
  const active = pauses.find((pause) => isActive(pause, new Date()));
  return active === undefined ? undefined : { why: `the cluster is paused: ${active.name}`, ends: false };
}

async function end(standing: Standing, reason: string): Promise<void> {
  const { STATE_TABLE, NOTIFY_TOPIC_ARN } = censusEnvironment();
  // People first: they are told twice rather than never.
  await publish(sns, NOTIFY_TOPIC_ARN, {
    kind: 'call-a-person',
    incident: standing.incident,
    cluster: standing.cluster,
    title: `${standing.treatment} of group ${standing.nodeGroup} in ${standing.cluster} has ended itself`,
    text: `${standingText(standing)}: ${reason}. Nothing more is done by it. A new one needs a new approval, and is offered with the next incidents of the group.`,
  });
  await endStanding(dynamo(), STATE_TABLE, standing.cluster, {
    version: 1,
    id: standing.id,
    at: new Date().toISOString(),
    by: 'rule standing',
    reason,
  });
}

/** @returns how many incidents were opened */
async function raise(standing: Standing, { nodes }: Turns, context: Context): Promise<number> {
  const { run, cluster, running, logger } = context;
  const { INTAKE_QUEUE_URL, STATE_TABLE } = censusEnvironment();
  const { raiseAtMost } = cluster.census;
  if (INTAKE_QUEUE_URL === undefined || raiseAtMost === 0) return 0;
  const { coolDownMinutes } = cluster.standing;
  const now = new Date();
  const free =
    atOnceOf(standing.treatment, cluster.standing) - placesAt(await courses().read(standing), now).length;
  const store = new RaisedStore(dynamo(), STATE_TABLE);
  const known = new Map(running.map((node) => [node.instanceId, node]));
  let raised = 0;
  for (const { instanceId, reason } of nodes) {
    if (raised >= Math.min(free, raiseAtMost)) break;
    const node = known.get(instanceId);
    if (node === undefined || !(await store.claim(instanceId, run.id, coolDownMinutes, now))) continue;
    const message: Raised = {
      source: 'census',
      received: now.toISOString(),
      payload: {
        cluster: run.cluster,
        instanceId,
        ...(node.name === undefined ? {} : { nodeName: node.name }),
        at: run.startedAt,
        cause: standing.cause,
        standing: standing.id,
        reason: reason.slice(0, 1000),
      },
    };
    await putInQueue(sqs(), INTAKE_QUEUE_URL, message);
    raised += 1;
    logger.info('a node is raised by a standing treatment', { instanceId, reason, standing: standing.id });
  }
  return raised;
}

/** Once a week: people are told where it does not keep up, or where nobody knows. */
async function judge(standing: Standing, course: Course, logger: Logger): Promise<void> {
  const now = new Date();
  if (!isDue(standing, course, now)) return;
  const { verdict, reason } = judgeStanding(standing, course, now);
  logger.info('a standing treatment was judged', { id: standing.id, verdict, reason });
  if (verdict !== 'keeps-up') {
    await publish(sns, censusEnvironment().NOTIFY_TOPIC_ARN, {
      kind: 'call-a-person',
      incident: standing.incident,
      cluster: standing.cluster,
      title: `${standing.treatment} of group ${standing.nodeGroup} in ${standing.cluster}: ${verdict === 'unknown' ? 'nobody knows whether it keeps up' : 'it does not keep up'}`,
      text: `${standingText(standing)}: ${reason}. It goes on until its date. ${remedyOf(standing)}; ${endCommand(standing.cluster, standing.nodeGroup, standing.treatment)} ends it.`,
    });
  }
  // Last: people are told twice rather than never.
  await courses().change(standing, (present) => ({ ...present, judgedAt: now.toISOString() }));
}
