import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { blocksOf } from '../docs/fenced-blocks.ts';
import { type Daemon, startDaemon } from './daemon.ts';

export interface AlertmanagerProps {
  /** It is made, and holds everything that this Alertmanager writes. */
  readonly folder: string;
  readonly webhookUrl: string;
  readonly credentialsFile: string;
}

/** An Alertmanager as prometheus/README.md has it, with the two things filled in that only a user knows, and with waits of a second. */
export function startAlertmanager({ folder, ...filled }: AlertmanagerProps): Promise<Daemon> {
  mkdirSync(folder);
  const file = join(folder, 'alertmanager.yml');
  writeFileSync(file, stringify(documented(filled)));
  const flags = [`--config.file=${file}`, `--storage.path=${join(folder, 'storage')}`];
  // Without peers, or it listens on a second port, and on every address.
  return startDaemon('prometheus-alertmanager', [...flags, '--cluster.listen-address='], '/-/ready');
}

function documented({ webhookUrl, credentialsFile }: Omit<AlertmanagerProps, 'folder'>) {
  const blocks = blocksOf(readFileSync('prometheus/README.md', 'utf8'));
  const block = blocks.find(({ file }) => file === 'alertmanager.yml');
  const config = parse(block?.text ?? '');
  const name = 'cgroup-medic';
  const ours = (one: { receiver?: string; name?: string }) => (one.receiver ?? one.name) === name;
  const route = config.route.routes.find(ours);
  const [webhook] = config.receivers.find(ours).webhook_configs;
  webhook.url = webhookUrl;
  webhook.http_config.authorization.credentials_file = credentialsFile;
  Object.assign(route, { group_wait: '1s', group_interval: '1s', repeat_interval: '1s' });
  return config;
}

/** How many notifications to webhooks an Alertmanager counts as failed. */
export async function failedNotifications({ url }: Daemon): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^alertmanager_notifications_failed_total\{integration="webhook"\} (\d+)$/m.exec(text)?.[1]);
}
