import * as z from 'zod';
import { instanceIdOf } from '../domain/around/instance-node.ts';
import { given, type Read } from '../domain/around/read.ts';
import { Arrival, isOfUse, newcomers } from '../domain/replacement/arrival.ts';
import { Changed } from '../domain/replacement/changed.ts';
import { type CordonStep, cordonOf, toCordon, toUncordon } from '../domain/replacement/cordon.ts';
import { drainStep } from '../domain/replacement/drain.ts';
import { DrainNext, type DrainSeen, DrainState } from '../domain/replacement/drain-state.ts';
import { EvictionAnswer } from '../domain/replacement/eviction-answer.ts';
import { NodeCondition } from '../domain/replacement/hold.ts';
import { NodeToReplace, PodOnNode } from '../domain/replacement/objects.ts';
import { ailing, WaitingPod, whyNoRoom } from '../domain/replacement/others-at-work.ts';
import { Owner, ownerOf } from '../domain/replacement/owner.ts';
import { PodRef } from '../domain/replacement/pod-ref.ts';
import { whyNotReplace } from '../domain/replacement/why-not-replace.ts';
import { Replacement } from '../domain/settings/replacement.ts';
import { ClusterEndpoint } from './eks-cluster.ts';
import { findNode, nodeNamed } from './find-node.ts';
import { HttpsGetter } from './https-get.ts';
import { ApiServerError, KubernetesApi, reading } from './kubernetes-api.ts';
import { KubernetesChanges } from './kubernetes-changes.ts';

const name = z.string().min(1);
/** Between a look at a node and a change of it the kubelet may have written its status. */
const attempts = 4;

/** What is to be done about a node in its cluster. Each can be asked for again, and does nothing twice. */
export const NodeChange = z.discriminatedUnion('do', [
  z.object({
    do: z.literal('examine'),
    /** Names that the node may have: a guess, as in a question about it. */
    names: z.array(z.string()).max(5),
    tags: z.record(z.string(), z.string()),
    leastAgeMinutes: Replacement.shape.leastAgeMinutes,
    /** None where it is left out. */
    pendingPods: z.int().nonnegative().optional(),
  }),
  /** How the node is, and whose cordon it has. */
  z.object({ do: z.literal('condition'), names: z.array(z.string()).max(5) }),
  z.object({ do: z.literal('cordon'), node: name }),
  z.object({ do: z.literal('uncordon'), node: name }),
  z.object({
    do: z.literal('drain'),
    node: name,
    state: DrainState,
    answers: z.array(z.object({ pod: PodRef, answer: EvictionAnswer })),
    policy: Replacement.pick({ barePods: true, localData: true }),
  }),
  z.object({ do: z.literal('evict'), pods: z.array(PodRef).max(50) }),
  /** With its uid, where it was seen before: only then is one that is not there any more gone. */
  z.object({ do: z.literal('delete-node-claim'), nodeClaim: name, claimUid: name.optional() }),
  z.object({
    do: z.literal('arrive'),
    node: name,
    /** The instances of its group now; none where no group has it. */
    members: z.array(z.string()).max(1000),
    since: z.iso.datetime(),
  }),
]);
export type NodeChange = z.infer<typeof NodeChange>;

/** A change of one node, for one incident, in one cluster. */
export const NodeChangeRequest = z.object({
  cluster: z.string(),
  endpoint: ClusterEndpoint,
  instanceId: z.string().regex(/^i-[0-9a-f]{8,17}$/),
  incident: name,
  change: NodeChange,
});
export type NodeChangeRequest = z.infer<typeof NodeChangeRequest>;

/** The answers, by what was to be done. */
export const NodeChangeAnswer = {
  examine: z.object({
    /** `null` where no node is that instance. */
    node: z
      .object({
        name,
        owner: Owner,
        cordon: z.enum(['none', 'ours', 'lifted', 'another', 'foreign']),
        /** Why it must not be drained. */
        whyNot: z.string().optional(),
        /** Conditions on which somebody else may repair it. */
        ailing: z.array(z.string()).optional(),
      })
      .nullable(),
  }),
  /** `null` where no node is that instance. */
  condition: z.object({ node: NodeCondition.nullable() }),
  cordon: Changed,
  uncordon: Changed,
  drain: z.object({ state: DrainState, next: DrainNext }),
  evict: z.object({ answers: z.array(z.object({ pod: PodRef, answer: EvictionAnswer })) }),
  'delete-node-claim': Changed,
  arrive: Arrival,
} as const satisfies Record<NodeChange['do'], z.ZodType>;
export type NodeChangeAnswer = {
  [D in NodeChange['do']]: z.infer<(typeof NodeChangeAnswer)[D]>;
};

export interface ChangeNodeProps {
  readonly request: NodeChangeRequest;
  readonly token: string;
  readonly limitMs: number;
  readonly now: Date;
}

/**
 * Does one thing about a node, within a time limit.
 *
 * @throws ApiServerError where the API server refused or did not answer, and whether it was done is not known
 */
