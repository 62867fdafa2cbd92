import { constants, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { checkHost, cleanUpOldLeaks } from '../local/node/host-leak.ts';
import { checkVirtualNode } from '../local/vm/check-virtual-node.ts';
import { cleanUpOldBenches } from './bench-place.ts';
import { describeMachine } from './describe-machine.ts';
import { evidence } from './node/evidence.ts';
import { largeZombie } from './node/large-zombie.ts';
import { opens } from './node/opens.ts';
import { type Context, fullSizes, type Part, SkippedError, smallSizes } from './node/part.ts';
import { recipes, shield } from './node/protected-reclaim.ts';
import { reclaim, reclaimMany } from './node/reclaim.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { markdown, meetsBars, number, type Table } from './table.ts';

/** What the documents cost the node they run on, and what they do to the living there. */
const parts: Readonly<Record<string, Part>> = {
  evidence,
  opens,
  reclaim,
  'reclaim-many': reclaimMany,
  'large-zombie': largeZombie,
  shield,
  recipes,
};

const usage = `usage: npm run bench -- node [PART…] [--small] [--json]

Drops the page cache of this host and makes leaks on it: never on a machine that somebody needs.
${Object.entries(parts)
  .map(([name, { about, where }]) => `${name.padEnd(13)} ${where.padEnd(5)} ${about}`)
  .join('\n')}

--small  little of everything, to see that it works; no bar is judged
--json   the tables as JSON

Exit code: 0 all bars met, 1 one missed or a part failed, 2 wrong usage, 3 nothing could run here.`;

type Result = { name: string; load: number; seconds: number } & (
  | { table: Table }
  | { skipped: string }
  | { failed: string }
);

export async function node(args: string[]): Promise<number> {
  const options = parse(args);
  if (typeof options === 'string') {
    // The help that was asked for is no complaint.
    if (options === usage) process.stdout.write(`${usage}\n`);
    else process.stderr.write(`${options}\n\n${usage}\n`);
    return options === usage ? 0 : 2;
  }
  const signal = stopOnSignals();
  const context: Context = {
    sizes: options.small ? smallSizes : fullSizes,
    say: (text) => void process.stderr.write(`${text}\n`),
    signal,
  };
  const machine = describeMachine();
  if (!options.json) process.stdout.write(`${new Date().toISOString().slice(0, 10)}: ${machine}\n\n`);
  const results: Result[] = [];
  for (const name of options.names) {
    const result = await measure(name, context);
    if (signal.aborted) return 128 + constants.signals.SIGINT;
    if (options.small && 'table' in result) for (const row of result.table.rows) delete row.bar;
    results.push(result);
    if (!options.json) process.stdout.write(`${text(result)}\n`);
  }
  // What was skipped has met nothing.
  const met =
    results.some((result) => 'table' in result) &&
    results.every((result) => 'skipped' in result || ('table' in result && meetsBars(result.table)));
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ at: new Date().toISOString(), machine, met, parts: results })}\n`,
    );
  }
  if (results.every((result) => 'skipped' in result)) return 3;
  return met ? 0 : 1;
}

type Options = { names: string[]; small: boolean; json: boolean };

/** What to measure, or why not. */
function parse(args: string[]): Options | string {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        small: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return usage;
    const unknown = positionals.filter((name) => !Object.hasOwn(parts, name));
    if (unknown.length > 0) return `no part is called ${unknown.join(', ')}`;
    return { ...values, names: positionals.length > 0 ? positionals : Object.keys(parts) };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function measure(name: string, context: Context): Promise<Result> {
  const part = parts[name];
  if (part === undefined) throw new Error(`no part is called ${name}`);
  const load = loadavg()[0] ?? 0;
  const started = performance.now();
  const done = () => ({ name, load, seconds: (performance.now() - started) / 1000 });
  const check = part.where === 'host' ? checkHost() : checkVirtualNode();
  if (!check.possible) return { ...done(), skipped: check.missing };
  context.say(`${name}: ${part.about}`);
  try {
    if (part.where === 'host') {
      await cleanUpOldLeaks();
      await cleanUpOldBenches();
    }
    const table = await part.measure(context);
    return { ...done(), table };
  } catch (error) {
    if (error instanceof SkippedError) return { ...done(), skipped: error.message };
    return { ...done(), failed: error instanceof Error ? error.message : String(error) };
  }
}

function text(result: Result): string {
  const { name, load, seconds } = result;
  if ('skipped' in result) return `SKIPPED ${name}: ${result.skipped}\n`;
  if ('failed' in result) return `FAILED ${name}: ${result.failed}\n`;
  return `${markdown(result.table)}\n(${name}: ${number(seconds)} s; load average before it ${number(load, 1)})\n`;
}
