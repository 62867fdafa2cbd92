import { parseArgs } from 'node:util';
import { CauseId } from '../lambdas/domain/causes/cause-id.ts';
import { Mode } from '../lambdas/domain/settings.ts';
import { ApproveFlag } from './approvals.ts';
import { exitCodeLines } from './exit-code.ts';
import { defaultFault, faults } from './faults.ts';

/** Raised for wrong usage; the message says what is valid. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export type StartOptions = {
  help: boolean;
  json: boolean;
  /** Nodes to try, in this order. */
  nodes: readonly string[];
  /** What is wrong with the node, where it is made: a recorded one has a fault of its own. */
  fault: CauseId;
  /** The host was asked for by name. */
  hostAsked: boolean;
  approve: ApproveFlag;
  mode: Mode;
};

const flags = {
  node: { type: 'string' },
  fault: { type: 'string' },
  approve: { type: 'string' },
  mode: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export function usageOf(recorded: readonly string[]): string {
  return `usage: npm start -- [--node NODE] [--fault CAUSE] [--approve HOW] [--mode MODE] [--json]

One incident from end to end on this machine: the state machine and the functions are the ones that would be deployed.

--node     auto (default): the first that can have the fault here, in the order of the list below
           host: this host, with a real leak that is really repaired (Linux, root, cgroup v1)
           vm: a virtual node (QEMU, Debian 12, kernel 6.1, cgroup v2), with a real fault that is really repaired
               (Linux, root, QEMU, mmdebstrap; the first time it makes an image)
           a recorded node: ${recorded.join(', ')}
--fault    what is wrong with the node (default ${defaultFault}), and the nodes that can have it:
${faultLines()}
--approve  who answers when a treatment needs an approval: ask (default: on a page of this machine, whose link is printed, and at the
           terminal; whichever answers first), yes, no
--mode     observe: say what would be done; approve: ask before every treatment; auto (default): the policy decides
--json     the incident record on standard output, and nothing else there: "npm start --json" (npm itself
           prints a banner there with "npm start -- --json"; "npm run -s start -- --json" has none either)

Everything is kept in .cgroup-medic/runs/: audit trail, public key, record, report.

exit code: ${exitCodeLines().join(`\n${' '.repeat(11)}`)}`;
}

function faultLines(): string {
  const width = Math.max(...Object.keys(faults).map((fault) => fault.length));
  return Object.entries(faults)
    .map(([fault, nodes]) => `${' '.repeat(11)}${fault.padEnd(width)}  ${nodes.join(', ')}`)
    .join('\n');
}

/**
 * Reads the command line.
 *
 * @throws UsageError that lists what is valid
 */
export function startOptions(args: string[], recorded: readonly string[]): StartOptions {
  const { values, positionals } = parse(args);
  const taken = (['node', 'fault', 'approve', 'mode'] as const).filter(
    (flag) => values[flag] === undefined && process.env[`npm_config_${flag}`] !== undefined,
  );
  if (taken.length > 0) {
    const names = taken.map((flag) => `"--${flag}"`).join(' and ');
    const meant = givenToNpm(taken, positionals, recorded);
    throw new UsageError(
      `npm kept ${names} for itself: put "--" before the flags, as in "npm run -s start -- --json ${meant}"`,
    );
  }
  if (positionals.length > 0)
    throw new UsageError(`unexpected argument "${positionals[0]}"; ${validFlags()}`);
  const fault = faultOf(values.fault);
  const approve = ApproveFlag.safeParse(values.approve ?? 'ask');
  if (!approve.success) throw unknown('--approve', values.approve, ApproveFlag.options);
  const mode = Mode.safeParse(values.mode ?? 'auto');
  if (!mode.success) throw unknown('--mode', values.mode, Mode.options);
  return {
    help: values.help ?? false,
    // "npm start --json" keeps the flag for npm, which then leaves standard output to us and tells us by its environment;
    // with "npm start -- --json" npm prints its banner there first.
    json: values.json ?? process.env.npm_config_json === 'true',
    nodes: nodesOf(values.node ?? 'auto', fault, recorded),
    fault: fault ?? defaultFault,
    hostAsked: values.node === 'host',
    approve: approve.data,
    mode: mode.data,
  };
}

/**
 * The flags that npm took, as they were meant. Of "--node=NAME" npm knows the value; of "--node NAME" it keeps the flag and
 * hands us the value without it, so that it has to be told by what it says which flag it belongs to.
 */
function givenToNpm(
  taken: readonly ('node' | 'fault' | 'approve' | 'mode')[],
  positionals: readonly string[],
  recorded: readonly string[],
): string {
  const valid: Record<string, readonly string[]> = {
    node: ['auto', 'host', 'vm', ...recorded],
    fault: Object.keys(faults),
    approve: ApproveFlag.options,
    mode: Mode.options,
  };
  const left = [...positionals];
  const take = (flag: string): string | undefined => {
    const value = process.env[`npm_config_${flag}`];
    if (value !== undefined && value !== '' && value !== 'true') return value;
    // With one value and one flag there is nothing to tell apart, however wrong the value is.
    const sure = taken.length === 1 && left.length === 1;
    const at = left.findIndex((text) => sure || valid[flag]?.includes(text));
    return at < 0 ? undefined : left.splice(at, 1)[0];
  };
  return taken.map((flag) => `--${flag} ${take(flag) ?? 'VALUE'}`).join(' ');
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: flags, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${validFlags()}`);
  }
}

function faultOf(text: string | undefined): CauseId | undefined {
  if (text === undefined) return undefined;
  const cause = CauseId.safeParse(text);
  if (cause.success && Object.hasOwn(faults, cause.data)) return cause.data;
  throw new UsageError(`unknown fault "${text}": use one of ${Object.keys(faults).join(', ')}`);
}

function nodesOf(node: string, fault: CauseId | undefined, recorded: readonly string[]): readonly string[] {
  const possible = faults[fault ?? defaultFault] ?? [];
  if (node === 'auto') return possible;
  if (node !== 'host' && node !== 'vm' && !recorded.includes(node))
    throw unknown('--node', node, ['auto', 'host', 'vm', ...recorded]);
  // A recorded node has its fault, so naming the node is enough.
  const expected = fault === undefined && recorded.includes(node) ? [node] : possible;
  if (!expected.includes(node)) {
    throw new UsageError(
      `the fault ${fault ?? defaultFault} cannot be had on ${node}: use one of ${possible.join(', ')}`,
    );
  }
  // Where the kernel leaves nothing to leak, a recorded node stands in.
  return node === 'host' ? possible : [node];
}

function unknown(flag: string, value: string | undefined, valid: readonly string[]): UsageError {
  return new UsageError(`unknown value "${value}" for ${flag}: use one of ${valid.join(', ')}`);
}

function validFlags(): string {
  return `valid flags: ${Object.keys(flags)
    .map((flag) => `--${flag}`)
    .join(', ')}`;
}
