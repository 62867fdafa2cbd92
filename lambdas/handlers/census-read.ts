import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { SSMClient } from '@aws-sdk/client-ssm';
import { finishedOn, isOver, outputOn } from '../adapters/census-commands.ts';
import { censusEnvironment } from '../adapters/census-environment.ts';
import { fleetOf } from '../adapters/cluster-nodes.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { publishNodes } from '../adapters/node-metrics.ts';
import { putInQueue, sqs } from '../adapters/queue.ts';
import { SecondLookStore } from '../adapters/second-look-store.ts';
import { clusterSettings, settings } from '../adapters/settings-file.ts';
import { isPassing } from '../adapters/ssm-commands.ts';
import { type Figure, figuresOf } from '../domain/census/node-figures.ts';
import { type CensusRun, givesUpAfterSeconds, lookSeconds, mostNodes } from '../domain/census/run.ts';
import type { DueLook } from '../domain/census/second-look.ts';
import { withBurdens, withNode, withSecondLook, withStanding } from '../domain/census/tally.ts';
import { readEvidence, type ServicesOutput } from '../domain/evidence/read-evidence.ts';
import type { Cluster } from '../domain/settings.ts';
import type { Standing } from '../domain/standing/standing.ts';
import { runsIn } from './census-event.ts';
import { liveStandings } from './census-live-standings.ts';

/** The service does not say how many answers it gives in a second; incidents need some of them as well. */
const nodesPerSecond = 10;
/** Of its five minutes, so many are for reading: what is left over is for the next invocation. */
const budgetMs = 200_000;

const logger = new Logger();
// It has time: more tries than an incident would make, each later than the last.
const ssm = new SSMClient({ maxAttempts: 6 });

/**
 * Looks at the answers of one run: reads those that are there and not read yet, publishes the figures of these nodes, and
 * hands the run on, to a later look or to be closed. What it has read travels in the message, so a look that breaks is
 * repeated from where the last one ended.
 */
export async function handler(event: unknown): Promise<void> {
  for (const run of runsIn(event)) await look(run);
}

async function look(run: CensusRun): Promise<void> {
  const cluster = clusterSettings(settings(), run.cluster);
  logger.resetKeys();
  logger.appendKeys({ run: run.id, cluster: run.cluster });
  const began = Date.now();
  const seconds = (began - Date.parse(run.startedAt)) / 1000;
  const limit = givesUpAfterSeconds(run.profile, cluster.census.everyMinutes);
  const late = seconds >= limit;
  const { evidence, services } = run.commands;
  const commands = [evidence, ...(services === undefined ? [] : [services])];
  // Asked before the lists are read, so that these have everybody when it says yes.
  const over = (await Promise.all(commands.map((command) => isOver(ssm, command)))).every((one) => one);
  const read = await readAnswers(run, cluster, { began, last: over || late });
  const { CENSUS_QUEUE_URL, CENSUS_ENDS_QUEUE_URL } = censusEnvironment();
  // However busy the service is, twice the time is the end: who was not read has not answered.
  if ((read.left === 0 && (over || late)) || seconds >= 2 * limit) {
    await putInQueue(sqs(), CENSUS_ENDS_QUEUE_URL, read.run);
    return;
  }
  // Nodes that are left over are read at once; those that are still at it get their time.
  const wait = read.left > 0 && !read.busy ? 0 : lookSeconds;
  await putInQueue(sqs(), CENSUS_QUEUE_URL, read.run, wait);
}

function dueLooks(cluster: string): Promise<Map<string, DueLook>> {
  return new SecondLookStore(dynamo(), censusEnvironment().STATE_TABLE).due(cluster, new Date());
}

/** The standing treatments of each node whose group has any. EC2 is asked only where there is one. */
async function standingsByNode(cluster: string): Promise<Map<string, Standing[]>> {
  const { live } = await liveStandings(cluster, logger);
  const byGroup = Map.groupBy(live, ({ nodeGroup }) => nodeGroup);
  const nodes = byGroup.size === 0 ? [] : await fleetOf(cluster);
  return new Map(
    nodes.flatMap(({ instanceId, nodeGroup }) => {
      const standings = byGroup.get(nodeGroup);
      return standings === undefined ? [] : [[instanceId, standings] as const];
    }),
  );
}

