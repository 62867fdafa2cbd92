import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clusterToken } from '../../../lambdas/adapters/eks-token.ts';
import {
  changeNode,
  type NodeChange,
  NodeChangeAnswer,
  NodeChangeRequest,
} from '../../../lambdas/adapters/node-change.ts';
import { cordonAnnotation } from '../../../lambdas/domain/replacement/cordon.ts';
import { startDrain } from '../../../lambdas/domain/replacement/drain.ts';
import type { DrainEnd, DrainState } from '../../../lambdas/domain/replacement/drain-state.ts';
import type { PodRef } from '../../../lambdas/domain/replacement/pod-ref.ts';
import { handler } from '../../../lambdas/handlers/change-node.ts';
import { refusal } from '../../../local/cloud/kubernetes-answer.ts';
import {
  type ApiServerProps,
  type ClusterNode,
  type LocalApiServer,
  startApiServer,
} from '../../../local/cloud/kubernetes-api.ts';
import type { KubernetesObject } from '../../../local/cloud/kubernetes-changes.ts';

const instanceId = 'i-0123456789abcdef0';
const nodeName = 'ip-10-0-0-1.ec2.internal';
const incident = 'prod-i-0123456789abcdef0-1764312000';
const identity = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret' },
};
const policy = { barePods: 'block', localData: 'block' } as const;

const pod = (name: string, owner = 'ReplicaSet') => ({
  metadata: {
    name,
    namespace: 'shop',
    uid: `uid-${name}`,
    ownerReferences: [{ kind: owner, name: 'x', controller: true }],
  },
  spec: { containers: [] },
  status: { phase: 'Running' },
});

let node: KubernetesObject;
let pods: ReturnType<typeof pod>[];
let instead: ApiServerProps['instead'];
let server: LocalApiServer;
beforeEach(async () => {
  instead = undefined;
  node = { metadata: { name: nodeName, uid: 'node-uid' }, status: {} } as KubernetesObject;
  pods = [pod('web-1'), pod('web-2'), pod('agent', 'DaemonSet')];
  server = await startApiServer({
    nodes: () => [
      {
        instanceId,
        cluster: {
          node,
          pods,
          events: [],
          podCertificateRequests: [],
          kubeletMetrics: null,
        } as ClusterNode['cluster'],
      },
    ],
    instead: (url, method) => instead?.(url, method),
  });
});
afterEach(() => server.close());

type Options = { token?: string; limitMs?: number; now?: Date; incident?: string };

/** The same as through the wire of Lambda: the request and the answer are JSON, and are what their schemas say. */
async function change<C extends NodeChange>(
  one: C,
  options: Options = {},
): Promise<NodeChangeAnswer[C['do']]> {
  const { now = new Date(), limitMs = 5000 } = options;
  const request = NodeChangeRequest.parse(
    JSON.parse(
      JSON.stringify({
        cluster: 'prod',
        endpoint: { endpoint: server.endpoint, ca: server.certificateAuthority },
        instanceId,
        incident: options.incident ?? incident,
        change: one,
      }),
    ),
  );
  const token = options.token ?? (await clusterToken('prod', { ...identity, now: new Date() }));
  const answer = await changeNode({ request, token, limitMs, now });
  return NodeChangeAnswer[one.do].parse(JSON.parse(JSON.stringify(answer))) as NodeChangeAnswer[C['do']];
}

const cordon = (options: Options = {}) => change({ do: 'cordon', node: nodeName }, options);
const uncordon = (options: Options = {}) => change({ do: 'uncordon', node: nodeName }, options);
const evict = async (...names: string[]) => {
  const refs: PodRef[] = names.map((name) => ({ namespace: 'shop', name, uid: `uid-${name}` }));
  const { answers } = await change({ do: 'evict', pods: refs });
  return answers.map(({ answer }) => answer);
};
const nodeNow = () =>
  server.changes.node(node) as unknown as {
    metadata: { annotations: Record<string, string>; resourceVersion: string };
    spec: { unschedulable?: boolean };
  };
