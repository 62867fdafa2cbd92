import { createHash, createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClusterProbes, readCluster } from '../../../lambdas/adapters/cluster-reader.ts';
import { clusterToken, lambdaIdentity } from '../../../lambdas/adapters/eks-token.ts';
import { HttpsGetter } from '../../../lambdas/adapters/https-get.ts';
import { selfSigned } from '../../../local/cloud/certificate.ts';
import { refusal } from '../../../local/cloud/kubernetes-answer.ts';
import {
  type ApiServerProps,
  type ClusterNode,
  type LocalApiServer,
  startApiServer,
} from '../../../local/cloud/kubernetes-api.ts';

const instanceId = 'i-0123456789abcdef0';
const nodeName = 'ip-10-0-0-1.ec2.internal';
const identity = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret', sessionToken: 'a-session' },
};

const pod = (name: string) => ({
  metadata: { name, namespace: 'shop', uid: name },
  spec: { containers: [{ name: 'main', resources: { requests: { memory: '1Mi' } } }] },
  status: { phase: 'Running' },
});

let nodes: ClusterNode[];
let instead: ApiServerProps['instead'];
let server: LocalApiServer;
beforeEach(async () => {
  instead = undefined;
  nodes = [
    {
      instanceId,
      cluster: {
        node: {
          metadata: { name: nodeName },
          status: {
            capacity: { memory: '8Gi', cpu: '2', pods: '29' },
            allocatable: { memory: '7Gi', cpu: '2', pods: '29' },
            conditions: [{ type: 'Ready', status: 'Unknown', lastTransitionTime: 'ago:300' }],
          },
        } as ClusterNode['cluster']['node'],
        pods: [pod('a'), pod('b')],
        events: [
          {
            metadata: { name: 'x' },
            involvedObject: { kind: 'Node', name: nodeName },
            reason: 'NodeNotReady',
            lastTimestamp: 'ago:200',
          },
        ],
        podCertificateRequests: [{ metadata: { name: 'r' }, spec: { nodeName } }],
        kubeletMetrics: ['go_goroutines 321'],
      },
    },
  ];
  server = await startApiServer({ nodes: () => nodes, instead: (url, method) => instead?.(url, method) });
});
afterEach(() => server.close());

type Options = {
  names?: string[];
  kubelet?: boolean;
  limitMs?: number;
  ca?: string;
  token?: string;
  endpoint?: string;
};

async function read(options: Options = {}): Promise<ClusterProbes> {
  const { names = [nodeName], kubelet = true, limitMs = 5000, endpoint = server.endpoint } = options;
  const { ca = server.certificateAuthority } = options;
  const now = new Date();
  return readCluster({
    question: { cluster: 'prod', endpoint: { endpoint, ca }, instanceId, names },
    token: options.token ?? (await clusterToken('prod', { ...identity, now })),
    kubelet,
    limitMs,
    now,
  });
}

const answering = (path: string, answer: { status: number; body: unknown }) => (url: URL) =>
  `${url.pathname}${url.search}`.includes(path) ? answer : undefined;
const asked = (path: string) => server.asked.filter((one) => one.startsWith(path));

