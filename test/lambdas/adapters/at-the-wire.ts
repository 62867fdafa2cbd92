import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { vi } from 'vitest';

/** Begins to listen on loopback, and sends the calls of one AWS service there, signed as a function in an account would sign them. */
export async function standInFor(service: 'AUTO_SCALING' | 'EC2' | 'EKS', server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'LOCALONLY');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local-only');
  vi.stubEnv('AWS_SESSION_TOKEN', 'of-the-session');
  vi.stubEnv('AWS_ENDPOINT_URL', undefined);
  vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

/** Ends what `standInFor` has begun. */
export async function endStandIn(server: Server): Promise<void> {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
