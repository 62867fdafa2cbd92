import { createServer, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clusterEndpoint } from '../../../lambdas/adapters/eks-cluster.ts';
import { endStandIn, standInFor } from './at-the-wire.ts';

type Answer = { status?: number; type?: string; body: unknown };
let asked: Pick<IncomingMessage, 'method' | 'url' | 'headers'>[];
/** What EKS answers, call by call; the last one stays. */
let answers: Answer[];
const service = createServer(({ method, url, headers }, response) => {
  const { status = 200, type, body } = answers[Math.min(asked.length, answers.length - 1)] as Answer;
  asked.push({ method, url, headers });
  response.writeHead(status, type === undefined ? {} : { 'x-amzn-errortype': type });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
});

beforeEach(async () => {
  asked = [];
  await standInFor('EKS', service);
});
afterEach(() => endStandIn(service));

const cluster = {
  status: 'ACTIVE',
  endpoint: 'https://ABC.gr7.us-east-1.eks.amazonaws.com',
  certificateAuthority: { data: Buffer.from('PEM').toString('base64') },
  resourcesVpcConfig: { endpointPublicAccess: false, endpointPrivateAccess: true },
};
const found = { endpoint: cluster.endpoint, ca: 'PEM' };
const busy = { status: 429, type: 'ThrottlingException:', body: { message: 'slow down' } };

describe('the API server of a cluster', () => {
  it('is where EKS says, signed for by whom EKS says; the question is signed for EKS in the region of the function', async () => {
    answers = [{ body: { cluster } }];
    expect(await clusterEndpoint('prod', false)).toEqual(found);
    expect(asked).toMatchObject([
      { method: 'GET', url: '/clusters/prod', headers: { 'x-amz-security-token': 'of-the-session' } },
    ]);
    expect(asked[0]?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=LOCALONLY\/\d{8}\/eu-central-1\/eks\/aws4_request, SignedHeaders=.*host/,
    );
  });

  it('without a public endpoint is not asked from outside, and the setting that would help is named', async () => {
    answers = [{ body: { cluster } }];
    await expect(clusterEndpoint('prod', true)).rejects.toThrow('set clusters.prod.api.access to vpc');
  });

  it.each([
    ['no endpoint yet', { cluster: { status: 'CREATING' } }],
    ['an endpoint that is not https', { cluster: { ...cluster, endpoint: 'http://example.com' } }],
    ['no authority', { cluster: { ...cluster, certificateAuthority: {} } }],
    ['something else than a cluster', { message: 'hello' }],
  ])('with %s is not asked', async (_, body) => {
    answers = [{ body }];
    await expect(clusterEndpoint('prod', false)).rejects.toThrow(
      'names no endpoint and certificate authority',
    );
  });
});

describe('EKS', () => {
  it('that refuses is quoted with its own word, and not asked again', async () => {
    answers = [
      {
        status: 404,
        type: 'ResourceNotFoundException:http://internal.amazon.com/',
        body: { message: 'No cluster found for name: prod.' },
      },
    ];
    await expect(clusterEndpoint('prod', false)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'No cluster found for name: prod.',
    });
    expect(asked).toHaveLength(1);
  });

  it('that is busy is asked once more, and no oftener', async () => {
    answers = [busy, { body: { cluster } }];
    expect(await clusterEndpoint('prod', false)).toEqual(found);
    asked = [];
    answers = [busy];
    await expect(clusterEndpoint('prod', false)).rejects.toMatchObject({ name: 'ThrottlingException' });
    expect(asked).toHaveLength(2);
  });

  it('that answers with what is no JSON, or not at all, is an error', async () => {
    answers = [{ body: '<html>' }];
    await expect(clusterEndpoint('prod', false)).rejects.toThrow();
    vi.stubEnv('AWS_ENDPOINT_URL_EKS', 'http://127.0.0.1:1');
    await expect(clusterEndpoint('prod', false)).rejects.toThrow('ECONNREFUSED');
  });
});
