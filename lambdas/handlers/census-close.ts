import { Logger } from '@aws-lambda-powertools/logger';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { SNSClient } from '@aws-sdk/client-sns';
import { censusEnvironment } from '../adapters/census-environment.ts';
import { publishCluster } from '../adapters/census-metrics.ts';
import { fleetOf, runningNodes } from '../adapters/cluster-nodes.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { publish } from '../adapters/notifier.ts';
import { putInQueue, sqs } from '../adapters/queue.ts';
import { RaisedStore } from '../adapters/raised-store.ts';
import { clusterSettings, settings } from '../adapters/settings-file.ts';
import { clusterFigures } from '../domain/census/cluster-figures.ts';
import { fleetReport } from '../domain/census/fleet-report.ts';
import { type ClusterNode, nodesAsked } from '../domain/census/node.ts';
import { raisedMessage } from '../domain/census/raise.ts';
import type { CensusRun } from '../domain/census/run.ts';
import { isLeftToStanding } from '../domain/census/standing-seen.ts';
import type { Candidate } from '../domain/census/tally.ts';
import type { Cluster } from '../domain/settings.ts';
import type { Standing } from '../domain/standing/standing.ts';
import { runsIn } from './census-event.ts';
import { liveStandings } from './census-live-standings.ts';
import { settleSecondLooks } from './census-second-looks.ts';
import { actByStandings } from './census-standing.ts';

const sns = new SNSClient({});
const cloudwatch = new CloudWatchClient({});

const logger = new Logger();

/** Ends runs with what they have: compares them with the nodes that there are, raises or reports, and counts. */
export async function handler(event: unknown): Promise<void> {
  for (const run of runsIn(event)) {
    logger.resetKeys();
    logger.appendKeys({ run: run.id, cluster: run.cluster });
    await close(run, clusterSettings(settings(), run.cluster));
  }
}

async function close(run: CensusRun, cluster: Cluster): Promise<void> {
  const startedAt = new Date(run.startedAt);
  const running = await runningNodes(run.cluster);
  const { asked, silent } = nodesAsked(running, run.answered, startedAt);
  const nodes = { nodes: asked.length, answered: asked.length - silent.length };
  if (silent.length > 0) {
    const some = silent.slice(0, 50).map(({ instanceId }) => instanceId);
    logger.warn('nodes did not answer the census', { silent: silent.length, some });
  }
  if (run.profile === 'full') {
    const { NOTIFY_TOPIC_ARN } = censusEnvironment();
    const { title, text, findings } = fleetReport(run.cluster, nodes.nodes, run.tally.burdens);
    await publish(sns, NOTIFY_TOPIC_ARN, { kind: 'fleet-report', incident: run.id, title, text });
    logger.info('weekly report was sent', { ...nodes, findings });
    return;
  }
  const { live, known } = await liveStandings(run.cluster, logger);
  // First: what people agreed to for a group takes the place of a question about each of its nodes.
  const standing = await actByStandings(live, known, { run, cluster, running, logger });
  const raised = await raise(run, cluster, running, await keptByStandings(run.cluster, live));
  await settleSecondLooks(run, running, logger);
  const figures = clusterFigures(run.tally, { ...nodes, ...raised }, standing);
  await publishCluster(cloudwatch, run.cluster, figures, startedAt);
  logger.info('census ended', { ...figures.counts, unread: run.unread.length });
  const broken = standing?.broken ?? [];
  // Only now, with all else done: it is tried again, and at last its message lies where an alarm sees it.
  if (broken.length > 0) {
    throw new MedicError(
      `standing treatments broke in this run: ${broken.map(({ id, problem }) => `${id}: ${problem}`).join('; ')}`,
    );
  }
}

/** Which candidates are left to the standing treatment of their group: those of a cause that it is for. */
async function keptByStandings(
  cluster: string,
  live: readonly Standing[],
): Promise<(candidate: Candidate) => boolean> {
  if (live.length === 0) return () => false;
  const groupOf = new Map(
    (await fleetOf(cluster)).map(({ instanceId, nodeGroup }) => [instanceId, nodeGroup]),
  );
  return (candidate) =>
    live.some(
      ({ nodeGroup, treatment }) =>
        nodeGroup === groupOf.get(candidate.instanceId) && isLeftToStanding(candidate, treatment),
    );
}

/** Hands the worst nodes over threshold to the intake, those apart that were handed over not long ago. */
async function raise(
  run: CensusRun,
  { census: { raiseAtMost, coolDownMinutes } }: Cluster,
  running: readonly ClusterNode[],
  isKept: (candidate: Candidate) => boolean,
): Promise<{ raised: number; heldBack: number }> {
  const { INTAKE_QUEUE_URL, STATE_TABLE } = censusEnvironment();
  const { overThreshold, candidates } = run.tally;
  if (INTAKE_QUEUE_URL === undefined) {
    if (overThreshold > 0) logger.error('there is no intake to raise nodes with', { overThreshold });
    return { raised: 0, heldBack: overThreshold };
  }
  const store = new RaisedStore(dynamo(), STATE_TABLE);
  const known = new Map(running.map((node) => [node.instanceId, node]));
  let [raised, passed] = [0, 0];
  for (const candidate of candidates) {
    if (raised >= raiseAtMost) break;
    const node = known.get(candidate.instanceId);
    const now = new Date();
    // Gone since it answered, left to the standing treatment of its group, or raised not long ago.
    if (
      node === undefined ||
      isKept(candidate) ||
      !(await store.claim(candidate.instanceId, run.id, coolDownMinutes, now))
    ) {
      passed += 1;
      continue;
    }
    await putInQueue(sqs(), INTAKE_QUEUE_URL, raisedMessage(run, candidate, node.name, now));
    raised += 1;
    logger.info('a node is raised', { ...candidate });
  }
  const heldBack = overThreshold - raised - passed;
  if (heldBack > 0) logger.warn('more nodes are over threshold than one run raises', { raised, heldBack });
  return { raised, heldBack };
}