const changesAsked = () => server.asked.filter((one) => !one.startsWith('/'));

describe('a cordon', () => {
  it('is made with the name of the incident, and taken back with it', async () => {
    expect(await cordon()).toEqual({ is: 'done', says: 'it was done' });
    expect(nodeNow()).toMatchObject({
      metadata: { annotations: { [cordonAnnotation]: incident } },
      spec: { unschedulable: true },
    });
    expect(await cordon()).toMatchObject({ is: 'already' });

    expect(await uncordon()).toMatchObject({ is: 'done' });
    expect(nodeNow().metadata.annotations).toEqual({});
    expect(nodeNow().spec.unschedulable).toBeUndefined();
    expect(await uncordon()).toMatchObject({ is: 'already' });
    expect(changesAsked()).toEqual(
      Array(2).fill(`PATCH /api/v1/nodes/${nodeName}?fieldManager=cgroup-medic`),
    );
  });

  it.each([
    ['somebody else', {}, 'somebody else has cordoned it'],
    ['another incident', { [cordonAnnotation]: 'another' }, 'it has the cordon of incident another'],
  ])('of %s stays, with all that it is', async (_, annotations, says) => {
    server.changes.touch(node, { annotations, unschedulable: true });
    const before = nodeNow();
    expect(await cordon()).toEqual({ is: 'refused', says });
    expect(await uncordon()).toEqual({ is: 'refused', says });
    expect(nodeNow()).toEqual(before);
    expect(changesAsked()).toEqual([]);
  });

  it('is tried again where the node has changed since it was read, and looks at it anew each time', async () => {
    let patches = 0;
    instead = (_, method) => {
      if (method === 'PATCH' && ++patches === 1) server.changes.touch(node);
      return undefined;
    };
    expect(await cordon()).toMatchObject({ is: 'done' });
    expect(patches).toBe(2);
  });

  it('is not made over one that came between', async () => {
    instead = (_, method) => {
      if (method === 'PATCH') server.changes.touch(node, { unschedulable: true });
      return undefined;
    };
    expect(await cordon()).toEqual({ is: 'refused', says: 'somebody else has cordoned it' });
    expect(nodeNow().metadata.annotations).toEqual({});
  });

  it('is not taken back where somebody has taken it over in between', async () => {
    await cordon();
    instead = (_, method) => {
      if (method === 'PATCH') server.changes.touch(node, { annotations: { [cordonAnnotation]: null } });
      return undefined;
    };
    expect(await uncordon()).toMatchObject({ is: 'refused' });
    expect(nodeNow().spec.unschedulable).toBe(true);
  });

  it('is given up where the node changes all the time', async () => {
    instead = (_, method) => {
      if (method === 'PATCH') server.changes.touch(node);
      return undefined;
    };
    await expect(cordon()).rejects.toThrow('somebody else changed the node each of the 4 times');
  });

  it('of a node that is no longer there, or is another instance, is gone', async () => {
    expect(await change({ do: 'uncordon', node: 'ip-10-9-9-9.ec2.internal' })).toMatchObject({ is: 'gone' });
    instead = (url) =>
      url.pathname.startsWith('/api/v1/nodes/')
        ? {
            status: 200,
            body: { ...server.changes.node(node), spec: { providerID: 'aws:///z/i-0fedcba9876543210' } },
          }
        : undefined;
    expect(await cordon()).toMatchObject({ is: 'gone' });
    expect(changesAsked()).toEqual([]);
  });

  it.each([
    [403, 'lacks the right to patch nodes; docs/replacing.md has the ClusterRole'],
    [401, 'docs/replacing.md has the access entry'],
    [500, 'answered patch nodes with 500'],
    [301, 'answered patch nodes with 301'],
  ])('that is refused with %i is an error that says what to do', async (status, message) => {
    instead = (_, method) => (method === 'PATCH' ? refusal(status, 'no') : undefined);
    await expect(cordon()).rejects.toThrow(message);
  });

  it('of which nobody answers is an error, and the next look tells', async () => {
    instead = (_, method) => (method === 'PATCH' ? 'silent' : undefined);
    await expect(cordon({ limitMs: 500 })).rejects.toThrow('it took too long');
  });
});