export async function changeNode({
  request,
  token,
  limitMs,
  now,
}: ChangeNodeProps): Promise<NodeChangeAnswer[NodeChange['do']]> {
  const { endpoint, instanceId, incident, change } = request;
  const https = new HttpsGetter({ ca: endpoint.ca, token, signal: AbortSignal.timeout(limitMs) });
  const api = new KubernetesApi(endpoint.endpoint, https);
  const changes = new KubernetesChanges(endpoint.endpoint, https);
  const node = (called: string) => nodeOf(api, called, instanceId);
  try {
    switch (change.do) {
      case 'examine':
        return await examine(api, request, change, now);
      case 'condition':
        return { node: await conditionOf(api, request, change.names) };
      case 'cordon':
        return await patched(
          changes,
          () => node(change.node),
          (found) => toCordon(found, incident),
        );
      case 'uncordon':
        return await patched(
          changes,
          () => node(change.node),
          (found) => toUncordon(found, incident),
        );
      case 'drain': {
        const seen = { ...(await look(api, change.node, request)), answers: change.answers };
        return drainStep(change.state, seen, { policy: change.policy, now });
      }
      case 'evict': {
        const answers = change.pods.map(async (pod) => ({ pod, answer: await changes.evict(pod) }));
        return { answers: await Promise.all(answers) };
      }
      case 'delete-node-claim':
        return await deleteClaim(api, changes, change, instanceId);
      case 'arrive':
        return await arrival(api, change, instanceId);
    }
  } finally {
    https.close();
  }
}

async function examine(
  api: KubernetesApi,
  { instanceId, incident }: NodeChangeRequest,
  { names, tags, leastAgeMinutes, pendingPods = 0 }: Extract<NodeChange, { do: 'examine' }>,
  now: Date,
): Promise<NodeChangeAnswer['examine']> {
  const { value, partial } = await findNode(api, { instanceId, names }, NodeToReplace);
  if (value === null && partial !== undefined) throw new ApiServerError(`the node was not found: ${partial}`);
  if (value === null) return { node: null };
  const owner = await ownerWithClaim(api, ownerOf(value, tags), instanceId);
  const whyNot =
    whyNotReplace(value, { instanceId, now, settings: { leastAgeMinutes } }) ??
    owner.whyNot ??
    whyNoRoom(await waitingPods(api), pendingPods);
  const conditions = ailing(value);
  return {
    node: {
      name: value.metadata.name,
      owner: owner.owner,
      cordon: cordonOf(value, incident),
      ...(whyNot === undefined ? {} : { whyNot }),
      ...(conditions.length === 0 ? {} : { ailing: conditions }),
    },
  };
}

/** @throws ApiServerError */
async function waitingPods(api: KubernetesApi): Promise<WaitingPod[]> {
  const all = await api.list({
    path: '/api/v1/pods',
    item: WaitingPod,
    right: 'list pods',
    fieldSelector: 'status.phase=Pending',
    pageSize: 250,
    maxPages: 4,
  });
  if (all === undefined) throw new ApiServerError('the API server knows no pods');
  return all.value;
}

async function conditionOf(
  api: KubernetesApi,
  { instanceId, incident }: NodeChangeRequest,
  names: string[],
): Promise<NodeCondition | null> {
  const { value, partial } = await findNode(api, { instanceId, names }, NodeToReplace);
  if (value === null && partial !== undefined) throw new ApiServerError(`the node was not found: ${partial}`);
  if (value === null) return null;
  const ready = value.status.conditions.find(({ type }) => type === 'Ready');
  return {
    node: value.metadata.name,
    cordon: cordonOf(value, incident),
    ready: ready?.status === 'True',
    heartbeat: ready?.lastHeartbeatTime ?? null,
    says:
      ready === undefined
        ? 'it has no condition Ready'
        : given(`Ready is ${ready.status}: ${[ready.reason, ready.message].filter(Boolean).join(', ')}`),
  };
}

/** Looks at the node, and patches what it has seen, until nobody comes between. */
async function patched(
  changes: KubernetesChanges,
  read: () => Promise<NodeToReplace | undefined>,
  stepFor: (node: NodeToReplace) => CordonStep,
): Promise<Changed> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const node = await read();
    if (node === undefined) return { is: 'gone', says: 'there is no such node any more' };
    const step = stepFor(node);
    if ('nothing' in step) return { is: step.nothing === 'already' ? 'already' : 'refused', says: step.says };
    const result = await changes.patchNode(node.metadata.name, step.patch);
    if (result === 'done') return { is: 'done', says: 'it was done' };
  }
  throw new ApiServerError(`somebody else changed the node each of the ${attempts} times that it was tried`);
}

/** The node of that name, if it is still the instance. */
async function nodeOf(
  api: KubernetesApi,
  called: string,
  instanceId: string,
): Promise<NodeToReplace | undefined> {
  const node = await nodeNamed(api, called, NodeToReplace);
  return node !== undefined && instanceIdOf(node) === instanceId ? node : undefined;
}

