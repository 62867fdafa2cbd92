import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeGroupNow } from '../../../lambdas/adapters/node-group.ts';
import { eksService, type LocalNodeGroup } from '../../../local/cloud/eks.ts';
import { answerError, readRequest, type ServiceError } from '../../../local/cloud/wire.ts';
import { endStandIn, standInFor } from './at-the-wire.ts';

let known: Record<string, LocalNodeGroup>;
const service = createServer(async (message, response) => {
  const read = await readRequest(message);
  const eks = eksService(
    async () => undefined,
    async (name) => known[name],
  );
  const request = { ...read, call: eks.operationOf?.(read.call) ?? read.call };
  await Promise.resolve(eks.answer(request, response)).catch((error: ServiceError) =>
    answerError(request, response, error),
  );
});
beforeEach(async () => {
  known = {};
  await standInFor('EKS', service);
});
afterEach(() => endStandIn(service));

describe('a managed node group', () => {
  it('is as EKS describes it, with its issues, and whether it repairs its nodes', async () => {
    known = {
      workers: {
        status: 'DEGRADED',
        health: { issues: [{ code: 'AsgInstanceLaunchFailures' }] },
        nodeRepairConfig: { enabled: true },
      },
      quiet: { status: 'ACTIVE' },
    };
    expect(await nodeGroupNow('prod', 'workers')).toEqual({
      status: 'DEGRADED',
      issues: ['AsgInstanceLaunchFailures'],
      repairs: true,
    });
    expect(await nodeGroupNow('prod', 'quiet')).toEqual({ status: 'ACTIVE', issues: [], repairs: false });
  });

  it('that EKS does not know is none; one without a status is an error, and no group that is well', async () => {
    expect(await nodeGroupNow('prod', 'gone')).toBeUndefined();
    known = { odd: {} as LocalNodeGroup };
    await expect(nodeGroupNow('prod', 'odd')).rejects.toThrow(
      'does not say the status of the node group odd',
    );
  });
});
