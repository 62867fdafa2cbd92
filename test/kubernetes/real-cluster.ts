import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { type ClusterUnderTest, instanceId, type PodWanted } from './cluster-under-test.ts';
import { startFront } from './front.ts';
import { type Admin, readKubeconfig } from './kubeconfig.ts';

const manifest = join(import.meta.dirname, '../../docs/kubernetes/replace-nodes.yaml');
const merge = 'application/merge-patch+json';
const claims = '/apis/karpenter.sh/v1/nodeclaims';
/** On every object that a test makes. */
const labels = { 'cgroup-medic/made-by': 'test' };

const Named = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    generation: z.int().optional(),
    annotations: z.record(z.string(), z.string()).default({}),
    labels: z.record(z.string(), z.string()).default({}),
    deletionTimestamp: z.string().nullish(),
  }),
  spec: z.looseObject({ unschedulable: z.boolean().default(false) }).prefault({}),
});
const Names = z.object({ items: z.array(Named) });

/**
 * A real API server, with an empty node and a namespace that only this test has, and with the rights of
 * docs/kubernetes/replace-nodes.yaml for whoever comes through the front. Nodes and pods are objects here, and nothing runs: so
 * it has to be an API server alone. Controllers would take away what no kubelet answers for, and a cluster that has
 * nodes of others is refused, because somebody needs it.
 */
export async function realCluster(kubeconfig: string): Promise<ClusterUnderTest> {
  const api = new AdminApi(readKubeconfig(kubeconfig));
  const others = Names.parse(await api.ask('GET', '/api/v1/nodes')).items.filter(
    ({ metadata }) => metadata.labels['cgroup-medic/made-by'] === undefined,
  );
  if (others.length > 0)
    throw new Error(
      `${kubeconfig} is of a cluster with nodes (${others[0]?.metadata.name}): take an API server that has none`,
    );
  for (const document of parseAllDocuments(readFileSync(manifest, 'utf8')))
    await api.applyRole(document.toJS());
  const policy = await api.policyVersion();
  await api.ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', nodeClaims, [409]);
  while ((await api.statusOf(claims)) === 404) await sleep(50);

  const id = randomBytes(4).toString('hex');
  const node = `cgroup-medic-test-${id}`;
  const namespace = node;
  const inNamespace = (kind: string, name = ''): string =>
    `/api/v1/namespaces/${namespace}/${kind}${name && `/${name}`}`;
  await api.ask('POST', '/api/v1/nodes', {
    metadata: { name: node, labels },
    spec: { providerID: `aws:///us-east-1a/${instanceId}` },
  });
  await api.ask('POST', '/api/v1/namespaces', { metadata: { name: namespace, labels } });
  // Where a controller makes them, it may have been faster.
  await api.ask('POST', inNamespace('serviceaccounts'), { metadata: { name: 'default' } }, [409]);
  const front = await startFront({
    server: api.server,
    tls: api.tls,
    // As the authenticator of EKS says of a role that has an access entry.
    identity: () => ({
      ...api.authorization,
      'impersonate-user': `cgroup-medic-${id}`,
      'impersonate-group': 'cgroup-medic:replacers',
    }),
    // Until Kubernetes 1.22 an eviction had another version, and the same fields.
    translated: (body) => (policy === 'v1' ? body : body.replace('"policy/v1"', '"policy/v1beta1"')),
  });
  const budgets = `/apis/policy/${policy}/namespaces/${namespace}/poddisruptionbudgets`;
  const known = new Set<string>();
  const madeClaims: string[] = [];
  const pods = async () => Names.parse(await api.ask('GET', inNamespace('pods'))).items;

  return {
    node,
    namespace,
    front,
    endpoint: () => front.endpoint,
    async nodeNow() {
      const { metadata, spec } = Named.parse(await api.ask('GET', `/api/v1/nodes/${node}`));
      return { annotations: metadata.annotations, unschedulable: spec.unschedulable };
    },
    async touch({ annotations = {}, unschedulable } = {}) {
      // Another version of the node, whatever else is changed.
      const touched = randomBytes(4).toString('hex');
      await api.ask('PATCH', `/api/v1/nodes/${node}`, {
        metadata: { annotations, labels: { touched } },
        ...(unschedulable === undefined ? {} : { spec: { unschedulable } }),
      });
    },
    async run(wanted) {
      for (const one of wanted) {
        known.add(one.name);
        await api.ask('POST', inNamespace('pods'), podOf(one, node));
        await api.ask('PATCH', `${inNamespace('pods', one.name)}/status`, {
          status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
        });
      }
    },
    async uidOf(pod) {
      return Named.parse(await api.ask('GET', inNamespace('pods', pod))).metadata.uid;
    },
    async allow(name, selected, evictions) {
      await api.ask(
        'POST',
        budgets,
        {
          metadata: { name },
          spec: {
            minAvailable: 1,
            selector: { matchExpressions: [{ key: 'pod', operator: 'In', values: selected }] },
          },
        },
        [409],
      );
      const { metadata } = Named.parse(await api.ask('GET', `${budgets}/${name}`));
      // What its controller would find out.
      await api.ask('PATCH', `${budgets}/${name}/status`, {
        status: {
          observedGeneration: metadata.generation,
          disruptionsAllowed: evictions,
          currentHealthy: selected.length,
          desiredHealthy: selected.length,
          expectedPods: selected.length,
        },
      });
    },
    async loseSight(name) {
      // Its controller has not looked at it since it was changed.
      await api.ask('PATCH', `${budgets}/${name}`, { spec: { minAvailable: 2 } });
    },
    async finish(pod) {
      await api.ask('PATCH', `${inNamespace('pods', pod)}/status`, { status: { phase: 'Succeeded' } });
    },
    async makeClaim(name, of) {
      await api.ask('POST', claims, {
        apiVersion: 'karpenter.sh/v1',
        kind: 'NodeClaim',
        metadata: { name, labels, finalizers: ['karpenter.sh/termination'] },
        status: { providerID: `aws:///us-east-1a/${of}` },
      });
      madeClaims.push(name);
    },
    async isClaimLeaving(name) {
      return Named.parse(await api.ask('GET', `${claims}/${name}`)).metadata.deletionTimestamp != null;
    },
    async leaving() {
      const there = new Map((await pods()).map((pod) => [pod.metadata.name, pod]));
      return [...known]
        .filter((name) => there.get(name)?.metadata.deletionTimestamp !== undefined || !there.has(name))
        .sort();
    },
    async endLeaving() {
      for (const { metadata } of await pods())
        if (metadata.deletionTimestamp != null) await api.remove(inNamespace('pods', metadata.name));
    },
    async close() {
      await front.close();
      for (const name of madeClaims) {
        await api.ask('PATCH', `${claims}/${name}`, { metadata: { finalizers: [] } });
        await api.remove(`${claims}/${name}`);
      }
      for (const { metadata } of await pods()) await api.remove(inNamespace('pods', metadata.name));
      await api.ask('DELETE', budgets);
      await api.remove(`/api/v1/nodes/${node}`);
      await api.remove(`/api/v1/namespaces/${namespace}`);
      api.close();
    },
  };
}

