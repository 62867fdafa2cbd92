import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readSettings, SettingsError, settingsKey } from '../cdk/settings.ts';
import cdkJson from '../cdk.json' with { type: 'json' };
import type { Settings } from '../lambdas/domain/settings.ts';
import { synthesize } from '../local/engine/assembly.ts';
import type { Model } from './speed/incident.ts';
import { measuredIn } from './speed/measured.ts';
import { slower } from './speed/parts.ts';
import { simulate, tables } from './speed/result.ts';

const usage = `usage: npm run speed -- [--cluster NAME] [--incidents N] [--seed N] [--slower F] [--json]
How long it takes from an alarm to a diagnosis and to the first automatic treatment, by a model: N (default 20,000) incidents by chance, the same for the same seed,
on the state machine and with the settings of cdk.json, for its first cluster or the one that is named. F makes every part that is assumed so many times as slow. Exit code 0 when the bars are met, 1 when one is missed, 2 for wrong usage.`;

/** Raised for a command line that cannot be right. */
class UsageError extends Error {}

try {
  const options = optionsOf(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(`${usage}\n`);
  } else {
    const { cluster, incidents, seed, times, json } = options;
    const settings = readSettings(cdkJson.context[settingsKey]);
    const result = simulate(await modelOf(settings, cluster, times), incidents, seed);
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : tables(result));
    process.exitCode = result.met ? 0 : 1;
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`${usage}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
  if (!(error instanceof UsageError || error instanceof SettingsError)) throw error;
}

function optionsOf(args: string[]) {
  const { values } = parse(args);
  if (values.help) return 'help';
  return {
    cluster: values.cluster,
    incidents: whole('incidents', values.incidents, 100, 1_000_000),
    seed: whole('seed', values.seed, 0, 0xffff_ffff),
    times: factor('slower', values.slower),
    json: values.json,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        cluster: { type: 'string' },
        incidents: { type: 'string', default: '20000' },
        seed: { type: 'string', default: '1' },
        slower: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${name} ${text} is no whole number from ${least} to ${most}`);
}

function factor(name: string, text: string): number {
  const value = /^\d{1,4}(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new UsageError(`--${name} ${text} is no number above 0`);
}

async function modelOf(settings: Settings, named: string | undefined, times: number): Promise<Model> {
  const names = Object.keys(settings.clusters);
  const cluster = settings.clusters[named ?? names[0] ?? ''];
  if (cluster === undefined)
    throw new UsageError(`--cluster ${named} is not configured in cdk.json: ${names.join(', ')} is`);
  const page = readFileSync(resolve(import.meta.dirname, '../docs/performance.md'), 'utf8');
  const outdir = mkdtempSync(join(tmpdir(), 'cgroup-medic-speed-'));
  try {
    const { stateMachines, functions } = await synthesize(settings, outdir);
    const [machine] = stateMachines;
    const sizes = functions.map(({ memoryMb }) => memoryMb);
    if (machine === undefined || sizes.length === 0) throw new Error('the stack has no state machine');
    return {
      definition: machine.definition,
      memoryMb: Math.min(...sizes),
      command: settings.command,
      examination: cluster.examination,
      measured: measuredIn(page),
      parts: slower(times),
    };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
