import { CauseId } from '../../lambdas/domain/causes/cause-id.ts';
import { Mode } from '../../lambdas/domain/settings.ts';
import { argumentsFor, UsageError } from '../command-line.ts';
import { faults } from '../faults.ts';
import { listRecordedNodes } from '../node/recorded-node.ts';
import type { Shares } from './fleet.ts';

export type StormOptions = {
  help: boolean;
  json: boolean;
  nodes: number;
  seed: number;
  cause: CauseId;
  /** The recorded node that has this cause, of which the real documents make what the fleet answers. */
  sample: string;
  approve: 'yes' | 'no';
  mode: Mode;
  shares: Shares;
};

const most = 1000;
const defaults = {
  seed: '1',
  cause: 'session-churn',
  approve: 'yes',
  mode: 'approve',
  silent: '2',
  stubborn: '0',
  recovering: '3',
  vetoed: '1',
} as const;

export const usage = `usage: npm run storm -- --nodes N [--seed S] [--cause CAUSE] [--approve yes|no] [--mode MODE] [--json]

Many nodes of one cluster alarm at once: what was asked, done, refused and told, and the peak rate of every AWS call against its
quota. The state machine and the functions are the ones that would be deployed.

--nodes       how many (1 to ${most})
--seed        which node has which fate, zone, group and pace (default ${defaults.seed}); the same seed makes the same fleet
--cause       what all of them have (default ${defaults.cause}): ${causes().join(', ')}
--approve     how every card is answered: yes (default), no
--mode        observe, approve (default: people are asked about everything), auto (the policy decides)
--silent      percent of the nodes whose agent takes no command (default ${defaults.silent})
--stubborn    percent that no treatment helps: the first of them stops its cohort (default ${defaults.stubborn})
--recovering  percent that are well by themselves after the first look (default ${defaults.recovering})
--vetoed      percent that have a veto (default ${defaults.vetoed})
--json        one JSON object on standard output, and nothing else there ("npm run -s storm -- …")

exit code: 0 nothing was violated, 1 something was, 2 wrong usage`;

/** @throws UsageError */
export function stormOptions(args: string[]): StormOptions {
  const text = { type: 'string' } as const;
  const { values } = argumentsFor({
    args,
    options: {
      nodes: text,
      seed: text,
      cause: text,
      approve: text,
      mode: text,
      silent: text,
      stubborn: text,
      recovering: text,
      vetoed: text,
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const given = { ...defaults, ...values };
  const help = values.help ?? false;
  const cause = CauseId.safeParse(given.cause);
  const sample = cause.success ? sampleOf(cause.data) : undefined;
  if (!cause.success || sample === undefined)
    throw new UsageError(`--cause is "${given.cause}": use one of ${causes().join(', ')}`);
  const shares: Shares = {
    silent: whole('--silent', given.silent, 0, 100),
    stubborn: whole('--stubborn', given.stubborn, 0, 100),
    recovering: whole('--recovering', given.recovering, 0, 100),
    vetoed: whole('--vetoed', given.vetoed, 0, 100),
  };
  const percent = Object.values(shares).reduce((sum, share) => sum + share, 0);
  if (percent > 100)
    throw new UsageError(`the shares of the fleet are ${percent} percent together: at most 100`);
  return {
    help,
    json: values.json ?? false,
    nodes: help ? 0 : whole('--nodes', values.nodes, 1, most),
    seed: whole('--seed', given.seed, 0, 2 ** 32 - 1),
    cause: cause.data,
    sample,
    approve: oneOf('--approve', given.approve, ['yes', 'no'] as const),
    mode: oneOf('--mode', given.mode, Mode.options),
    shares,
  };
}

/** Causes that a recorded node shows which answers. */
function causes(): string[] {
  return CauseId.options.filter((cause) => sampleOf(cause) !== undefined);
}

function sampleOf(cause: CauseId): string | undefined {
  const recorded = listRecordedNodes();
  return faults[cause]?.find((node) => recorded.includes(node) && !/^(silent|garbage)/.test(node));
}

function whole(flag: string, text: string | undefined, least: number, highest: number): number {
  const value = /^\d+$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (value >= least && value <= highest) return value;
  const is = text === undefined ? 'is missing' : `is "${text}"`;
  throw new UsageError(`${flag} ${is}: give a whole number from ${least} to ${highest}`);
}

function oneOf<const T extends string>(flag: string, text: string, valid: readonly T[]): T {
  const found = valid.find((one) => one === text);
  if (found === undefined) throw new UsageError(`${flag} is "${text}": use one of ${valid.join(', ')}`);
  return found;
}