describe('the function', () => {
  const request = () => ({
    cluster: 'prod',
    endpoint: { endpoint: server.endpoint, ca: server.certificateAuthority },
    instanceId,
    incident,
    change: { do: 'cordon', node: nodeName },
  });
  beforeEach(() => {
    vi.stubEnv('AWS_REGION', identity.region);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'LOCALONLY');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local-only');
  });
  afterEach(() => vi.unstubAllEnvs());

  it('makes the token itself, and does what it is asked', async () => {
    expect(await handler(request())).toMatchObject({ is: 'done' });
    expect(nodeNow().spec.unschedulable).toBe(true);
  });

  it.each([
    ['a change that it does not know', { change: { do: 'delete', node: nodeName } }],
    ['an instance that is none', { instanceId: '*' }],
    ['an API server without TLS', { endpoint: { endpoint: 'http://127.0.0.1:1', ca: 'x' } }],
    ['no incident', { incident: '' }],
  ])('refuses %s before it asks anybody', async (_, odd) => {
    await expect(handler({ ...request(), ...odd })).rejects.toThrow();
    expect(server.asked).toEqual([]);
  });
});

describe('an eviction', () => {
  it('of this very pod is granted, with the time to end that the pod itself has', async () => {
    expect(await evict('web-1')).toEqual([{ is: 'going' }]);
    expect(server.asked).toEqual(['POST /api/v1/namespaces/shop/pods/web-1/eviction']);
    expect(server.sent).toEqual([
      {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { namespace: 'shop', name: 'web-1' },
        deleteOptions: { preconditions: { uid: 'uid-web-1' } },
      },
    ]);
    expect(server.changes.evicted).toEqual(['shop/web-1']);
    // Asked again, it is granted again, and nothing happens twice.
    expect(await evict('web-1')).toEqual([{ is: 'going' }]);
    expect(server.changes.evicted).toEqual(['shop/web-1']);
  });

  it('of another pod of that name is none', async () => {
    pods = [{ ...pod('web-1'), metadata: { ...pod('web-1').metadata, uid: 'the-next-one' } }];
    expect(await evict('web-1')).toEqual([{ is: 'gone' }]);
    expect(server.changes.evicted).toEqual([]);
  });

  it('of a pod that is gone is done', async () => {
    expect(await evict('web-9')).toEqual([{ is: 'gone' }]);
  });

  it('is refused by a budget, which is named, and by two at once for good', async () => {
    const budget = { namespace: 'shop', name: 'web', pods: ['web-1', 'web-2'], allowed: 1 };
    server.changes.budgets.push(budget, { ...budget, namespace: 'other' });
    expect(await evict('web-1')).toEqual([{ is: 'going' }]);
    expect(await evict('web-2')).toEqual([
      {
        is: 'refused',
        budgets: ['web'],
        says: 'The disruption budget web needs 2 healthy pods and has 2 currently',
      },
    ]);
    server.changes.budgets.push({ ...budget, name: 'all' });
    expect(await evict('web-2')).toEqual([
      { is: 'stop', says: expect.stringContaining('more than one PodDisruptionBudget') },
    ]);
    expect(server.changes.evicted).toEqual(['shop/web-1']);
  });

  it.each([
    [403, 'lacks the right to create pods/eviction'],
    [401, 'docs/replacing.md has the access entry'],
  ])('that is refused with %i stops the drain, and says what is missing', async (status, says) => {
    instead = (_, method) => (method === 'POST' ? refusal(status, 'no') : undefined);
    expect(await evict('web-1')).toEqual([{ is: 'stop', says: expect.stringContaining(says) }]);
  });

  it('in a namespace that is being deleted waits for that', async () => {
    instead = (_, method) =>
      method === 'POST' ? refusal(403, 'no', { causes: [{ reason: 'NamespaceTerminating' }] }) : undefined;
    expect(await evict('web-1')).toMatchObject([{ is: 'busy' }]);
  });

  it('of which nobody answers costs no other its answer', async () => {
    instead = (url) => (url.pathname.includes('web-1') ? 'silent' : undefined);
    const refs = ['web-1', 'web-2'].map((name) => ({ namespace: 'shop', name, uid: `uid-${name}` }));
    const { answers } = await change({ do: 'evict', pods: refs }, { limitMs: 800 });
    expect(answers).toMatchObject([
      { answer: { is: 'busy', says: expect.stringContaining('it took too long') } },
      { answer: { is: 'going' } },
    ]);
  });
});

