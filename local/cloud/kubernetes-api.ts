import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { atThisTime, type RecordedAround } from '../node/recorded-around.ts';
import { type SelfSigned, selfSigned } from './certificate.ts';
import { type Answer, refusal } from './kubernetes-answer.ts';
import { type KubernetesObject, LocalChanges } from './kubernetes-changes.ts';

export type ClusterNode = { instanceId: string; cluster: NonNullable<RecordedAround['cluster']> };

export interface ApiServerProps {
  /** The nodes that it knows now. */
  nodes(): readonly ClusterNode[];
  /** Answers in its place, or never, for tests. */
  instead?(url: URL, method: string): Answer | 'silent' | undefined;
}

/** The version of the certificates API that has pod certificate requests here; the others are unknown to it. */
const certificates = '/apis/certificates.k8s.io/v1beta1/podcertificaterequests';

const nodeClaims = /^\/apis\/karpenter\.sh\/v1\/nodeclaims\/([^/]+)$/;

/**
 * A stand-in for the API server of a cluster, and for the kubelets of its nodes, on a loopback port with a certificate
 * of its own: the calls that are in use, with the shapes, pages and refusals of the real one. What is changed by them it
 * keeps in `changes`, and forgets with itself.
 */
export class LocalApiServer {
  readonly #server: Server;
  readonly #props: ApiServerProps;
  readonly #identity: SelfSigned;
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  /** Bodies of the changes that were asked for. */
  readonly sent: unknown[] = [];
  readonly changes = new LocalChanges();

