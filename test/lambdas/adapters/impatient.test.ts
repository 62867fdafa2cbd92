import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { impatient } from '../../../lambdas/adapters/impatient.ts';

let asked = 0;
/** A service that takes every question and answers none. */
const service = createServer(() => {
  asked += 1;
});
beforeEach(async () => {
  asked = 0;
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
});
afterEach(() => {
  service.closeAllConnections();
  service.close();
});

it('asks a service that does not answer twice, and then says that it took too long', async () => {
  const client = new CloudWatchClient({
    ...impatient,
    requestHandler: { ...impatient.requestHandler, requestTimeout: 100 },
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'LOCALONLY', secretAccessKey: 'local-only' },
  });
  const question = new GetMetricDataCommand({
    MetricDataQueries: [],
    StartTime: new Date(0),
    EndTime: new Date(),
  });
  await expect(client.send(question)).rejects.toThrow('has exceeded the configured 100 ms');
  expect(asked).toBe(2);
});
