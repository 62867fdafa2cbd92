import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clusterToken } from '../../../lambdas/adapters/eks-token.ts';
import { changeNode, type NodeChange, type NodeChangeAnswer } from '../../../lambdas/adapters/node-change.ts';
import { makeAct, type ReplacementTools } from '../../../lambdas/adapters/replacement-act.ts';
import { membersOf, sizeOf, terminateInGroup } from '../../../lambdas/adapters/scaling-group.ts';
import { cordonAnnotation } from '../../../lambdas/domain/replacement/cordon.ts';
import { afterAct, startReplacement } from '../../../lambdas/domain/replacement/course.ts';
import type { CourseEnd, ReplacementState } from '../../../lambdas/domain/replacement/course-state.ts';
import type { NodeGroupNow } from '../../../lambdas/domain/replacement/others-at-work.ts';
import { Replacement } from '../../../lambdas/domain/settings/replacement.ts';
import { autoscalingService, type LocalGroup } from '../../../local/cloud/autoscaling.ts';
import {
  type ClusterNode,
  type LocalApiServer,
  startApiServer,
} from '../../../local/cloud/kubernetes-api.ts';
import type { KubernetesObject } from '../../../local/cloud/kubernetes-changes.ts';
import { answerError, readRequest, type ServiceError } from '../../../local/cloud/wire.ts';
import { endStandIn, standInFor } from './at-the-wire.ts';

const old = 'i-0123456789abcdef0';
const fresh = 'i-0fedcba9876543210';
const incident = 'prod-i-0123456789abcdef0-1764312000';
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret' };
const settings = Replacement.parse({ enabled: true });

type Node = ClusterNode['cluster'];
const pod = (name: string, owner = 'ReplicaSet') => ({
  metadata: {
    name,
    namespace: 'shop',
    uid: `uid-${name}`,
    ownerReferences: [{ kind: owner, name: 'x', controller: true }],
  },
  spec: {},
  status: { phase: 'Running' },
});
const node = (name: string, metadata: object, pods: object[], ready = true): Node =>
  ({
    node: {
      metadata: { name, ...metadata },
      status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    },
    pods,
    events: [],
    podCertificateRequests: [],
    kubeletMetrics: null,
  }) as unknown as Node;

let nodes: ClusterNode[];
let groups: LocalGroup[];
let nodeGroup: NodeGroupNow;
let server: LocalApiServer;
let at: number;
let intended: string[];
/** Throws in place of a call that was made, or is not made. */
let lost: (act: ReplacementState['at'], when: 'before' | 'after') => void;

const scaling = createServer(async (message, response) => {
  const request = await readRequest(message);
  try {
    await autoscalingService(() => groups).answer(request, response);
  } catch (error) {
    answerError(request, response, error as ServiceError);
  }
});

beforeEach(async () => {
  at = Date.now();
  intended = [];
  lost = () => {};
  nodes = [
    { instanceId: old, cluster: node('old', {}, [pod('web-1'), pod('web-2'), pod('agent', 'DaemonSet')]) },
  ];
  nodeGroup = { status: 'ACTIVE', issues: [], repairs: false };
  groups = [{ name: 'eks-web', desired: 1, instances: { [old]: 'InService' }, suspended: [] }];
  server = await startApiServer({ nodes: () => nodes });
  await standInFor('AUTO_SCALING', scaling);
});
afterEach(async () => {
  await server.close();
  await endStandIn(scaling);
});

function tools(tags: Record<string, string>): ReplacementTools {
  return {
    async change<C extends NodeChange>(change: C) {
      const request = {
        cluster: 'prod',
        endpoint: { endpoint: server.endpoint, ca: server.certificateAuthority },
        instanceId: old,
        incident,
        change,
      };
      const token = await clusterToken('prod', { region: 'eu-central-1', credentials, now: new Date() });
      return (await changeNode({
        request,
        token,
        limitMs: 5000,
        now: new Date(at),
      })) as NodeChangeAnswer[C['do']];
    },
    terminateInGroup,
    membersOf,
    ownerNow: async (owner) => ({
      nodeGroup,
      group: 'group' in owner ? await sizeOf(owner.group, old) : undefined,
    }),
    known: async () => ({ names: ['old'], tags }),
    async intend(act, what) {
      intended.push(`${act}: ${what}`);
    },
  };
}

type Options = { tags?: Record<string, string>; between?: (state: ReplacementState, act: number) => void };

/** A replacement as the state machine would make it: an act, a wait, the next act; the state is JSON in between. */
async function replace({
  tags = { 'aws:autoscaling:groupName': 'eks-web' },
  between = () => {},
}: Options = {}): Promise<CourseEnd> {
  let state = startReplacement(old);
  const all = tools(tags);
  const broken: ReplacementTools = {
    ...all,
    async change(change) {
      const act = state.at;
      lost(act, 'before');
      const answer = await all.change(change);
      lost(act, 'after');
      return answer;
    },
    async terminateInGroup(group, id) {
      lost('hand-over', 'before');
      const answer = await terminateInGroup(group, id);
      lost('hand-over', 'after');
      return answer;
    },
  };
  for (let act = 1; act < 300; act += 1) {
    between(state, act);
    const happened = await makeAct(state, broken, settings);
    state = JSON.parse(JSON.stringify(afterAct(state, happened, { settings, now: new Date(at) })));
    if (state.at === 'over' && state.end !== null) return state.end;
    at += state.waitSeconds * 1000;
  }
  throw new Error('it does not end');
}