describe('a cluster that is asked about a node', () => {
  it('tells its status, pods, events, certificate requests, and the kubelet its metrics', async () => {
    const probes = await read();
    const [ready] = probes.nodeStatus.status === 'ok' ? probes.nodeStatus.value.conditions : [];
    expect(ready?.sinceSeconds).toBeGreaterThanOrEqual(300);
    expect(ready?.sinceSeconds).toBeLessThan(360);
    expect(probes).toMatchObject({
      nodeStatus: {
        status: 'ok',
        value: {
          conditions: [{ type: 'Ready', status: 'Unknown' }],
          memory: { requestsKb: 2048, podsWithoutLimit: 2 },
          pods: { running: 2 },
          notRead: {},
        },
      },
      podStatus: { status: 'ok', value: { certificateRequestsPending: 1, notRead: {} } },
      nodeEvents: { status: 'ok', value: { reasons: [{ reason: 'NodeNotReady', count: 1 }], notRead: {} } },
      kubeletMetrics: { status: 'ok', value: { goroutines: 321 } },
    });
    expect(asked('/api/v1/nodes?')).toEqual([]);
    expect(asked('/metrics')).toHaveLength(1);
    expect(server.asked.some((path) => path.includes('proxy'))).toBe(false);
  });

  it.each([
    ['no name is known', []],
    ['the name is of no node', ['ip-10-9-9-9.ec2.internal']],
  ])('finds it among all nodes where %s', async (_, names) => {
    expect(await read({ names })).toMatchObject({ nodeStatus: { status: 'ok' } });
    expect(asked('/api/v1/nodes?')).toHaveLength(1);
  });

  it('does not take a node for it that only has the name: the provider id decides', async () => {
    const [known] = nodes;
    nodes = known === undefined ? [] : [{ ...known, instanceId: 'i-0fedcba9876543210' }];
    expect(await read()).toMatchObject({
      nodeStatus: {
        status: 'failed',
        reason: `no node of prod has the provider id of ${instanceId}`,
      },
      kubeletMetrics: { status: 'failed' },
    });
  });

  it('reads long lists page by page, and says where it stopped', async () => {
    const [known] = nodes;
    if (known === undefined) throw new Error('no node');
    nodes = [
      {
        ...known,
        cluster: { ...known.cluster, pods: Array.from({ length: 1100 }, (_, index) => pod(`p-${index}`)) },
      },
    ];

    const { nodeStatus, podStatus } = await read();

    expect(asked('/api/v1/pods')).toHaveLength(4);
    const reason = 'only the first 1000 were read: there are more';
    expect(nodeStatus).toMatchObject({ value: { memory: null, notRead: { memory: reason } } });
    expect(podStatus).toMatchObject({ value: { notRead: { pods: reason } } });
  });

  it('does not ask the kubelet from outside, and says what would', async () => {
    expect((await read({ kubelet: false })).kubeletMetrics).toEqual({
      status: 'missing',
      byDesign: true,
      reason: 'a kubelet is asked from within its VPC only: set clusters.prod.api.access to vpc',
    });
    expect(asked('/metrics')).toEqual([]);
  });

  it('has no certificate requests where the API server knows no such thing, in any version', async () => {
    instead = answering('/apis/certificates.k8s.io', refusal(404, 'not found'));
    expect((await read()).podStatus).toMatchObject({ value: { certificateRequestsPending: 0, notRead: {} } });
    expect(asked('/apis/certificates.k8s.io')).toHaveLength(3);
  });

  it('asks once more where the API server is busy', async () => {
    let calls = 0;
    instead = (url) =>
      url.pathname === '/api/v1/pods' && ++calls === 1 ? refusal(429, 'too many requests') : undefined;
    expect((await read()).podStatus.status).toBe('ok');
    expect(calls).toBe(2);
  });
});

