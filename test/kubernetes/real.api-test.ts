import { describe, expect, it } from 'vitest';
import { clusterToken } from '../../lambdas/adapters/eks-token.ts';
import { HttpsGetter, type HttpsRequest } from '../../lambdas/adapters/https-get.ts';
import { realCluster } from './real-cluster.ts';
import { describeCluster } from './suite.ts';

const { KUBECONFIG } = process.env;

describe.skipIf(KUBECONFIG === undefined)('with KUBECONFIG set to a kubeconfig', () => {
  describeCluster('a real API server', () => realCluster(KUBECONFIG ?? ''));

  it('the rights of docs/kubernetes/replace-nodes.yaml reach what a replacement does, and nothing else', async () => {
    const cluster = await realCluster(KUBECONFIG ?? '');
    const { namespace, node } = cluster;
    const { endpoint, ca } = cluster.endpoint();
    const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret' };
    const token = await clusterToken('prod', { region: 'eu-central-1', credentials, now: new Date() });
    const https = new HttpsGetter({ ca, token, signal: AbortSignal.timeout(30_000) });
    const statusOf = async (method: HttpsRequest['method'], path: string): Promise<number> => {
      const body = { type: 'application/merge-patch+json', text: '{}' };
      const withBody = method === 'PATCH' || method === 'POST' ? { body } : {};
      const url = new URL(path, endpoint);
      return (await https.send({ method, url, accept: 'application/json', maxBytes: 1e6, ...withBody }))
        .status;
    };
    try {
      await cluster.run([{ name: 'web-1' }]);
      expect(await statusOf('GET', '/api/v1/nodes?limit=1')).toBe(200);
      expect(await statusOf('GET', '/api/v1/pods?limit=1')).toBe(200);
      expect(await statusOf('PATCH', `/api/v1/nodes/${node}`)).toBe(200);
      for (const [method, path] of [
        ['DELETE', `/api/v1/namespaces/${namespace}/pods/web-1`],
        ['PATCH', `/api/v1/namespaces/${namespace}/pods/web-1`],
        ['GET', `/api/v1/namespaces/${namespace}/pods/web-1`],
        ['DELETE', `/api/v1/nodes/${node}`],
        ['PATCH', `/api/v1/nodes/${node}/status`],
        ['GET', `/api/v1/nodes/${node}/proxy/metrics`],
        ['GET', '/api/v1/secrets'],
        ['POST', `/api/v1/namespaces/${namespace}/pods`],
        ['POST', `/api/v1/namespaces/${namespace}/pods/web-1/exec`],
        ['GET', '/apis/karpenter.sh/v1/nodeclaims'],
      ] as const)
        expect(await statusOf(method, path), `${method} ${path}`).toBe(403);
      expect(await cluster.leaving()).toEqual([]);
    } finally {
      https.close();
      await cluster.close();
    }
  });
});
