import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const script = resolve('prometheus/textfile/cgroup-medic-zombies.sh');

/** An exporter on a loopback port, as `host:port`. */
export type Exporter = { address: string; close(): Promise<void> };

/**
 * Stands in for the node_exporter of a recorded node: at each scrape the script of the project counts the cgroups below `root`, and its
 * textfile is the answer. A count that fails is a failed scrape.
 */
export async function serveZombies(root: string, folder: string): Promise<Exporter> {
  mkdirSync(folder);
  const server = createServer((_, response) => {
    const env = { PATH: process.env.PATH ?? '', CGROUP_MEDIC_ROOT: root };
    promisify(execFile)('bash', [script, folder], { env, timeout: 20_000 })
      .then(() => readFileSync(join(folder, 'cgroup-medic-zombies.prom')))
      .then((text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text))
      .catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
