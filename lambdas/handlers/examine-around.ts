import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { readTrend } from '../adapters/cloudwatch-trend.ts';
import { type ClusterProbes, clusterGap, readCluster } from '../adapters/cluster-reader.ts';
import { impatient } from '../adapters/impatient.ts';
import { readConsole } from '../adapters/instance-console.ts';
import { askInVpc } from '../adapters/vpc-reader.ts';
import { within } from '../adapters/within.ts';
import { boundAround } from '../domain/around/bound.ts';
import { failed, notHere } from '../domain/around/read.ts';
import type { AroundProbes } from '../domain/evidence/around-probes.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Cluster } from '../domain/settings.ts';
import { evidenceOf } from './evidence-of.ts';
import { phase } from './phase.ts';
import { problemOf } from './problem-of.ts';
import { askCluster } from './way-to-cluster.ts';

/** How long each of the three may take. They are asked at the same time, and the function has 30 s. */
const limitMs = 20_000;
/** Of these, what the API server has. */
const clusterMs = 14_000;

/**
 * Adds what is known around the node: the trend of its metrics, what the API server and the kubelet say, and the console
 * of an instance that does not answer. Nothing in here can fail an incident: what is refused or too slow becomes a gap.
 */
export const handler = phase('examine-around', async (state, { cluster, audit, now, logger }) => {
  const { instanceId, cluster: name } = state.incident;
  const answered = 'evidence' in evidenceOf(state);
  const gap = (what: string) => (error: unknown) => {
    logger.warn('what is known around the node could not be read', { what, error });
    return problemOf(error);
  };
  const [trend, nodeConsole, known] = await Promise.all([
    within(
      limitMs,
      'CloudWatch',
      readTrend(new CloudWatchClient(impatient), { cluster: name, instanceId, now: now() }),
    ).catch((error) => failed(gap('trend')(error))),
    answered
      ? notHere('the node has answered, and its own log says more than its console')
      : within(limitMs, 'EC2', readConsole(instanceId)).catch((error) => failed(gap('console')(error))),
    within(limitMs, 'the cluster', ask(name, cluster, instanceId, now())).catch((error) =>
      clusterGap(gap('cluster')(error)),
    ),
  ]);
  const around: AroundProbes = boundAround({ ...known, trend, console: nodeConsole });
  const read = Object.entries(around).map(([probe, { status }]) => `${probe} ${status}`);
  await audit({
    step: 'examination.around',
    actor: { kind: 'rule', id: 'examine-around' },
    what: `what is known around the node was asked for: ${read.join(', ')}`,
    details: { access: cluster.api.access, gaps: gapsOf(around) },
  });
  const { aroundError: _, ...rest } = state;
  return { ...rest, around } satisfies IncidentState;
});

/** What the cluster knows of the node, by the way to it that the settings name. */
async function ask(name: string, { api }: Cluster, instanceId: string, now: Date): Promise<ClusterProbes> {
  if (api.access === 'none') {
    return clusterGap(
      `the API server is not asked: clusters.${name}.api.access is none; docs/around.md says how to switch it on`,
      notHere,
    );
  }
  return askCluster({
    cluster: name,
    access: api.access,
    instanceId,
    now,
    limitMs,
    here: (question, token) => readCluster({ question, token, kubelet: false, limitMs: clusterMs, now }),
    inVpc: askInVpc,
  });
}

function gapsOf(around: AroundProbes): Record<string, string> {
  return Object.fromEntries(
    Object.entries(around).flatMap(([name, probe]) => (probe.status === 'ok' ? [] : [[name, probe.reason]])),
  );
}
