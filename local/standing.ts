import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { endStanding } from '../lambdas/adapters/standing-end.ts';
import { listStandings, type StandingsRead } from '../lambdas/adapters/standing-list.ts';
import { ClusterName } from '../lambdas/domain/intake/raw-alarm.ts';
import { printable } from '../lambdas/domain/printable.ts';
import {
  EndReason,
  limitText,
  NodeGroup,
  type StandingRead,
  StandingTreatment,
  standingText,
  whyOver,
} from '../lambdas/domain/standing/standing.ts';
import { whoRuns } from './caller-identity.ts';
import { checkCluster } from './check-cluster.ts';
import { argumentsFor, runCommand, UsageError } from './command-line.ts';
import {
  clientOptions,
  DeploymentError,
  deploymentOptions,
  explained,
  outputOf,
  whereOf,
} from './deployment.ts';

const usage = `usage: npm run standing -- list CLUSTER [where] [--json]
       npm run standing -- end CLUSTER GROUP [--treatment NAME] --reason TEXT [where] [--json]
where: [--stack STACK | --table TABLE] [--region REGION] [--profile PROFILE]

Shows what the census of a deployed stack repeats on groups of nodes, and ends it. One begins by an approval in an incident, and in no other
way; whoever ends one is what AWS says of whoever runs this.

CLUSTER    EKS cluster that the stack looks after
GROUP      node group, as the list has it
--treatment
           which of them, where the group has more than one: standing-reclaim or standing-restart
--reason   why it ends, for whoever approved it (at most 300 characters)
--stack    name of the stack whose outputs name the state table (default: CgroupMedic)
--table    the state table itself: the output StateTableName, for people who may not read the stack
--region, --profile
           otherwise those of the usual AWS configuration

The rights it takes are in the managed policy that the output StandingPolicyArn names.

exit code: 0 done, 1 it could not be done, 2 wrong usage, 3 there is none to end`;

/** There is nothing to end; the message says why. */
class NothingToEnd extends Error {
  override readonly name = 'NothingToEnd';
}

const remedies = {
  ResourceNotFound: 'is the region that of the stack? Give it with --region',
  AccessDenied: 'attach the managed policy to yourself that the output StandingPolicyArn names',
};

await runCommand(usage, main, (error) =>
  error instanceof NothingToEnd ? 3 : error instanceof DeploymentError ? 1 : undefined,
);

type Asked = { cluster: string } & (
  | { what: 'list' }
  | { what: 'end'; nodeGroup: string; reason: string; treatment?: StandingTreatment }
);

async function main(args: string[]): Promise<string> {
  const { values, positionals } = parse(args);
  if (values.help) return usage;
  const asked = askedOf(positionals, values.reason, values.treatment);
  const where = whereOf(values);
  const table = values.table ?? (await outputOf(where, 'StateTableName', '--table')).value;
  await checkCluster(clientOptions(where), asked.cluster, 'StandingPolicyArn');
  const dynamo = new DynamoDBClient(clientOptions(where));
  try {
    const read = await listStandings(dynamo, table, asked.cluster).catch((error: unknown) => {
      throw explained(error, `the standing treatments of ${asked.cluster} cannot be read`, remedies);
    });
    return asked.what === 'list'
      ? shown(asked.cluster, read, values.json ?? false)
      : await end(dynamo, table, asked, read, values.json ?? false);
  } finally {
    dynamo.destroy();
  }
}

function shown(cluster: string, { standings, unreadable }: StandingsRead, json: boolean): string {
  const now = new Date();
  const all = standings.map((read) => ({ ...read, over: whyOver(read, now) ?? null }));
  if (json) return JSON.stringify({ cluster, standings: all, unreadable });
  const lines = [
    ...all.map(
      ({ standing, over }) =>
        `${over === null ? 'holds' : 'over '}  ${standingText(standing)}: ${standing.cause}, ${limitText(standing)}${over === null ? '' : `; ${over}`}`,
    ),
    ...unreadable.map(
      (key) =>
        `${printable(key)}  cannot be read, and does not hold: docs/standing.md says how to look at it`,
    ),
  ];
  return lines.length === 0 ? `${cluster} has had no standing treatment lately` : lines.join('\n');
}

