import type { Logger } from '@aws-lambda-powertools/logger';
import { SNSClient } from '@aws-sdk/client-sns';
import { censusEnvironment } from '../adapters/census-environment.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { publish } from '../adapters/notifier.ts';
import { putInQueue, sqs } from '../adapters/queue.ts';
import { SecondLookStore } from '../adapters/second-look-store.ts';
import type { ClusterNode } from '../domain/census/node.ts';
import type { Raised } from '../domain/census/raise.ts';
import type { CensusRun } from '../domain/census/run.ts';
import { type SecondLook, secondLookMessage, waitsForSilentMs } from '../domain/census/second-look.ts';

const sns = new SNSClient({});

function secondLooks(): SecondLookStore {
  return new SecondLookStore(dynamo(), censusEnvironment().STATE_TABLE);
}

/**
 * Ends the second looks of a run: what came back is told to people; what a quick look does not tell is examined by an
 * incident. A node that is gone is forgotten, one that does not answer is waited for, and told of after a day.
 */
export async function settleSecondLooks(
  run: CensusRun,
  running: readonly ClusterNode[],
  logger: Logger,
): Promise<void> {
  const store = secondLooks();
  const now = new Date();
  const here = new Set(running.map(({ instanceId }) => instanceId));
  for (const look of run.tally.secondLooks) {
    const { instanceId, due, result, reason } = look;
    logger.info('a provisional cure was looked at again', { instanceId, result, reason });
    if (result === 'came-back' || (result === 'unseen' && !(await examine(run, look, now)))) {
      await tell(run.cluster, look);
    }
    // Last: a repeated message tells people twice rather than never.
    await store.forget(run.cluster, instanceId, due);
  }
  const seen = new Set(run.tally.secondLooks.map(({ instanceId }) => instanceId));
  for (const [instanceId, due] of await store.due(run.cluster, now)) {
    if (seen.has(instanceId) || run.answered.includes(instanceId)) continue;
    if (!here.has(instanceId)) logger.info('a node is gone before its second look', { instanceId });
    else if (now.getTime() - Date.parse(due.at) < waitsForSilentMs) continue;
    else
      await tell(run.cluster, { instanceId, due, reason: 'the node has not answered the census for a day' });
    await store.forget(run.cluster, instanceId, due);
  }
}

/** @returns whether there is an intake to ask for an examination */
async function examine(run: CensusRun, { instanceId, due, reason }: SecondLook, now: Date): Promise<boolean> {
  const { INTAKE_QUEUE_URL } = censusEnvironment();
  if (INTAKE_QUEUE_URL === undefined) return false;
  const message: Raised = {
    source: 'census',
    received: now.toISOString(),
    payload: {
      cluster: run.cluster,
      instanceId,
      at: run.startedAt,
      reason: `second look after the provisional cure of ${due.cause} by ${due.treatment} (incident ${due.incident}): ${reason}`,
    },
  };
  await putInQueue(sqs(), INTAKE_QUEUE_URL, message);
  return true;
}

async function tell(cluster: string, look: Pick<SecondLook, 'instanceId' | 'due' | 'reason'>): Promise<void> {
  const { title, text } = secondLookMessage(cluster, look);
  const { NOTIFY_TOPIC_ARN } = censusEnvironment();
  await publish(sns, NOTIFY_TOPIC_ARN, { kind: 'call-a-person', incident: look.due.incident, title, text });
}