describe('a node or a pod that says odd things of itself', () => {
  const node = () => nodes[0]?.cluster.node as unknown as { status: Record<string, unknown> };
  const nodeSaying = (status: object): void => {
    instead = (url) =>
      url.pathname.startsWith('/api/v1/nodes/')
        ? {
            status: 200,
            body: {
              metadata: { name: nodeName },
              spec: { providerID: `aws:///z/${instanceId}` },
              status: {
                ...node().status,
                addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
                daemonEndpoints: { kubeletEndpoint: { Port: Number(new URL(server.endpoint).port) } },
                ...status,
              },
            },
          }
        : undefined;
  };

  it.each(['8Ei', '1e300', '1e400'])(
    'is told within what the evidence can hold, where a pod may use %s',
    async (limit) => {
      const limits = { memory: limit, cpu: limit };
      nodes[0]?.cluster.pods.push({
        metadata: { name: 'greedy' },
        spec: { containers: [{ name: 'main', resources: { limits } }] },
        status: { phase: 'Running' },
      } as never);
      const probes = await read();
      const most = Number.MAX_SAFE_INTEGER;
      expect(probes.nodeStatus).toMatchObject({
        status: 'ok',
        value: { memory: { limitsKb: most }, cpu: { limitsMillicores: most } },
      });
      expect(ClusterProbes.parse(JSON.parse(JSON.stringify(probes)))).toEqual(probes);
    },
  );

  it.each(['go_goroutines 1e300', 'kubelet_orphaned_runtime_pods_total -1\ngo_goroutines 3'])(
    'loses the metrics of its kubelet where %j does not fit, with a reason, and nothing else',
    async (page) => {
      for (const { cluster } of nodes) cluster.kubeletMetrics = [page];
      const { kubeletMetrics, ...others } = await read();
      expect(kubeletMetrics).toMatchObject({
        status: 'failed',
        reason: expect.stringMatching(
          /^what was read does not fit: value\.(goroutines|orphanedRuntimePods): /,
        ),
      });
      for (const other of Object.values(others)) expect(other.status).toBe('ok');
    },
  );

  it.each([
    ['no address', [{ type: 'InternalIP', address: 'example.com/?' }], 10250],
    ['no port', [{ type: 'InternalIP', address: '127.0.0.1' }], 70_000],
  ])('loses the metrics of its kubelet where it names %s, and nothing else', async (_, addresses, Port) => {
    nodeSaying({ addresses, daemonEndpoints: { kubeletEndpoint: { Port } } });
    const { kubeletMetrics, ...others } = await read();
    expect(kubeletMetrics).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('no address at which its kubelet could be asked'),
    });
    for (const other of Object.values(others)) expect(other.status).toBe('ok');
  });

  it('has no word with it by which a terminal could be told something', async () => {
    const odd = '\u001b[2J\u009b1m';
    nodeSaying({
      conditions: [{ type: odd, status: 'True', reason: odd }],
      nodeInfo: { kubeletVersion: odd, osImage: odd },
    });
    for (const { cluster } of nodes) {
      cluster.pods.push({
        metadata: { name: odd, ownerReferences: [{ kind: odd, name: odd, controller: true }] },
        spec: {},
        status: {
          containerStatuses: [{ name: odd, restartCount: 50, state: { waiting: { reason: odd } } }],
        },
      } as never);
      cluster.events.push({
        metadata: { name: 'x' },
        involvedObject: { kind: 'Node', name: nodeName },
        reason: odd,
        message: odd,
      });
      cluster.kubeletMetrics = [`kubelet_evictions{eviction_signal="${odd}"} 1`];
    }
    const probes = await read();
    const told = JSON.stringify(probes);
    expect(told).toContain('·[2J·1m');
    expect(told).not.toMatch(/\\u001b|\u009b/);
    for (const probe of Object.values(probes)) expect(probe.status).toBe('ok');

    instead = answering('/metrics', { status: 500, body: odd });
    expect((await read()).kubeletMetrics).toMatchObject({ reason: expect.stringMatching(/: ·\[2J·1m$/) });
  });

  it('is in a condition that is unknown, where its status is none', async () => {
    nodeSaying({ conditions: [{ type: 'Odd', status: 'maybe' }] });
    const conditions = [{ type: 'Odd', status: 'maybe' }];
    for (const { cluster } of nodes)
      for (const one of cluster.pods) Object.assign(one, { status: { conditions } });
    const { nodeStatus, podStatus } = await read();
    expect(nodeStatus).toMatchObject({ value: { conditions: [{ type: 'Odd', status: 'Unknown' }] } });
    expect(podStatus.status).toBe('ok');
  });
});