/** The group ends the old instance, and starts another, whose node comes. */
function groupGoesOn(ready = true): void {
  const [group] = groups;
  if (group === undefined || group.instances[old] !== 'Terminating') return;
  delete group.instances[old];
  group.instances[fresh] = 'InService';
  nodes = [
    {
      instanceId: fresh,
      cluster: node(
        'new',
        { creationTimestamp: new Date(at + 1000).toISOString() },
        [pod('agent-2', 'DaemonSet')],
        ready,
      ),
    },
  ];
}

const cordonOnOld = () => {
  const [known] = nodes;
  if (known === undefined) return undefined;
  const { metadata, spec } = server.changes.node(
    known.cluster.node as unknown as KubernetesObject,
  ) as unknown as {
    metadata: { annotations: Record<string, string> };
    spec: { unschedulable?: boolean };
  };
  return { by: metadata.annotations[cordonAnnotation], unschedulable: spec.unschedulable ?? false };
};
const whenArriving =
  (ready = true) =>
  (state: ReplacementState) => {
    if (state.at === 'arrive') groupGoesOn(ready);
  };

const labels = { 'eks.amazonaws.com/nodegroup': 'workers' };

describe('a node of a group', () => {
  it('is cordoned, drained and ended by its group, and over when the new one runs pods; what is changed is written down before', async () => {
    expect(await replace({ between: whenArriving() })).toEqual({
      is: 'replaced',
      says: 'new is Ready, and runs pods',
      newNode: 'new',
      cordonLeft: false,
    });
    expect(intended).toEqual([
      'cordon: the node old is about to be cordoned',
      'evict: on the node old these pods are about to be evicted: shop/web-1, shop/web-2',
      `hand-over: the group eks-web is about to be asked to end ${old}`,
    ]);
    expect(server.changes.evicted).toEqual(['shop/web-1', 'shop/web-2']);
    expect(groups).toMatchObject([{ desired: 1, instances: { [fresh]: 'InService' } }]);
  });

  it.each<[string, () => void, RegExp]>([
    [
      'its node group is updated',
      () => {
        nodeGroup = { ...nodeGroup, status: 'UPDATING' };
      },
      /workers is being updated/,
    ],
    [
      'its group lacks nodes',
      () => {
        for (const group of groups) group.desired = 2;
      },
      /has 1 of 2 instances in service/,
    ],
    [
      'EKS may repair it',
      () => {
        nodeGroup = { ...nodeGroup, repairs: true };
        nodes = [{ instanceId: old, cluster: node('old', { labels }, [], false) }];
      },
      /auto repair may be at work on the node \(Ready is False\)/,
    ],
    [
      'pods of the cluster have no room',
      () => {
        const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }];
        const waiting = { ...pod('web-9'), status: { phase: 'Pending', conditions } };
        nodes = [{ instanceId: old, cluster: node('old', { labels }, [waiting]) }];
      },
      /1 pods of the cluster wait for room already \(shop\/web-9\)/,
    ],
  ])('is left as it is while %s', async (_, change, says) => {
    nodes = [{ instanceId: old, cluster: node('old', { labels }, [pod('web-1')]) }];
    change();
    const tags = { 'aws:autoscaling:groupName': 'eks-web', 'eks:nodegroup-name': 'workers' };
    expect(await replace({ tags })).toMatchObject({
      is: 'refused',
      says: expect.stringMatching(says),
      cordonLeft: false,
    });
    expect(intended).toEqual([]);
    expect(groups).toMatchObject([{ instances: { [old]: 'InService' } }]);
  });

  it('whose new node does not come, or is of no use, is told as failed in time', async () => {
    expect(await replace({ between: whenArriving(false) })).toMatchObject({
      is: 'failed',
      says: 'after 20 min there is new, which is not Ready or runs no pod, and the old one has gone',
    });
    expect(at - Date.now()).toBeLessThan(30 * 60_000);
  });

  it('that does not go itself is told as failed, however many new ones come', async () => {
    const end = await replace({
      between: (state) => {
        const before = nodes;
        if (state.at === 'arrive') groupGoesOn();
        nodes = [...new Set([...before, ...nodes])];
      },
    });
    expect(end).toMatchObject({
      is: 'failed',
      cordonLeft: true,
      says: expect.stringMatching(/the old one is still there; the node old stays cordoned/),
    });
  });

  it('that a budget holds keeps its pods, is uncordoned, and nobody is asked to end it', async () => {
    server.changes.budgets.push({ namespace: 'shop', name: 'web', pods: ['web-1', 'web-2'], allowed: 0 });
    expect(await replace()).toMatchObject({
      is: 'not-drained',
      cordonLeft: false,
      report: { budgets: ['shop/web'], evicted: 0, pods: [{ pod: 'shop/web-1' }, { pod: 'shop/web-2' }] },
    });
    expect(cordonOnOld()).toEqual({ by: undefined, unschedulable: false });
    expect(groups[0]?.instances).toEqual({ [old]: 'InService' });
  });

  it('whose group would make no new one is uncordoned, although it is empty by then', async () => {
    groups[0]?.suspended.push('Launch');
    expect(await replace()).toMatchObject({
      is: 'refused',
      says: expect.stringContaining('suspended Launch'),
      cordonLeft: false,
    });
    expect(cordonOnOld()).toEqual({ by: undefined, unschedulable: false });
  });

  it('that nobody owns is not touched', async () => {
    expect(await replace({ tags: {} })).toMatchObject({
      is: 'refused',
      says: expect.stringContaining('nobody is known to replace'),
    });
    expect(intended).toEqual([]);
    expect(server.asked.filter((one) => !one.startsWith('/'))).toEqual([]);
  });

  it('that somebody uncordons meanwhile is theirs', async () => {
    server.changes.budgets.push({ namespace: 'shop', name: 'web', pods: ['web-1', 'web-2'], allowed: 0 });
    const end = await replace({
      between: (_, act) => {
        const [known] = nodes;
        if (act === 6 && known !== undefined)
          server.changes.touch(known.cluster.node as unknown as KubernetesObject, { unschedulable: false });
      },
    });
    expect(end).toMatchObject({ is: 'not-drained', says: expect.stringContaining('uncordoned the node') });
    expect(cordonOnOld()).toEqual({ by: undefined, unschedulable: false });
  });
});

