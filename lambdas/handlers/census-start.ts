import { Logger } from '@aws-lambda-powertools/logger';
import { sendToCluster } from '../adapters/census-commands.ts';
import { censusEnvironment } from '../adapters/census-environment.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { putInQueue, sqs } from '../adapters/queue.ts';
import { clusterSettings, settings } from '../adapters/settings-file.ts';
import { ssm } from '../adapters/ssm.ts';
import { pinDocument } from '../adapters/ssm-documents.ts';
import { CensusRequest, type CensusRun, lookSeconds, runId } from '../domain/census/run.ts';
import { emptyTally } from '../domain/census/tally.ts';
import type { Arguments } from '../domain/treatments/treatment.ts';

const logger = new Logger();

/** Long enough to see whether tasks reclaim memory themselves, and short enough for every quarter of an hour. */
const quickWindowSeconds = '1';

/**
 * Begins one run of the census: sends the document to all nodes of one cluster, and leaves word for whoever reads the
 * answers. A run that is begun twice asks the nodes twice, and changes nothing.
 */
export async function handler(input: unknown): Promise<{ run: string }> {
  const request = CensusRequest.parse(input);
  const all = settings();
  const { census, examination } = clusterSettings(all, request.cluster);
  const startedAt = new Date();
  const id = runId(request, startedAt);
  const send = async (name: string, args: Arguments): Promise<string> =>
    sendToCluster(ssm(), {
      document: await pinDocument(ssm(), referenceTo(name)),
      cluster: request.cluster,
      arguments: args,
      deliverySeconds: all.command.deliverySeconds,
      nodesAtOnce: census.nodesAtOnce,
      comment: `cgroup-medic ${id}`,
    });
  const full = request.profile === 'full';
  const windowSeconds = full ? String(examination.windowSeconds) : quickWindowSeconds;
  const evidence = await send('collect-evidence', { profile: request.profile, windowSeconds });
  const services = full ? await send('collect-services', {}) : undefined;
  const run: CensusRun = {
    version: 1,
    id,
    cluster: request.cluster,
    profile: request.profile,
    startedAt: startedAt.toISOString(),
    commands: { evidence, ...(services === undefined ? {} : { services }) },
    answered: [],
    unread: [],
    tally: emptyTally,
  };
  await putInQueue(sqs(), censusEnvironment().CENSUS_QUEUE_URL, run, lookSeconds);
  logger.info('census began', { run: id, commands: run.commands });
  return { run: id };
}

function referenceTo(name: string) {
  const { DOCUMENTS } = censusEnvironment();
  const reference = Object.hasOwn(DOCUMENTS, name) ? DOCUMENTS[name] : undefined;
  if (reference === undefined) throw new MedicError(`document "${name}" is not part of this deployment`);
  return reference;
}