/** A drain as whoever calls it does one: a step, its evictions, and so on. Time is that of the drain, not of the clock. */
async function drain(
  minutes = 15,
  between: (step: number) => void = () => {},
): Promise<{ end: DrainEnd; steps: number; state: DrainState }> {
  let at = Date.now();
  let state = startDrain({ cordonedByUs: true, drainMinutes: minutes }, new Date(at));
  let answers: NodeChangeAnswer['evict']['answers'] = [];
  for (let step = 1; step < 200; step += 1) {
    between(step);
    const now = new Date(at);
    const answer = await change({ do: 'drain', node: nodeName, state, answers, policy }, { now });
    ({ state } = answer);
    const { next } = answer;
    if (next.do === 'end') return { end: next.end, steps: step, state };
    answers = next.do === 'evict' ? (await change({ do: 'evict', pods: next.pods })).answers : [];
    at += 1000 * (next.do === 'evict' ? next.thenSeconds : next.seconds);
  }
  throw new Error('it does not end');
}

describe('a drain of a node, against an API server', () => {
  it('empties the node but for what stays, and nothing on it is deleted', async () => {
    await cordon();
    const { end, state } = await drain();
    expect(end).toEqual({ is: 'done' });
    expect(server.changes.evicted.sort()).toEqual(['shop/web-1', 'shop/web-2']);
    expect(state.evicted).toBe(2);
    expect(changesAsked().filter((one) => one.startsWith('DELETE'))).toEqual([]);
  });

  it('goes at the pace of a budget that allows one pod at a time', async () => {
    await cordon();
    pods = Array.from({ length: 4 }, (_, index) => pod(`web-${index}`));
    const budget = {
      namespace: 'shop',
      name: 'web',
      pods: pods.map(({ metadata }) => metadata.name),
      allowed: 1,
    };
    server.changes.budgets.push(budget);
    const { end } = await drain(15, (step) => {
      // The next one has come up elsewhere.
      if (step % 3 === 0) budget.allowed = 1;
    });
    expect(end).toEqual({ is: 'done' });
    expect(server.changes.evicted).toHaveLength(4);
  });

  it('gives up at its deadline before a budget that allows nothing, and its cordon can be taken back', async () => {
    await cordon();
    server.changes.budgets.push({ namespace: 'shop', name: 'web', pods: ['web-2'], allowed: 0 });
    const { end } = await drain(2);
    expect(end).toMatchObject({
      is: 'gave-up',
      uncordon: true,
      report: {
        budgets: ['shop/web'],
        pods: [
          {
            pod: 'shop/web-2',
            why: expect.stringMatching(/^refused \d+ times: The disruption budget web needs 1/),
          },
        ],
        evicted: 1,
      },
    });
    expect(await uncordon()).toMatchObject({ is: 'done' });
    expect(nodeNow().spec.unschedulable).toBeUndefined();
    expect(pods.map(({ metadata }) => metadata.name)).toContain('web-2');
  });

  it('gives up before a pod that does not end', async () => {
    await cordon();
    server.changes.lingering.add('web-1');
    const { end } = await drain(1);
    expect(end).toMatchObject({
      is: 'gave-up',
      report: { pods: [{ pod: 'shop/web-1', why: expect.stringContaining('it does not go') }] },
    });
  });

  it('stops when somebody uncordons the node meanwhile', async () => {
    await cordon();
    server.changes.budgets.push({ namespace: 'shop', name: 'web', pods: ['web-2'], allowed: 0 });
    const { end, steps } = await drain(15, (step) => {
      if (step === 3) server.changes.touch(node, { unschedulable: false });
    });
    expect({ end, steps }).toMatchObject({
      steps: 3,
      end: { is: 'gave-up', report: { why: expect.stringContaining('uncordoned the node') } },
    });
  });

  it('evicts nothing on a node that is not cordoned', async () => {
    expect((await drain()).end).toMatchObject({ is: 'gave-up' });
    expect(changesAsked()).toEqual([]);
  });

  it('ends where the node has gone', async () => {
    await cordon();
    const { end } = await drain(15, (step) => {
      if (step === 2)
        instead = (url) =>
          url.pathname.startsWith('/api/v1/nodes/') ? refusal(404, 'not found') : undefined;
    });
    expect(end).toEqual({ is: 'gone' });
  });

  it.each([
    ['pods', '/api/v1/pods'],
    ['node', '/api/v1/nodes/'],
  ])('evicts nothing while the %s cannot be read, and goes on when it can', async (_, path) => {
    await cordon();
    const { end, steps } = await drain(15, (step) => {
      instead = (url) =>
        step < 4 && url.pathname.startsWith(path) ? refusal(500, 'etcd is gone') : undefined;
      if (step === 4) expect(server.changes.evicted).toEqual([]);
    });
    expect(end).toEqual({ is: 'done' });
    expect(steps).toBeGreaterThan(4);
  });

  it('with a token that has expired sees nothing, and evicts nothing', async () => {
    await cordon();
    const token = await clusterToken('prod', { ...identity, now: new Date(Date.now() - 120_000) });
    const state = startDrain({ cordonedByUs: true, drainMinutes: 15 }, new Date());
    const { next } = await change({ do: 'drain', node: nodeName, state, answers: [], policy }, { token });
    expect(next).toMatchObject({ do: 'wait', why: expect.stringContaining('(401)') });
  });
});

