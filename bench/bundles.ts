import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleDirectory } from '../cdk/constructs/bundles.ts';
import { type BundleName, bundleNames } from '../cdk/function-names.ts';
import { mostBytes, mostInit } from './bundle-bars.ts';
import { describeMachine } from './describe-machine.ts';
import { naiveBundles } from './naive-bundle.ts';
import { markdown, meetsBars, number, type Row } from './table.ts';

const usage = `usage: npm run bench -- bundles [--samples N] [--json] [FUNCTION…]
Size and init of every function's bundle, beside the bundle that esbuild makes of the same handler without options.
Init is the CPU time of a fresh process from before the import of the bundle to after it: the least of N (default 9), for whatever else the machine does only adds.`;

/** One function: bytes of code, and milliseconds of CPU until it could take its first event. */
export type Measured = {
  name: BundleName;
  bytes: number;
  naiveBytes: number;
  initMs: number;
  naiveInitMs: number;
};

/** @returns 0 when every bar was met, 1 when one was missed, 2 for wrong usage */
export async function bundles(args: string[]): Promise<number> {
  let options: { names: BundleName[]; samples: number; json: boolean };
  try {
    options = optionsOf(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-bench-'));
  try {
    const measured = await measure(options.names, options.samples, folder);
    const rows = measured.map(rowOf);
    const table = { title: `Bundles of ${rows.length} functions`, columns, rows };
    const met = meetsBars(table);
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ functions: measured.map((one) => ({ ...one, ...ratiosOf(one) })), met })}\n`
        : `${describeMachine()}\n\n${markdown(table)}\n`,
    );
    return met ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const columns = ['KB', 'naive KB', 'ratio', 'init ms', 'naive init ms', 'ratio'];

export function rowOf(one: Measured): Row {
  const { name, bytes, naiveBytes, initMs, naiveInitMs } = one;
  const { size, init } = ratiosOf(one);
  return {
    what: name,
    figures: [
      ...[number(bytes / 1000), number(naiveBytes / 1000), number(size, 2)],
      ...[number(initMs), number(naiveInitMs), number(init, 2)],
    ],
    bar: {
      text: `≤ ${number(mostBytes(name) / 1000)} KB, init ≤ ${mostInit(name)} of the naive one`,
      met: bytes <= mostBytes(name) && init <= mostInit(name),
    },
  };
}

function ratiosOf({ bytes, naiveBytes, initMs, naiveInitMs }: Measured): { size: number; init: number } {
  return { size: bytes / naiveBytes, init: initMs / naiveInitMs };
}

function optionsOf(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { samples: { type: 'string', default: '9' }, json: { type: 'boolean', default: false } },
  });
  const samples = Number(values.samples);
  if (!Number.isInteger(samples) || samples < 1) throw new Error(`--samples ${values.samples} is no number`);
  const unknown = positionals.filter((name) => !bundleNames.some((known) => known === name));
  if (unknown.length > 0)
    throw new Error(`there is no function ${unknown.join(', ')}: use ${bundleNames.join(', ')}`);
  const names = bundleNames.filter((name) => positionals.length === 0 || positionals.includes(name));
  return { names, samples, json: values.json };
}

async function measure(names: readonly BundleName[], samples: number, folder: string): Promise<Measured[]> {
  await naiveBundles(names, folder);
  return names.map((name) => {
    const ours = join(folder, `ours-${name}`);
    renameSync(bundleDirectory(name, {}), ours);
    const files = { ours: join(ours, 'index.mjs'), naive: join(folder, name, 'index.cjs') };
    const times = { ours: [] as number[], naive: [] as number[] };
    // Turn by turn, so that whatever else the machine does falls on both.
    for (let turn = 0; turn < samples; turn += 1) {
      for (const kind of ['ours', 'naive'] as const) times[kind].push(initOf(files[kind]));
    }
    return {
      name,
      bytes: statSync(files.ours).size,
      naiveBytes: statSync(files.naive).size,
      initMs: Math.min(...times.ours),
      naiveInitMs: Math.min(...times.naive),
    };
  });
}

/** As Lambda does it: a fresh Node imports the file. CPU time, for a wall clock measures what else runs here. */
function initOf(file: string): number {
  const code = `const before = process.cpuUsage(); await import(${JSON.stringify(file)}); const { user, system } = process.cpuUsage(before); console.log((user + system) / 1000)`;
  const environment = { AWS_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true' };
  return Number(
    execFileSync(process.execPath, ['--enable-source-maps', '--input-type=module', '--eval', code], {
      env: environment,
      encoding: 'utf8',
    }),
  );
}