  /** Use `startApiServer`. */
  constructor(props: ApiServerProps) {
    this.#props = props;
    this.#identity = selfSigned('kubernetes');
    this.#server = createServer(
      { key: this.#identity.key, cert: this.#identity.certificate },
      (message, response) => void this.#serve(message, response).catch(() => response.destroy()),
    );
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get endpoint(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  get certificateAuthority(): string {
    return this.#identity.certificate;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(message.url ?? '/', this.endpoint);
    const { method = 'GET' } = message;
    this.asked.push(`${method === 'GET' ? '' : `${method} `}${url.pathname}${url.search}`);
    const answer = this.#props.instead?.(url, method) ?? (await this.#answer(message, url));
    if (answer === 'silent') return;
    const { status, body } = answer;
    const text = typeof body === 'string' ? body : JSON.stringify(atThisTime(body));
    const type = typeof body === 'string' ? 'text/plain; version=0.0.4' : 'application/json';
    response.writeHead(status, { 'content-type': type }).end(text);
  }

  async #answer(message: IncomingMessage, url: URL): Promise<Answer> {
    if (!isToken(message.headers.authorization)) return refusal(401, 'Unauthorized');
    return message.method === 'GET' ? this.#read(url) : this.#change(message, url);
  }

  async #change(message: IncomingMessage, { pathname }: URL): Promise<Answer> {
    const { method, headers } = message;
    const body = await json(message).catch(() => undefined);
    this.sent.push(body);
    const nodes = this.#props.nodes();
    const [, one] = /^\/api\/v1\/nodes\/([^/]+)$/.exec(pathname) ?? [];
    if (method === 'PATCH' && one !== undefined) {
      const node = nodes.find(({ cluster }) => cluster.node.metadata.name === decodeURIComponent(one));
      return node === undefined
        ? refusal(404, `nodes "${one}" not found`)
        : this.changes.patchNode(this.#bareNode(node), String(headers['content-type']), body);
    }
    const [, namespace, pod] =
      /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/eviction$/.exec(pathname) ?? [];
    if (method === 'POST' && pod !== undefined) {
      const found = nodes
        .flatMap(({ cluster }) => cluster.pods as KubernetesObject[])
        .find(({ metadata }) => metadata.name === pod && (metadata.namespace ?? 'default') === namespace);
      return this.changes.evict(found, pod, body);
    }
    const [, claim] = nodeClaims.exec(pathname) ?? [];
    if (method === 'DELETE' && claim !== undefined) return this.changes.deleteNodeClaim(claim, body);
    return refusal(405, `${method} ${pathname} is not answered here`);
  }

  #read(url: URL): Answer {
    const { pathname } = url;
    const nodes = this.#props.nodes();
    if (pathname === '/metrics') {
      const page = nodes.find(({ cluster }) => cluster.kubeletMetrics !== null)?.cluster.kubeletMetrics;
      return page
        ? { status: 200, body: `${page.join('\n')}\n` }
        : refusal(503, 'the kubelet does not answer');
    }
    const one = /^\/api\/v1\/nodes\/([^/]+)$/.exec(pathname)?.[1];
    if (one !== undefined) {
      const node = nodes.find(({ cluster }) => cluster.node.metadata.name === decodeURIComponent(one));
      return node === undefined
        ? refusal(404, `nodes "${one}" not found`)
        : { status: 200, body: this.#nodeObject(node) };
    }
    if (pathname === '/api/v1/nodes')
      return page(
        nodes.map((node) => this.#nodeObject(node)),
        url,
      );
    if (pathname === '/api/v1/pods') {
      return page(
        nodes.flatMap(({ cluster }) =>
          cluster.pods.flatMap((pod) => {
            const now = this.changes.pod(pod as KubernetesObject);
            return now === undefined ? [] : [placed(now, cluster.node.metadata.name)];
          }),
        ),
        url,
      );
    }
    if (pathname === '/api/v1/events')
      return page(
        nodes.flatMap(({ cluster }) => cluster.events),
        url,
      );
    if (pathname === certificates)
      return page(
        nodes.flatMap(({ cluster }) => cluster.podCertificateRequests),
        url,
      );
    const [, claim] = nodeClaims.exec(pathname) ?? [];
    if (claim !== undefined) return this.changes.nodeClaim(claim);
    return refusal(404, 'the server could not find the requested resource');
  }

  /** The node with what it has only while this runs: the instance behind it, where its kubelet listens, and what was changed of it. */
  #nodeObject(node: ClusterNode): object {
    return this.changes.node(this.#bareNode(node));
  }

  #bareNode({ instanceId, cluster: { node } }: ClusterNode): KubernetesObject {
    const { spec = {}, status = {} } = node as { spec?: object; status?: object };
    return {
      ...node,
      spec: { ...spec, providerID: `aws:///us-east-1a/${instanceId}` },
      status: {
        ...status,
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: this.#port } },
      },
    } as KubernetesObject;
  }
}

export async function startApiServer(props: ApiServerProps): Promise<LocalApiServer> {
  const server = new LocalApiServer(props);
  await server.listen();
  return server;
}

/** A token of EKS, as far as can be seen without asking STS: a presigned question who asks, bound to a cluster, short-lived. */
export function isToken(authorization: string | undefined): boolean {
  const [, coded] = /^Bearer k8s-aws-v1\.([A-Za-z0-9_-]+)$/.exec(authorization ?? '') ?? [];
  if (coded === undefined) return false;
  const url = URL.parse(Buffer.from(coded, 'base64url').toString('utf8'));
  const query = url?.searchParams;
  const age =
    Date.now() -
    Date.parse(
      (query?.get('X-Amz-Date') ?? '').replace(
        /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
        '$1-$2-$3T$4:$5:$6Z',
      ),
    );
  return (
    url?.protocol === 'https:' &&
    /^sts\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/.test(url.hostname) &&
    query?.get('Action') === 'GetCallerIdentity' &&
    (query.get('X-Amz-SignedHeaders') ?? '').split(';').includes('x-k8s-aws-id') &&
    Number(query.get('X-Amz-Expires')) <= 60 &&
    age < 60_000
  );
}

function placed(pod: object, nodeName: string): object {
  const { spec = {} } = pod as { spec?: object };
  return { ...pod, spec: { ...spec, nodeName } };
}

/** One page of what the field selector leaves. */
function page(all: readonly object[], { searchParams }: URL): Answer {
  const selector = (searchParams.get('fieldSelector') ?? '').split(',').filter(Boolean);
  const chosen = all.filter((object) =>
    selector.every((term) => {
      const [path = '', value] = term.split('=');
      return String(path.split('.').reduce<unknown>(fieldOf, object) ?? '') === value;
    }),
  );
  const from = Number(searchParams.get('continue') ?? 0);
  const to = from + Number(searchParams.get('limit') ?? chosen.length);
  const metadata = { resourceVersion: '1', ...(to < chosen.length ? { continue: String(to) } : {}) };
  return {
    status: 200,
    body: { kind: 'List', apiVersion: 'v1', metadata, items: chosen.slice(from, to) },
  };
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
