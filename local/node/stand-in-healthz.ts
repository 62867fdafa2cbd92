import { createServer } from 'node:http';

/** The health endpoint of a kubelet that is well, on a free port of this machine. */
export type Healthz = { port: number; close(): Promise<void> };

export async function startHealthz(): Promise<Healthz> {
  const server = createServer((_, response) => response.end('ok'));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the health endpoint has no port');
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