it('a node of Karpenter is drained, and its claim deleted: no group is asked', async () => {
  const [known] = nodes;
  Object.assign(known?.cluster.node.metadata ?? {}, {
    labels: { 'karpenter.sh/nodepool': 'default' },
    ownerReferences: [{ kind: 'NodeClaim', name: 'default-x' }],
  });
  server.changes.nodeClaims.push({ name: 'default-x', uid: 'claim-uid', instanceId: old });
  const end = await replace({
    tags: {},
    between: (state) => {
      if (state.at === 'arrive') nodes = [];
    },
  });
  expect(end).toMatchObject({ is: 'replaced', cordonLeft: false });
  expect(server.changes.nodeClaims).toMatchObject([{ deleting: true }]);
  expect(groups[0]?.instances).toEqual({ [old]: 'InService' });
});

describe('an act of which nobody hears', () => {
  it.each([
    ['cordon', 'after'],
    ['cordon', 'before'],
    ['evict', 'after'],
    ['drain', 'before'],
    ['hand-over', 'after'],
    ['hand-over', 'before'],
    ['examine', 'before'],
  ] as const)('(%s, lost %s it was made) is made up for, and nothing happens twice', async (act, when) => {
    let once = false;
    lost = (one, at) => {
      if (one !== act || at !== when || once) return;
      once = true;
      throw new Error('the connection broke');
    };
    expect(await replace({ between: whenArriving() })).toMatchObject({ is: 'replaced', cordonLeft: false });
    expect(once).toBe(true);
    expect(server.changes.evicted).toEqual(['shop/web-1', 'shop/web-2']);
    expect(Object.keys(groups[0]?.instances ?? {})).toEqual([fresh]);
  });

  it.each(['cordon', 'evict', 'drain', 'hand-over'] as const)(
    '(%s, for good) ends with the node uncordoned, and its pods where they are or elsewhere',
    async (act) => {
      lost = (one, when) => {
        if (one === act && when === 'before') throw new Error('the connection broke');
      };
      expect(await replace()).toMatchObject({
        is: act === 'evict' ? 'not-drained' : 'failed',
        cordonLeft: false,
      });
      expect(cordonOnOld()).toEqual({ by: undefined, unschedulable: false });
      expect(groups[0]?.instances).toEqual({ [old]: 'InService' });
    },
  );

  it('and cannot be taken back is told: the cordon is left', async () => {
    server.changes.budgets.push({ namespace: 'shop', name: 'web', pods: ['web-1', 'web-2'], allowed: 0 });
    lost = (act) => {
      if (act === 'uncordon') throw new Error('the API server is gone');
    };
    expect(await replace()).toMatchObject({ is: 'not-drained', cordonLeft: true });
  });
});

it('is not made where it could not be written down before', async () => {
  const state: ReplacementState = { ...startReplacement(old), at: 'cordon', node: 'old' };
  const silent = { ...tools({}), intend: () => Promise.reject(new Error('the audit is down')) };
  await expect(makeAct(state, silent, settings)).rejects.toThrow('the audit is down');
  expect(cordonOnOld()).toEqual({ by: undefined, unschedulable: false });
});
