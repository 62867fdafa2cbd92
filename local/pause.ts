import {
  isActive,
  longestPauseDays,
  Pause,
  PauseBy,
  PauseName,
  PauseReason,
  whoPaused,
} from '../lambdas/domain/gates/pause.ts';
import type { PausesRead } from '../lambdas/domain/gates/pause-gate.ts';
import { ClusterName } from '../lambdas/domain/intake/raw-alarm.ts';
import { printable } from '../lambdas/domain/printable.ts';
import { checkCluster } from './check-cluster.ts';
import { argumentsFor, runCommand, UsageError } from './command-line.ts';
import { clientOptions, DeploymentError, deploymentOptions, outputOf, whereOf } from './deployment.ts';
import { PauseStore, RefusedPause } from './pause-store.ts';
import { momentOf } from './until.ts';

const usage = `usage: npm run pause -- CLUSTER --reason TEXT --until TIME [--name NAME] [--by WHO] [where] [--json]
       npm run pause -- CLUSTER --list [where] [--json]
       npm run pause -- CLUSTER --end NAME [--reason TEXT] [--by WHO] [where] [--json]
where: [--stack STACK | --table TABLE] [--region REGION] [--profile PROFILE]

Keeps a deployed stack from treating anything in a cluster for a while. Incidents are still opened, examined and diagnosed, and
say who has paused, why, and until when. Who pauses is what AWS says of whoever runs this.

CLUSTER    EKS cluster that the stack looks after
--reason   why, for whoever is kept from something by it (at most 300 characters); also needed to end the pause of somebody else
--until    when it ends by itself: 90m, 8h or 3d from now, or a time with its offset such as 2026-11-28T18:00Z; ${longestPauseDays} days at most
--name     what it is called (default: the last part of who you are); your own of the same name is replaced, nobody else's is
--by       who it is for, where that is not you: it is shown beside what AWS says
--list     the pauses that hold now
--end      ends one; what was refused meanwhile is not taken up again before the next alarm
--stack    name of the stack whose outputs name the state table (default: CgroupMedic)
--table    the state table itself: the output StateTableName, for people who may not read the stack
--region, --profile
           otherwise those of the usual AWS configuration

The rights it takes are in the managed policy that the output PausePolicyArn names.

exit code: 0 done, 1 it could not be done, 2 wrong usage, 3 it was refused, as it is somebody else's pause or is over`;

await runCommand(usage, main, (error) =>
  error instanceof RefusedPause ? 3 : error instanceof DeploymentError ? 1 : undefined,
);

type Values = ReturnType<typeof parse>['values'];

async function main(args: string[]): Promise<string> {
  const { values, positionals } = parse(args);
  if (values.help) return usage;
  const now = new Date();
  const asked = askedOf(positionals, values, now);
  const where = whereOf(values);
  const table = values.table ?? (await outputOf(where, 'StateTableName', '--table')).value;
  const store = new PauseStore(clientOptions(where), table, asked.cluster);
  try {
    // A pause of a cluster that there is not would stop nothing, and nobody would know.
    await checkCluster(clientOptions(where), asked.cluster, 'PausePolicyArn');
    return await run(store, asked, now, values.json ?? false);
  } finally {
    store.close();
  }
}

type Asked = { cluster: string; by?: string } & (
  | { what: 'list' }
  | { what: 'end'; name: string; reason?: string }
  | { what: 'pause'; name?: string; reason: string; until: Date }
);

async function run(store: PauseStore, asked: Asked, now: Date, json: boolean): Promise<string> {
  const { cluster } = asked;
  if (asked.what === 'list') {
    const read = await store.read();
    return json ? JSON.stringify(listed(cluster, read, now)) : listText(cluster, read, now);
  }
  const { arn } = await store.caller();
  const who = { by: asked.by ?? arn.slice(0, 200), arn };
  const at = now.toISOString();
  if (asked.what === 'end') {
    const { name, reason } = asked;
    const pause = await store.end(name, { ...who, at, ...(reason === undefined ? {} : { reason }) });
    if (json) return JSON.stringify({ cluster, ended: true, pause });
    return `ended: the pause ${name} of ${cluster}, by ${whoPaused(pause)} until ${pause.until}: ${pause.reason}`;
  }
  const pause = Pause.parse({
    version: 1,
    name: asked.name ?? nameFrom(asked.by ?? arn),
    reason: asked.reason,
    until: asked.until.toISOString(),
    ...who,
    at,
  });
  const replaced = await store.set(pause);
  if (json) return JSON.stringify({ cluster, paused: true, pause, replaced: replaced ?? null });
  const instead =
    replaced === undefined ? '' : `\nin place of yours until ${replaced.until}: ${replaced.reason}`;
  return `paused: ${cluster} until ${pause.until}, as ${pause.name}, by ${whoPaused(pause)}: ${pause.reason}${instead}\nWhat runs on a node at this moment comes to its end; nothing new begins. To end it sooner: npm run pause -- ${cluster} --end ${pause.name}`;
}

