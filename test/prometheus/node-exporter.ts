import { startDaemon } from './daemon.ts';

/** What a real node_exporter on this host exposes: the names of its metrics, and whether each collector succeeded. */
export async function nodeExporterMetrics(
  flags: string[],
): Promise<{ names: Set<string>; collectors: Map<string, number> }> {
  const exporter = await startDaemon('prometheus-node-exporter', flags, '/');
  try {
    const text = await (await fetch(`${exporter.url}/metrics`)).text();
    const collectors = text.matchAll(/^node_scrape_collector_success\{collector="(\w+)"\} (\d)$/gm);
    return {
      names: new Set([...text.matchAll(/^([a-zA-Z_:][\w:]*)[{ ]/gm)].map(([, name]) => name ?? '')),
      collectors: new Map([...collectors].map(([, name, success]) => [name ?? '', Number(success)])),
    };
  } finally {
    await exporter.stop();
  }
}