describe('a part that is refused', () => {
  const forbidden = refusal(403, 'forbidden: User "arn:aws:sts::1:assumed-role/x" cannot list resource');

  it.each([
    ['/api/v1/pods', 'list pods', 'podStatus'],
    ['involvedObject.kind%3DNode', 'list events', 'nodeEvents'],
    ['/metrics', 'get nodes/metrics', 'kubeletMetrics'],
  ] as const)(
    '%s is a gap that names the right to %s, and nothing else is lost',
    async (path, right, probe) => {
      instead = answering(path, forbidden);
      const { [probe]: refused, ...others } = await read();

      expect(refused).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining(`lacks the right to ${right};`),
      });
      for (const other of Object.values(others)) expect(other.status).toBe('ok');
    },
  );

  it('of the pods leaves open what they ask for', async () => {
    instead = answering('/api/v1/pods', forbidden);
    expect((await read()).nodeStatus).toMatchObject({
      value: { memory: null, notRead: { memory: expect.stringContaining('list pods') } },
    });
  });

  it('of events and certificate requests is a gap within what is known of the pods', async () => {
    instead = (url) => (/events|certificates/.test(url.pathname) ? forbidden : undefined);
    expect((await read()).podStatus).toMatchObject({
      value: {
        ended: null,
        certificateRequestsPending: null,
        notRead: { certificateRequestsPending: expect.stringContaining('list podcertificaterequests') },
      },
    });
  });

  it.each([
    ['nodes are not to be read', () => forbidden, 'lacks the right to get nodes'],
    ['the role is unknown', () => refusal(401, 'Unauthorized'), 'docs/around.md has the access entry'],
    ['the API server is ill', () => refusal(500, 'etcd is gone'), 'answered get nodes with 500: {'],
    ['it is no API server', () => ({ status: 200, body: '<html>' }), 'not JSON'],
    ['it is another API', () => ({ status: 200, body: { kind: 'Node' } }), 'does not fit: metadata: '],
  ])('is everything where %s', async (_, answer, reason) => {
    instead = answer;
    for (const probe of Object.values(await read())) {
      expect(probe).toMatchObject({ status: 'failed', reason: expect.stringContaining(reason) });
    }
  });

  it('is everything where the API server does not answer within the time', async () => {
    instead = () => 'silent';
    const probes = await read({ limitMs: 300 });
    for (const probe of Object.values(probes)) {
      expect(probe).toMatchObject({ status: 'failed', reason: expect.stringContaining('it took too long') });
    }
  });

  it('is everything where nothing listens', async () => {
    const { nodeStatus } = await read({ endpoint: 'https://127.0.0.1:9' });
    expect(nodeStatus).toMatchObject({ status: 'failed', reason: expect.stringContaining('ECONNREFUSED') });
  });
});

