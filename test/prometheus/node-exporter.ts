import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** What a real node_exporter on this host exposes: the names of its metrics, and whether each collector succeeded. */
export async function nodeExporterMetrics(
  flags: string[],
): Promise<{ names: Set<string>; collectors: Map<string, number> }> {
  const address = `127.0.0.1:${await freePort()}`;
  const exporter = spawn('prometheus-node-exporter', [`--web.listen-address=${address}`, ...flags], {
    stdio: 'ignore',
  });
  const ended = once(exporter, 'exit');
  try {
    const text = await scrape(`http://${address}/metrics`, exporter);
    const collectors = text.matchAll(/^node_scrape_collector_success\{collector="(\w+)"\} (\d)$/gm);
    return {
      names: new Set([...text.matchAll(/^([a-zA-Z_:][\w:]*)[{ ]/gm)].map(([, name]) => name ?? '')),
      collectors: new Map([...collectors].map(([, name, success]) => [name ?? '', Number(success)])),
    };
  } finally {
    exporter.kill();
    await ended;
  }
}

async function scrape(url: string, exporter: { exitCode: number | null }): Promise<string> {
  while (exporter.exitCode === null) {
    try {
      return await (await fetch(url)).text();
    } catch {
      // It does not listen yet.
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(
    `prometheus-node-exporter ended by itself (${exporter.exitCode}): does it know these flags?`,
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free on 127.0.0.1');
  return address.port;
}