/** As far as it is asked for: Karpenter's own has a schema, which an API server does not need to take it away. */
const nodeClaims = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'nodeclaims.karpenter.sh', labels },
  spec: {
    group: 'karpenter.sh',
    scope: 'Cluster',
    names: { kind: 'NodeClaim', listKind: 'NodeClaimList', plural: 'nodeclaims', singular: 'nodeclaim' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

function podOf({ name, owner = 'ReplicaSet' }: PodWanted, nodeName: string): object {
  return {
    metadata: {
      name,
      labels: { ...labels, pod: name },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: owner, name: 'x', uid: 'x', controller: true }],
    },
    spec: { nodeName, containers: [{ name: 'main', image: 'none' }], automountServiceAccountToken: false },
  };
}

/** Asks as the user of the kubeconfig. */
class AdminApi {
  readonly #admin: Admin;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(admin: Admin) {
    this.#admin = admin;
  }

  get server(): string {
    return this.#admin.server;
  }

  get tls() {
    const { ca, cert, key } = this.#admin;
    return { ca, ...(cert === undefined || key === undefined ? {} : { cert, key }) };
  }

  get authorization(): Record<string, string> {
    const { token } = this.#admin;
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** One request; a refusal is an error, but for those that are named. */
  async ask(method: string, path: string, body?: object, butFor: readonly number[] = []): Promise<unknown> {
    const { status, said } = await this.#send(method, path, body);
    if (status >= 300 && !butFor.includes(status))
      throw new Error(`${method} ${path} was answered with ${status}: ${said.slice(0, 500)}`);
    return JSON.parse(said);
  }

  /** Of a question, whatever it is. */
  async statusOf(path: string): Promise<number> {
    return (await this.#send('GET', path)).status;
  }

  async #send(method: string, path: string, body?: object): Promise<{ status: number; said: string }> {
    const content = body === undefined ? '' : JSON.stringify(body);
    const type = method === 'PATCH' ? merge : 'application/json';
    const sent = request(new URL(path, this.server), {
      method,
      agent: this.#agent,
      ...this.tls,
      headers: {
        ...this.authorization,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(content) }),
      },
    }).end(content);
    const [response] = await once(sent, 'response');
    return { status: response.statusCode, said: await text(response) };
  }

  /** Without the time to end that it has, for nobody here would end it. */
  async remove(path: string): Promise<void> {
    await this.ask('DELETE', path, { gracePeriodSeconds: 0 }, [404, 409]);
  }

  /** Makes a role or binding, or makes it what the manifest says. */
  async applyRole(object: { kind: string; metadata: { name: string } }): Promise<void> {
    const path = `/apis/rbac.authorization.k8s.io/v1/${object.kind.toLowerCase()}s`;
    const { status } = z
      .looseObject({ status: z.unknown().optional() })
      .parse(await this.ask('POST', path, object, [409]));
    if (status === 'Failure') await this.ask('PUT', `${path}/${object.metadata.name}`, object);
  }

  async policyVersion(): Promise<string> {
    const { versions } = z
      .object({ versions: z.array(z.object({ version: z.string() })) })
      .parse(await this.ask('GET', '/apis/policy'));
    return versions.some(({ version }) => version === 'v1') ? 'v1' : 'v1beta1';
  }

  close(): void {
    this.#agent.destroy();
  }
}