type Answers = {
  run: CensusRun;
  /** Nodes whose answer is there and was not read. */
  left: number;
  /** The service asked for a pause. */
  busy: boolean;
};

async function readAnswers(
  run: CensusRun,
  cluster: Cluster,
  { began, last }: { began: number; last: boolean },
): Promise<Answers> {
  const ready = await readyNodes(run, last);
  const standings =
    run.profile === 'quick' ? await standingsByNode(run.cluster) : new Map<string, Standing[]>();
  const due = run.profile === 'quick' ? await dueLooks(run.cluster) : new Map<string, DueLook>();
  const room = mostNodes - run.answered.length - run.unread.length;
  if (ready.size > room)
    logger.error('the cluster has more nodes than one run can read', { nodes: mostNodes });
  const nodes = [...ready].slice(0, room);
  const figures = new Map<string, Figure[]>();
  let next = run;
  let done = 0;
  let busy = false;
  while (done < nodes.length && !busy && Date.now() - began < budgetMs) {
    const some = nodes.slice(done, done + nodesPerSecond);
    const [answers] = await Promise.all([
      Promise.all(some.map(([id, answered]) => readNode(run, id, answered))),
      sleep(1000),
    ]);
    for (const answer of answers) {
      if (answer === 'later') busy = true;
      else {
        done += 1;
        next = withAnswer(next, answer, cluster, {
          figures,
          due: due.get(answer.id),
          standings: standings.get(answer.id) ?? [],
        });
      }
    }
  }
  if (run.profile === 'quick') publishNodes(run.cluster, figures, new Date());
  return { run: next, left: nodes.length - done, busy };
}

/** Nodes that are done, and have not been read, with whether each document has succeeded there. */
async function readyNodes(
  { commands, answered, unread }: CensusRun,
  last: boolean,
): Promise<Map<string, { evidence: boolean; services: boolean | undefined }>> {
  const known = new Set([...answered, ...unread]);
  const evidence = await finishedOn(ssm, commands.evidence);
  const services = commands.services === undefined ? undefined : await finishedOn(ssm, commands.services);
  const ready = [...evidence].filter(
    ([id]) => !known.has(id) && (services === undefined || services.has(id) || last),
  );
  return new Map(ready.map(([id, succeeded]) => [id, { evidence: succeeded, services: services?.get(id) }]));
}

type Answer = { id: string; output: string | undefined; services: ServicesOutput | undefined };

/** What one node has said; `later` where the service is too busy to tell. */
async function readNode(
  { commands }: CensusRun,
  id: string,
  succeeded: { evidence: boolean; services: boolean | undefined },
): Promise<Answer | 'later'> {
  try {
    const output = succeeded.evidence ? await outputOn(ssm, commands.evidence, id) : undefined;
    if (commands.services === undefined || output === undefined) return { id, output, services: undefined };
    const beside = succeeded.services ? await outputOn(ssm, commands.services, id) : undefined;
    const services = beside === undefined ? { gap: 'collect-services did not answer' } : { output: beside };
    return { id, output, services };
  } catch (error) {
    if (!isPassing(error)) throw error;
    logger.warn('the answer of a node could not be read yet', { instanceId: id, error });
    return 'later';
  }
}

function withAnswer(
  run: CensusRun,
  { id, output, services }: Answer,
  cluster: Cluster,
  {
    figures,
    due,
    standings,
  }: { figures: Map<string, Figure[]>; due: DueLook | undefined; standings: readonly Standing[] },
): CensusRun {
  const read = output === undefined ? undefined : readEvidence(output, services);
  if (read === undefined || !read.ok) {
    const reason = read === undefined ? 'its document did not succeed' : read.error;
    logger.warn('a node told nothing that can be read', { instanceId: id, reason });
    return { ...run, unread: [...run.unread, id] };
  }
  const { evidence } = read;
  const answered = [...run.answered, id];
  if (run.profile === 'full') return { ...run, answered, tally: withBurdens(run.tally, id, evidence) };
  figures.set(id, figuresOf(evidence, cluster.census.nodeMetrics));
  const looked = due === undefined ? run.tally : withSecondLook(run.tally, id, due, evidence, cluster);
  const tally = standings.reduce(
    (present, standing) => withStanding(present, id, standing, evidence, cluster),
    looked,
  );
  return { ...run, answered, tally: withNode(tally, id, evidence, cluster) };
}