function listed(cluster: string, { pauses, unreadable }: PausesRead, now: Date) {
  return { cluster, pauses: pauses.map((pause) => ({ ...pause, active: isActive(pause, now) })), unreadable };
}

function listText(cluster: string, { pauses, unreadable }: PausesRead, now: Date): string {
  const active = pauses.filter((pause) => isActive(pause, now));
  const lines = [
    ...active.map(
      (pause) =>
        `${pause.name}  until ${pause.until}, by ${whoPaused(pause)} since ${pause.at}: ${pause.reason}`,
    ),
    ...unreadable.map(
      (name) =>
        `${printable(name)}  cannot be read, so that everything is refused: docs/gates.md says how to look at it`,
    ),
  ];
  return lines.length === 0 ? `${cluster} is not paused` : lines.join('\n');
}

/** What somebody's pause is called unless they say otherwise. */
function nameFrom(who: string): string {
  const last = who.split('/').at(-1) ?? '';
  const name = last.toLowerCase().replace(/[^a-z0-9._-]+/g, '-');
  return name.replace(/^[^a-z0-9]+/, '').slice(0, 64) || 'pause';
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
    reason: text,
    until: text,
    name: text,
    by: text,
    list: flag,
    end: text,
    table: text,
    ...deploymentOptions,
    json: flag,
    help: { ...flag, short: 'h' },
  } as const;
  return argumentsFor({ args, options, allowPositionals: true });
}

function askedOf(positionals: string[], values: Values, now: Date): Asked {
  const [given, ...rest] = positionals;
  if (given === undefined || rest.length > 0) {
    throw new UsageError(
      `one cluster is needed, and ${given === undefined ? 'none was' : `${rest.length + 1} were`} given`,
    );
  }
  const cluster = checked('CLUSTER', ClusterName, given);
  const { list, end, reason, until, name, by } = values;
  const person = by === undefined ? {} : { by: checked('--by', PauseBy, by) };
  const why = reason === undefined ? {} : { reason: checked('--reason', PauseReason, reason) };
  if (list) {
    refuseBeside('--list', {
      '--end': end,
      '--reason': reason,
      '--until': until,
      '--name': name,
      '--by': by,
    });
    return { what: 'list', cluster };
  }
  if (end !== undefined) {
    refuseBeside('--end', { '--until': until, '--name': name });
    return { what: 'end', cluster, name: checked('--end', PauseName, end), ...person, ...why };
  }
  if (why.reason === undefined) throw new UsageError('--reason is needed: why the cluster is paused');
  if (until === undefined) throw new UsageError('--until is needed: no pause is for ever');
  const at = momentOf(until, now);
  const days = (at.getTime() - now.getTime()) / 86_400_000;
  if (days <= 0) throw new UsageError(`--until is "${until}": that is over`);
  if (days > longestPauseDays) {
    throw new UsageError(
      `--until is "${until}": must be ${longestPauseDays} days from now at most; what is to last longer is the mode observe`,
    );
  }
  const called = name === undefined ? {} : { name: checked('--name', PauseName, name) };
  return { what: 'pause', cluster, reason: why.reason, until: at, ...called, ...person };
}

type Schema = {
  safeParse(value: string): { success: boolean; data?: string; error?: { issues: { message: string }[] } };
};

function checked(name: string, schema: Schema, value: string): string {
  const parsed = schema.safeParse(value);
  if (parsed.success && parsed.data !== undefined) return parsed.data;
  throw new UsageError(`${name} is "${value.slice(0, 80)}": ${parsed.error?.issues[0]?.message}`);
}

function refuseBeside(flag: string, others: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(others)) {
    if (value !== undefined) throw new UsageError(`${name} says nothing beside ${flag}`);
  }
}