describe('a node that is examined', () => {
  const examine = (names = [nodeName]) =>
    change({ do: 'examine', names, tags: { 'aws:autoscaling:groupName': 'eks-web' }, leastAgeMinutes: 60 });

  it('says whose it is, and whether it may be drained', async () => {
    expect(await examine()).toEqual({
      node: { name: nodeName, owner: { kind: 'auto-scaling-group', group: 'eks-web' }, cordon: 'none' },
    });
    node = {
      ...node,
      metadata: { ...node.metadata, creationTimestamp: 'ago:600' } as KubernetesObject['metadata'],
    };
    await cordon();
    expect(await examine([])).toMatchObject({
      node: {
        cordon: 'ours',
        whyNot: 'it is 10 min old, and one younger than 60 min is not replaced (replacement.leastAgeMinutes)',
      },
    });
  });

  it('is none where no node is that instance', async () => {
    instead = (url) =>
      url.pathname === '/api/v1/nodes' ? { status: 200, body: { metadata: {}, items: [] } } : undefined;
    expect(await examine([])).toEqual({ node: null });
  });

  it('is an error where not all nodes could be read', async () => {
    instead = (url) =>
      url.pathname === '/api/v1/nodes'
        ? url.searchParams.has('continue')
          ? refusal(410, 'expired')
          : { status: 200, body: { metadata: { continue: 'x' }, items: [] } }
        : undefined;
    await expect(examine([])).rejects.toThrow('the node was not found: only the first 0 were read');
  });
});

