import { describe } from 'vitest';
import { realCluster } from './real-cluster.ts';
import { describeCluster } from './suite.ts';

const { KUBECONFIG } = process.env;

describe.skipIf(KUBECONFIG === undefined)('with KUBECONFIG set to a kubeconfig', () => {
  describeCluster('a real API server', () => realCluster(KUBECONFIG ?? ''));
});
