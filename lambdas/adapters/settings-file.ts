import { readFileSync } from 'node:fs';
import { type Cluster, Settings } from '../domain/settings.ts';
import { MedicError } from './medic-error.ts';

let known: Settings | undefined;

/** The settings that were shipped beside this bundle when the app was synthesized. */
export function settings(): Settings {
  known ??= Settings.parse(JSON.parse(readFileSync(new URL('./settings.json', import.meta.url), 'utf8')));
  return known;
}

/**
 * The settings of one cluster.
 *
 * @throws MedicError for a cluster that is not configured: an incident there must not go on with somebody's defaults
 */
export function clusterSettings(all: Settings, name: string): Cluster {
  const cluster = Object.hasOwn(all.clusters, name) ? all.clusters[name] : undefined;
  if (cluster === undefined) {
    const configured = Object.keys(all.clusters).join(', ');
    throw new MedicError(`cluster "${name}" is not configured; configured are: ${configured}`);
  }
  return cluster;
}