describe('a NodeClaim', () => {
  const remove = (claimUid?: string) =>
    change({ do: 'delete-node-claim', nodeClaim: 'default-x7k2p', claimUid });

  it('of this instance is deleted, once', async () => {
    server.changes.nodeClaims.push({ name: 'default-x7k2p', uid: 'claim-uid', instanceId });
    expect(await remove()).toEqual({ is: 'done', says: 'it is being deleted' });
    expect(await remove()).toMatchObject({ is: 'already' });
    expect(changesAsked()).toEqual(['DELETE /apis/karpenter.sh/v1/nodeclaims/default-x7k2p']);
    expect(server.sent).toEqual([
      { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'claim-uid' } },
    ]);
  });

  it('of another instance, or of none yet, is left alone', async () => {
    server.changes.nodeClaims.push({
      name: 'default-x7k2p',
      uid: 'claim-uid',
      instanceId: 'i-0fedcba9876543210',
    });
    expect(await remove()).toEqual({
      is: 'refused',
      says: `the NodeClaim default-x7k2p is of i-0fedcba9876543210, and not of ${instanceId}`,
    });
    server.changes.nodeClaims[0] = { name: 'default-x7k2p', uid: 'claim-uid', instanceId: '' };
    expect(await remove()).toMatchObject({ is: 'refused' });
    expect(changesAsked()).toEqual([]);
  });

  it('that is another one by now is left alone', async () => {
    const claim = { name: 'default-x7k2p', uid: 'claim-uid', instanceId };
    server.changes.nodeClaims.push(claim);
    instead = (_, method) => {
      if (method === 'DELETE') claim.uid = 'the-next-one';
      return undefined;
    };
    expect(await remove()).toMatchObject({
      is: 'refused',
      says: expect.stringContaining('another one by now'),
    });
    expect(server.changes.nodeClaims).toEqual([{ ...claim }]);
  });

  it('that is not there is gone if it was seen before, and otherwise nobody knows that it ever was', async () => {
    expect(await remove('claim-uid')).toMatchObject({ is: 'gone' });
    expect(await remove()).toMatchObject({ is: 'refused', says: expect.stringContaining('never seen') });
  });

  it('that is not the one which was seen is left alone', async () => {
    server.changes.nodeClaims.push({ name: 'default-x7k2p', uid: 'the-next-one', instanceId });
    expect(await remove('claim-uid')).toMatchObject({
      is: 'refused',
      says: expect.stringContaining('another one by now'),
    });
    expect(changesAsked()).toEqual([]);
  });

  describe('of a node that is examined', () => {
    const examine = () => change({ do: 'examine', names: [nodeName], tags: {}, leastAgeMinutes: 0 });
    beforeEach(() => {
      Object.assign(node.metadata, {
        ownerReferences: [{ kind: 'NodeClaim', name: 'default-x7k2p' }],
        labels: { 'karpenter.sh/nodepool': 'default' },
        creationTimestamp: '2026-01-01T00:00:00Z',
      });
      Object.assign(node, { spec: { providerID: `aws:///eu-central-1a/${instanceId}` } });
    });

    it('is known by its uid', async () => {
      server.changes.nodeClaims.push({ name: 'default-x7k2p', uid: 'claim-uid', instanceId });
      const { node: found } = await examine();
      expect(found?.owner).toEqual({ kind: 'karpenter', nodeClaim: 'default-x7k2p', claimUid: 'claim-uid' });
      expect(found?.whyNot).toBeUndefined();
    });

    it('keeps the node from being drained where this version of it is not served, or it is of another instance', async () => {
      expect((await examine()).node?.whyNot).toContain('default-x7k2p is not to be found in karpenter.sh/v1');
      const instance = 'i-0fedcba9876543210';
      server.changes.nodeClaims.push({ name: 'default-x7k2p', uid: 'claim-uid', instanceId: instance });
      expect((await examine()).node?.whyNot).toContain(`is of ${instance}`);
    });

    it('is an error where it may not be read', async () => {
      instead = (url) => (url.pathname.includes('nodeclaims') ? refusal(403, 'forbidden') : undefined);
      await expect(examine()).rejects.toThrow('lacks the right to get nodeclaims');
    });
  });

  it('that must not be deleted is an error that names the right', async () => {
    server.changes.nodeClaims.push({ name: 'default-x7k2p', uid: 'claim-uid', instanceId });
    instead = (_, method) => (method === 'DELETE' ? refusal(403, 'forbidden') : undefined);
    await expect(remove()).rejects.toThrow('lacks the right to delete nodeclaims');
  });
});
