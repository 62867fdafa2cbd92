import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { blocksOf } from '../docs/fenced-blocks.ts';
import { type Daemon, startDaemon } from './daemon.ts';

const receiver = 'cgroup-medic';

export interface AlertmanagerProps {
  /** It is made, and holds everything that this Alertmanager writes. */
  readonly folder: string;
  readonly webhookUrl: string;
  readonly credentialsFile: string;
}

/** What prometheus/README.md gives an Alertmanager, with the two things filled in that only a user knows. */
export function documentedConfig({ webhookUrl, credentialsFile }: Omit<AlertmanagerProps, 'folder'>) {
  const blocks = blocksOf(readFileSync('prometheus/README.md', 'utf8'));
  const config = parse(blocks.find(({ file }) => file === 'alertmanager.yml')?.text ?? '');
  const [webhook] = config.receivers.find(({ name }: { name: string }) => name === receiver).webhook_configs;
  webhook.url = webhookUrl;
  webhook.http_config.authorization.credentials_file = credentialsFile;
  return config;
}

/** An Alertmanager with that configuration, but for its waits, which are of a second. */
export function startAlertmanager({ folder, ...filled }: AlertmanagerProps): Promise<Daemon> {
  mkdirSync(folder);
  const config = documentedConfig(filled);
  const route = config.route.routes.find((one: { receiver: string }) => one.receiver === receiver);
  Object.assign(route, { group_wait: '1s', group_interval: '1s', repeat_interval: '1s' });
  const file = join(folder, 'alertmanager.yml');
  writeFileSync(file, stringify(config));
  const flags = [`--config.file=${file}`, `--storage.path=${join(folder, 'storage')}`];
  // Without peers, or it listens on a second port, and on every address.
  return startDaemon('prometheus-alertmanager', [...flags, '--cluster.listen-address='], '/-/ready');
}

/** How many notifications to webhooks an Alertmanager counts as failed. */
export async function failedNotifications({ url }: Daemon): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^alertmanager_notifications_failed_total\{integration="webhook"\} (\d+)$/m.exec(text)?.[1]);
}
