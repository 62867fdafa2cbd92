import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { type Daemon, startDaemon } from './daemon.ts';

/** One series that the storage holds already: its value once a minute, until now. */
export type PastSeries = { name: string; labels: Record<string, string>; value: number };

export interface PrometheusProps {
  /** It is made, and holds everything that this Prometheus writes. */
  readonly folder: string;
  /** The label `cluster`, as prometheus/scrape-example.yaml has it. */
  readonly cluster: string;
  /** The name of the one node, and the `host:port` of its exporter. */
  readonly node: { readonly name: string; readonly address: string };
  /** `host:port` of the Alertmanager. */
  readonly alertmanager: string;
  /** What the one before it has written. */
  readonly past: { readonly minutes: number; readonly series: readonly PastSeries[] };
}

/** A Prometheus with all rules of the project, from their files, and one node to scrape. */
export function startPrometheus({
  folder,
  cluster,
  node,
  alertmanager,
  past,
}: PrometheusProps): Promise<Daemon> {
  mkdirSync(folder);
  const config = join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    stringify({
      global: { scrape_interval: '2s', scrape_timeout: '2s', external_labels: { cluster } },
      rule_files: [resolve('prometheus/rules/*.yaml')],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] },
      scrape_configs: [
        {
          job_name: 'node-exporter',
          static_configs: [{ targets: [node.address], labels: { node: node.name } }],
        },
      ],
    }),
  );
  const storage = join(folder, 'storage');
  const text = join(folder, 'past.txt');
  writeFileSync(text, openMetrics(past));
  execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', text, storage]);
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${storage}`, '--log.level=warn'];
  return startDaemon('prometheus', flags, '/-/ready');
}

function openMetrics({ minutes, series }: PrometheusProps['past']): string {
  // A Prometheus refuses what is older than its blocks, so nothing of them is of the future.
  const last = Math.floor(Date.now() / 1000) - 1;
  const lines = series.flatMap(({ name, labels, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
    const samples = Array.from(
      { length: minutes },
      (_, index) => `${name}{${pairs.join(',')}} ${value} ${last - (minutes - 1 - index) * 60}`,
    );
    return [`# TYPE ${name} gauge`, ...samples];
  });
  return `${[...lines, '# EOF'].join('\n')}\n`;
}