/** What a step of a drain goes by. What cannot be read is a gap, and the drain waits. */
async function look(
  api: KubernetesApi,
  called: string,
  { instanceId, incident }: NodeChangeRequest,
): Promise<Pick<DrainSeen, 'cordon' | 'pods'>> {
  const node: Read<NodeToReplace | null> = await reading(
    nodeOf(api, called, instanceId).then((value) => ({ value: value ?? null })),
    { value: null },
  );
  if ('gap' in node) return { cordon: 'unknown', pods: node };
  if (node.value === null) return { cordon: 'node-gone', pods: { gap: 'there is no such node any more' } };
  const pods = await reading(podsOn(api, called), { gap: 'the API server knows no pods' });
  return { cordon: cordonOf(node.value, incident), pods };
}

function podsOn(api: KubernetesApi, called: string) {
  return api.list({
    path: '/api/v1/pods',
    item: PodOnNode,
    right: 'list pods',
    fieldSelector: `spec.nodeName=${called}`,
    pageSize: 250,
    maxPages: 4,
  });
}

/** How many of the nodes that came are looked at closely: in a group that grows, the newest may not be the first to be of use. */
const mostNewcomers = 3;

async function arrival(
  api: KubernetesApi,
  { node, members, since }: Extract<NodeChange, { do: 'arrive' }>,
  instanceId: string,
): Promise<Arrival> {
  const oldGone = (await nodeOf(api, node, instanceId)) === undefined;
  if (members.length === 0) return { oldGone, arrived: null };
  const all = await api.list({
    path: '/api/v1/nodes',
    item: NodeToReplace,
    right: 'list nodes',
    pageSize: 100,
    maxPages: 50,
  });
  let arrived: Arrival['arrived'] = null;
  const came = newcomers(all?.value ?? [], { instanceId, members, since }).slice(0, mostNewcomers);
  for (const one of came) {
    const pods = await podsOn(api, one.metadata.name);
    const ready = isOfUse(one, pods?.value ?? []);
    if (arrived === null || ready) arrived = { node: one.metadata.name, ready };
    if (ready) break;
  }
  return { oldGone, arrived };
}

const NodeClaim = z.object({
  metadata: z.object({ uid: name, deletionTimestamp: z.string().nullish() }),
  status: z.object({ providerID: z.string().default('') }).prefault({}),
});

function claimPath(called: string): string {
  return `/apis/karpenter.sh/v1/nodeclaims/${encodeURIComponent(called)}`;
}

/** Why a claim is not that of this instance; `undefined` where it says itself that it is. */
function whyNotOf(
  called: string,
  { status }: z.infer<typeof NodeClaim>,
  instanceId: string,
): string | undefined {
  const behind = instanceIdOf({ spec: status });
  if (behind === instanceId) return undefined;
  return `the NodeClaim ${called} is of ${behind ?? 'no instance'}, and not of ${instanceId}`;
}

/** An owner by its claim, as far as that could be read: a node whose claim nobody can read is one that nobody could hand over. */
async function ownerWithClaim(
  api: KubernetesApi,
  owner: Owner,
  instanceId: string,
): Promise<{ owner: Owner; whyNot?: string | undefined }> {
  if (owner.kind !== 'karpenter' && owner.kind !== 'auto-mode') return { owner };
  const { nodeClaim } = owner;
  const claim = await api.get(claimPath(nodeClaim), NodeClaim, 'get nodeclaims');
  if (claim === undefined) {
    const whyNot = `its NodeClaim ${nodeClaim} is not to be found in karpenter.sh/v1, the only version that is spoken here`;
    return { owner, whyNot };
  }
  const whyNot = whyNotOf(nodeClaim, claim, instanceId);
  return { owner: { ...owner, claimUid: claim.metadata.uid }, whyNot };
}

/** Only the claim that says itself that this instance is what it has made, and that was seen before, if one was. */
async function deleteClaim(
  api: KubernetesApi,
  changes: KubernetesChanges,
  { nodeClaim: called, claimUid }: Extract<NodeChange, { do: 'delete-node-claim' }>,
  instanceId: string,
): Promise<Changed> {
  const path = claimPath(called);
  const claim = await api.get(path, NodeClaim, 'get nodeclaims');
  const gone: Changed = { is: 'gone', says: `there is no NodeClaim ${called} any more` };
  if (claim === undefined) {
    // A cluster that does not serve this version answers the same.
    if (claimUid !== undefined) return gone;
    return { is: 'refused', says: `the NodeClaim ${called} was never seen, and is not to be found` };
  }
  const another: Changed = { is: 'refused', says: `the NodeClaim ${called} is another one by now` };
  if (claimUid !== undefined && claim.metadata.uid !== claimUid) return another;
  const whyNot = whyNotOf(called, claim, instanceId);
  if (whyNot !== undefined) return { is: 'refused', says: whyNot };
  if (claim.metadata.deletionTimestamp != null) return { is: 'already', says: 'it is being deleted already' };
  switch (await changes.deleteNodeClaim(path, claim.metadata.uid)) {
    case 'done':
      return { is: 'done', says: 'it is being deleted' };
    case 'gone':
      return gone;
    case 'conflict':
      return another;
  }
}
