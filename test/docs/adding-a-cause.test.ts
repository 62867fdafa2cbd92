import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { causeIdsOf } from '../../bin/cause-ids.ts';
import type { causes as Causes } from '../../lambdas/domain/causes/index.ts';
import type { diagnose as Diagnose } from '../../lambdas/domain/diagnosis.ts';
import type { planFor as PlanFor } from '../../lambdas/domain/plan.ts';
import type { Settings as SettingsSchema } from '../../lambdas/domain/settings.ts';
import { memory } from '../lambdas/domain/causes/judge.ts';
import { evidenceWith, trend } from '../lambdas/domain/sample-evidence.ts';
import { blocksOf, withDiff } from './fenced-blocks.ts';

const root = resolve(import.meta.dirname, '../..');
/** A domain of its own, to which the contributor of docs/adding-a-cause.md adds a cause. */
const folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-adding-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const page = readFileSync(join(root, 'docs/adding-a-cause.md'), 'utf8');
const blocks = blocksOf(page);
const settings: unknown = JSON.parse(blocks.find(({ file }) => file === 'settings')?.text ?? '');

const written = blocks.filter(({ kind }) => kind === 'ts' || kind === 'diff').map(({ file }) => file);

/** The one cause that the page adds; its evidence is a node that has it. */
const added = 'slab-leak';
const sick = evidenceWith({ trend: trend({ slabUnreclaimableKb: [900_000, 200_000], pods: [20, 0] }) });

type Results = { testResults: { assertionResults: { fullName: string; status: string }[] }[] };

function run(command: string, ...args: string[]) {
  const bin = join(root, 'node_modules/.bin', command);
  const { status, stdout, stderr } = spawnSync(bin, args, { cwd: folder, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

/** From the domain with the cause in it. */
async function load<T>(file: string): Promise<T> {
  return (await import(join(folder, 'lambdas/domain', file))) as T;
}

async function loadAll() {
  const { causes } = await load<{ causes: typeof Causes }>('causes/index.ts');
  const { diagnose } = await load<{ diagnose: typeof Diagnose }>('diagnosis.ts');
  const { planFor } = await load<{ planFor: typeof PlanFor }>('plan.ts');
  const { Settings } = await load<{ Settings: typeof SettingsSchema }>('settings.ts');
  const clusterWith = (given: unknown) => {
    const { prod } = Settings.parse(given).clusters;
    if (prod === undefined) throw new Error('the settings name no cluster prod');
    return prod;
  };
  return { causes, diagnose, planFor, clusterWith };
}

beforeAll(async () => {
  for (const part of [
    'lambdas/domain',
    'test/lambdas/domain/sample-evidence.ts',
    'tsconfig.json',
    'biome.json',
  ]) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  cpSync(
    join(root, 'test/lambdas/domain/causes/judged.ts'),
    join(folder, 'test/lambdas/domain/causes/judged.ts'),
  );
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const { kind, file, text } of blocks) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    if (kind === 'ts') writeFileSync(path, text);
    if (kind === 'diff') writeFileSync(path, withDiff(readFileSync(path, 'utf8'), text));
  }
  // As the page says, with "npm run docs".
  const { causes } = await load<{ causes: typeof Causes }>('causes/index.ts');
  writeFileSync(join(folder, 'lambdas/domain/causes/cause-id.ts'), causeIdsOf(causes.map(({ id }) => id)));
});

describe('the cause that docs/adding-a-cause.md adds', () => {
  it('is one file, its test, one list entry, and a threshold of its own', () => {
    expect(blocks.map(({ kind, file }) => `${kind} ${file}`)).toEqual([
      `ts lambdas/domain/causes/${added}.ts`,
      'diff lambdas/domain/thresholds.ts',
      `ts test/lambdas/domain/causes/${added}.test.ts`,
      'diff lambdas/domain/causes/index.ts',
      'json settings',
    ]);
  });

  it('compiles as strictly as the rest, and has its style', () => {
    expect(run('tsc', '-p', '.')).toEqual({ status: 0, output: '' });
    // The folder is in no repository, whose list of ignored files Biome would ask for.
    const { status, output } = run(
      'biome',
      'check',
      '--vcs-enabled=false',
      '--error-on-warnings',
      ...written,
    );
    expect(status, output).toBe(0);
  });

  it('passes the test that the page gives it', () => {
    const { output } = run('vitest', 'run', '--root', folder, '--reporter=json', '--silent');
    const { testResults } = JSON.parse(output) as Results;
    const tests = testResults.flatMap(({ assertionResults }) => assertionResults);

    expect(tests.length, output).toBeGreaterThan(0);
    expect(tests.filter(({ status }) => status !== 'passed').map(({ fullName }) => fullName)).toEqual([]);
  });

  it('is what a node with it has, in the words and with the confidence that the page gives', async () => {
    const { causes, diagnose, clusterWith } = await loadAll();
    const { thresholds } = clusterWith({ clusters: { prod: {} } });
    const short = evidenceWith({ ...sick.probes, memory: memory(200_000) });

    expect(page).toContain('= 0.86, and 0.90 where memory is short');
    expect(causes.map(({ id }) => `${id}`)).toContain(added);
    expect(diagnose(sick, thresholds)).toMatchObject({ cause: added, confidence: 0.86 });
    expect(diagnose(short, thresholds)).toMatchObject({ cause: added, confidence: 0.9 });
  });

  it('is reported and not acted on with the settings that the page gives', async () => {
    const { diagnose, planFor, clusterWith } = await loadAll();
    const cluster = clusterWith(settings);
    const diagnosis = diagnose(sick, cluster.thresholds, cluster.diagnosis.shadow);

    expect(diagnosis.shadow).toEqual([{ cause: added, confidence: 0.86 }]);
    expect(diagnosis.cause).not.toBe(added);
    expect(
      planFor(diagnosis, sick, cluster)
        .plan.map(({ reason }) => reason)
        .join(),
    ).not.toContain(added);
  });

  it('has the ladder that the page says: a person is told', async () => {
    const { diagnose, planFor, clusterWith } = await loadAll();
    const cluster = clusterWith({ clusters: { prod: {} } });

    const { plan } = planFor(diagnose(sick, cluster.thresholds), sick, cluster);

    expect(plan.map(({ treatment }) => treatment)).toEqual(['notify']);
  });
});