describe('the token', () => {
  it('goes to no server that the authority of the cluster has not signed for', async () => {
    const probes = await read({ ca: selfSigned('somebody else').certificate });

    for (const probe of Object.values(probes)) {
      expect(probe).toMatchObject({ status: 'failed', reason: expect.stringContaining('certificate') });
    }
    expect(server.asked).toEqual([]);
  });

  it('goes to none of them either where the environment says that certificates do not matter', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    try {
      const { nodeStatus } = await read({ ca: selfSigned('somebody else').certificate });
      expect(nodeStatus).toMatchObject({ status: 'failed', reason: expect.stringContaining('certificate') });
      expect(server.asked).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('goes to no kubelet at another address than its certificate is for', async () => {
    instead = (url) =>
      url.pathname.startsWith('/api/v1/nodes')
        ? {
            status: 200,
            body: {
              metadata: { name: nodeName },
              spec: { providerID: `aws:///z/${instanceId}` },
              status: {
                addresses: [{ type: 'InternalIP', address: '127.0.0.2' }],
                daemonEndpoints: { kubeletEndpoint: { Port: Number(new URL(server.endpoint).port) } },
              },
            },
          }
        : undefined;
    const { kubeletMetrics } = await read();
    expect(kubeletMetrics).toMatchObject({ status: 'failed', reason: expect.stringContaining('127.0.0.2') });
    expect(asked('/metrics')).toEqual([]);
  });

  it('is in no reason, whatever went wrong', async () => {
    const token = `k8s-aws-v1.${'A'.repeat(40)}`;
    const probes = await read({ token });
    expect(JSON.stringify(probes)).not.toContain('AAAA');
    expect(probes.nodeStatus).toMatchObject({ reason: expect.stringContaining('(401)') });
  });

  it('is the presigned question of who asks, bound to the cluster', async () => {
    const now = new Date('2026-11-21T06:30:00Z');
    const token = await clusterToken('prod', { ...identity, now });
    const url = new URL(Buffer.from(token.replace('k8s-aws-v1.', ''), 'base64url').toString('utf8'));
    const query = Object.fromEntries(url.searchParams);

    expect(token).toMatch(/^k8s-aws-v1\.[A-Za-z0-9_-]+$/);
    expect(url.origin).toBe('https://sts.eu-central-1.amazonaws.com');
    expect(query).toMatchObject({
      Action: 'GetCallerIdentity',
      Version: '2011-06-15',
      'X-Amz-Expires': '60',
      'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
      'X-Amz-Security-Token': 'a-session',
      'X-Amz-Date': '20261121T063000Z',
    });
    // Signed again here, by the rules of Signature Version 4, without the library that made it.
    const { 'X-Amz-Signature': signature, ...signed } = query;
    const canonicalQuery = Object.entries(signed)
      .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
      .sort()
      .join('&');
    const request = `GET\n/\n${canonicalQuery}\nhost:${url.host}\nx-k8s-aws-id:prod\n\nhost;x-k8s-aws-id\n${sha256('')}`;
    const scope = '20261121/eu-central-1/sts/aws4_request';
    const text = `AWS4-HMAC-SHA256\n20261121T063000Z\n${scope}\n${sha256(request)}`;
    const key = scope
      .split('/')
      .reduce<Buffer>((part, word) => hmac(part, word), Buffer.from('AWS4a-secret'));
    expect(signature).toBe(hmac(key, text).toString('hex'));
  });

  it('is made for the STS of China there', async () => {
    const token = await clusterToken('prod', { ...identity, region: 'cn-north-1', now: new Date() });
    const url = Buffer.from(token.replace('k8s-aws-v1.', ''), 'base64url').toString('utf8');
    expect(url).toMatch(/^https:\/\/sts\.cn-north-1\.amazonaws\.com\.cn\//);
  });

  it('needs what Lambda gives to a function, and says what is missing', () => {
    const { AWS_ACCESS_KEY_ID } = process.env;
    delete process.env.AWS_ACCESS_KEY_ID;
    try {
      expect(() => lambdaIdentity()).toThrow('AWS_ACCESS_KEY_ID');
    } finally {
      if (AWS_ACCESS_KEY_ID !== undefined) process.env.AWS_ACCESS_KEY_ID = AWS_ACCESS_KEY_ID;
    }
  });
});

describe('a GET', () => {
  const getter = (signal = AbortSignal.timeout(3000)) =>
    new HttpsGetter({ ca: server.certificateAuthority, token: 't', signal });

  it('ends with what is too large', async () => {
    instead = () => ({ status: 200, body: 'x'.repeat(2000) });
    const https = getter();
    await expect(https.get(new URL(server.endpoint), '*/*', 1000)).rejects.toThrow('more than 1000 bytes');
    expect((await https.get(new URL(server.endpoint), '*/*', 2000)).body).toHaveLength(2000);
    https.close();
  });

  it('says that it took too long', async () => {
    const https = getter(AbortSignal.abort());
    await expect(https.get(new URL(server.endpoint), '*/*', 1000)).rejects.toThrow('it took too long');
    https.close();
  });

  it('is made over HTTPS only', async () => {
    const https = getter();
    await expect(https.get(new URL('http://127.0.0.1:9/'), '*/*', 1000)).rejects.toThrow(
      'http: is not https:',
    );
    https.close();
  });
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
