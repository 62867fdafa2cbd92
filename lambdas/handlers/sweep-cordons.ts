import { Logger } from '@aws-lambda-powertools/logger';
import { KMSClient } from '@aws-sdk/client-kms';
import { SNSClient } from '@aws-sdk/client-sns';
import { dynamo } from '../adapters/dynamo.ts';
import { clusterEndpoint } from '../adapters/eks-cluster.ts';
import { embed } from '../adapters/embedded-metrics.ts';
import { environment } from '../adapters/environment.ts';
import { headSigner } from '../adapters/head-signer.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { changerOf, cordonedThrough } from '../adapters/node-changer.ts';
import { publish } from '../adapters/notifier.ts';
import { clusterSettings, settings } from '../adapters/settings-file.ts';
import { ToldCordons } from '../adapters/told-cordons.ts';
import type { AuditDraft } from '../domain/audit/entry.ts';
import {
  type CordonedNode,
  type CordonHolder,
  type CordonVerdict,
  judgeCordon,
  SweepRequest,
  type SweptCordon,
  sweepMessage,
} from '../domain/replacement/forgotten-cordon.ts';
import { freePlaces } from './free-places.ts';
import { auditTrail, leaseStore } from './phase.ts';
import { problemOf } from './problem-of.ts';
import { changerFor } from './way-to-changer.ts';

/** Long enough for one uncordon; one that dies gives the node free after it. */
const leaseSeconds = 120;
const actor = { kind: 'janitor', id: 'sweeper' } as const;

const logger = new Logger();
const sns = new SNSClient({});
const kms = new KMSClient({});

/**
 * Looks for nodes of one cluster that have a cordon of ours and no incident that comes back for it, behind everything else that
 * takes cordons back. Tells people of each once, and uncordons where the settings say so. What cannot be known is told, and
 * nothing is done about it.
 *
 * @throws MedicError where the cluster could not be asked, or not for all of its nodes
 */
export async function handler(input: unknown): Promise<void> {
  const { cluster } = SweepRequest.parse(input);
  logger.resetKeys();
  logger.appendKeys({ cluster });
  const { api, replacement } = clusterSettings(settings(), cluster);
  const endpoint = await clusterEndpoint(cluster, api.access === 'public');
  const functionName = changerOf(environment().CLUSTER_CHANGERS, cluster);
  const { nodes, partial } = await cordonedThrough(functionName, { do: 'cordoned', cluster, endpoint });
  const swept: SweptCordon[] = [];
  for (const node of nodes) {
    const now = new Date();
    const { orphanMinutes } = replacement;
    const verdict = judgeCordon(node, await holderOf(node), { cluster, orphanMinutes, now });
    logger.info('a cordon of ours was found', { ...node, ...verdict });
    if (verdict.is === 'held') continue;
    const mayUncordon = verdict.is === 'forgotten' && replacement.forgottenCordon === 'uncordon';
    swept.push({ ...node, verdict, ...(mayUncordon ? await takeBack(node, cluster, verdict) : {}) });
  }
  const left = swept.filter(({ done }) => done !== true);
  embed({ Cluster: cluster }, [{ metric: 'ForgottenCordons', unit: 'Count', value: left.length }]);
  const store = new ToldCordons(dynamo(), environment().STATE_TABLE);
  const news = await store.untold(cluster, swept);
  // Told first, and then remembered: a repeated message is better than none.
  if (news.length > 0) {
    const incident = `sweep-${cluster}-${new Date().toISOString()}`;
    const message = { kind: 'call-a-person', incident, cluster, ...sweepMessage(cluster, news) } as const;
    await publish(sns, environment().NOTIFY_TOPIC_ARN, message);
  }
  await store.remember(cluster, left);
  // Of a list with gaps nobody knows which nodes are not cordoned.
  if (partial !== undefined) {
    throw new MedicError(`not all nodes of ${cluster} were looked at for forgotten cordons: ${partial}`);
  }
  const cordoned = nodes.filter(({ node }) => !swept.some((one) => one.node === node && one.done));
  await freePlaces(cluster, new Set(cordoned.flatMap(({ instanceId }) => instanceId ?? [])), logger);
}

async function holderOf({ incident, instanceId }: CordonedNode): Promise<CordonHolder> {
  const gap = (error: unknown) => {
    logger.error('who holds a cordon could not be read', { error, incident });
    return { gap: problemOf(error) };
  };
  const [trail, lease] = await Promise.all([
    incident === '' ? [] : auditTrail().entries(incident).catch(gap),
    instanceId === null ? undefined : leaseStore().read(instanceId).catch(gap),
  ]);
  return { trail, lease };
}

/**
 * Uncordons one node, under the lease of the node, so that no incident can begin with it meanwhile, and with a trail of its
 * own: that of the incident is closed, or somebody has to be able to see how it broke off.
 */
async function takeBack(
  { node, instanceId, incident }: CordonedNode,
  cluster: string,
  { says }: CordonVerdict,
): Promise<Pick<SweptCordon, 'done' | 'failed'>> {
  if (instanceId === null) return { failed: 'no instance is behind it' };
  const sweep = `sweep-${incident}`;
  const leases = leaseStore();
  const trail = auditTrail();
  try {
    const lease = await leases.take(instanceId, sweep, leaseSeconds, new Date());
    if (lease.status === 'held') return { failed: `${lease.holder} has the lease of the node` };
    const audit = (draft: AuditDraft) =>
      trail.append(draft, {
        incident: sweep,
        cluster,
        instanceId,
        imageId: null,
        fencing: lease.fencing,
        software: environment().SOFTWARE_VERSION,
        at: new Date().toISOString(),
        key: [draft.step, draft.outcome ?? ''].join(':'),
      });
    try {
      const what = `the node ${node} has the cordon of ${incident}: ${says}; it is about to be taken back`;
      const subject = { actor, details: { node, cordonOf: incident } };
      await audit({ step: 'cordon.swept', what, outcome: 'begun', ...subject });
      const { is, says: answer } = await changerFor({ cluster, instanceId, incident })({
        do: 'uncordon',
        node,
      });
      const done = is === 'done' || is === 'gone' || is === 'already';
      await audit({ step: 'cordon.swept', what: answer, outcome: done ? 'done' : is, ...subject });
      if (!done) return { failed: answer };
      await trail.close(sweep, headSigner(kms, environment().SIGNING_KEY_ID));
      return { done: true };
    } finally {
      await leases.release(instanceId, sweep);
    }
  } catch (error) {
    logger.error('a forgotten cordon could not be taken back', { error, node, incident });
    return { failed: problemOf(error) };
  }
}