async function end(
  dynamo: DynamoDBClient,
  table: string,
  { cluster, nodeGroup, reason, treatment }: Extract<Asked, { what: 'end' }>,
  { standings }: StandingsRead,
  json: boolean,
): Promise<string> {
  const now = new Date();
  const ofGroup = standings.filter(
    ({ standing }) =>
      standing.nodeGroup === nodeGroup && (treatment === undefined || standing.treatment === treatment),
  );
  const holding = ofGroup.filter((read) => whyOver(read, now) === undefined);
  if (holding.length > 1) {
    const names = holding.map(({ standing }) => standing.treatment).join(' and ');
    throw new UsageError(`group ${nodeGroup} has ${names}: say by --treatment which of them ends`);
  }
  const found = holding[0] ?? ofGroup[0];
  const over = found === undefined ? 'there is none' : whyOver(found, now);
  if (found === undefined || over !== undefined) {
    throw new NothingToEnd(
      `group ${nodeGroup} of ${cluster} has no standing treatment now: ${over}. ${groupsOf(standings, now)}`,
    );
  }
  const { standing } = found;
  const { arn } = await whoRuns(dynamo);
  const ended = {
    version: 1,
    id: standing.id,
    at: now.toISOString(),
    by: arn.slice(0, 300),
    arn,
    reason,
  } as const;
  const first = await endStanding(dynamo, table, cluster, ended).catch((error: unknown) => {
    throw explained(error, 'nothing was changed: the state table does not take it', remedies);
  });
  if (!first) throw new NothingToEnd(`somebody has ended ${standing.id} at this very moment`);
  if (json) return JSON.stringify({ cluster, ended: true, standing, end: ended });
  return `ended: ${standingText(standing)}: ${reason}\nWhat runs on a node at this moment comes to its end; nothing new begins by it.`;
}

function groupsOf(standings: readonly StandingRead[], now: Date): string {
  const holding = standings.filter((read) => whyOver(read, now) === undefined);
  if (holding.length === 0) return 'No group has one';
  return `Groups that have one: ${holding.map(({ standing }) => standing.nodeGroup).join(', ')}`;
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
    reason: text,
    treatment: text,
    table: text,
    ...deploymentOptions,
    json: flag,
    help: { ...flag, short: 'h' },
  } as const;
  return argumentsFor({ args, options, allowPositionals: true });
}

function askedOf(
  [what, cluster, nodeGroup, ...rest]: string[],
  reason: string | undefined,
  treatment: string | undefined,
): Asked {
  if (what === undefined) throw new UsageError('list or end is needed, and neither was given');
  if (what !== 'list' && what !== 'end') throw new UsageError(`"${what}" is neither list nor end`);
  if (cluster === undefined) throw new UsageError(`${what} needs CLUSTER: an EKS cluster name`);
  if (!ClusterName.safeParse(cluster).success) {
    throw new UsageError(`CLUSTER is "${cluster.slice(0, 80)}": must be an EKS cluster name`);
  }
  if (what === 'list') {
    if (nodeGroup !== undefined || reason !== undefined || treatment !== undefined)
      throw new UsageError('list takes a cluster, and no group, no --treatment and no --reason');
    return { what, cluster };
  }
  if (rest.length > 0) throw new UsageError(`"${rest[0]}" is one word too many`);
  if (nodeGroup === undefined) throw new UsageError('end needs GROUP: a node group, as the list has it');
  if (!NodeGroup.safeParse(nodeGroup).success) {
    throw new UsageError(
      `GROUP is "${nodeGroup.slice(0, 80)}": must be the name of a node group, as the list has it`,
    );
  }
  if (reason === undefined) throw new UsageError('--reason is needed: why it ends, for whoever approved it');
  const why = EndReason.safeParse(reason);
  if (!why.success) {
    throw new UsageError(`--reason is "${reason.slice(0, 80)}": ${why.error.issues[0]?.message}`);
  }
  const which = StandingTreatment.optional().safeParse(treatment);
  if (!which.success) {
    throw new UsageError(
      `--treatment is "${treatment ?? ''}": use one of ${StandingTreatment.options.join(', ')}`,
    );
  }
  const { data } = which;
  return { what, cluster, nodeGroup, reason: why.data, ...(data === undefined ? {} : { treatment: data }) };
}
