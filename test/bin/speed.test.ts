import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../bin/speed/incident.ts';
import { measuredIn } from '../../bin/speed/measured.ts';
import { type PartName, serviceParts, slower } from '../../bin/speed/parts.ts';
import { type Result, simulate, tables } from '../../bin/speed/result.ts';
import { percentile, sample, seeded } from '../../bin/speed/spread.ts';
import { walk } from '../../bin/speed/walk.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import type { JsonObject } from '../../local/engine/json.ts';
import { definitionOf, functionNamed, synthesize } from '../cdk/template.ts';

const root = resolve(import.meta.dirname, '../..');
const page = readFileSync(resolve(root, 'docs/performance.md'), 'utf8');
function speed(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/run.mjs', 'bin/speed.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

let model: Model;
beforeAll(() => {
  const template = synthesize();
  const { command, clusters } = Settings.parse({ clusters: { a: {} } });
  model = {
    definition: definitionOf(template),
    memoryMb: Number(functionNamed(template, 'open').Properties.MemorySize),
    command,
    examination: clusters.a?.examination ?? { windowSeconds: 5 },
    measured: measuredIn(page),
    parts: serviceParts,
  };
});

const run = (change: Partial<Model> = {}, seed = 1): Result => simulate({ ...model, ...change }, 1000, seed);
const p50 = (result: Result, part: PartName): number =>
  result.parts.find((one) => one.part === part)?.p50 ?? Number.NaN;
const [diagnosis, treatment] = [0, 1].map((index) => (result: Result) => result.bars[index]) as [
  (result: Result) => Result['bars'][number],
  (result: Result) => Result['bars'][number],
];

describe('npm run speed', () => {
  it('prints the same as JSON for the same seed, says of each part what it is worth, and ends by the bars', () => {
    const { status, stdout, stderr } = speed('--incidents', '500', '--seed', '7', '--json');

    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual(simulate(model, 500, 7));
    for (const { kind, source } of JSON.parse(stdout).parts) {
      expect(['published', 'measured', 'assumed', 'setting']).toContain(kind);
      if (kind === 'published') expect(source).toMatch(/^https:/);
      if (kind === 'measured') expect(source).toContain('`npm run bench -- ');
    }
  }, 120_000);

  it('ends with 1 where a bar is missed', () => {
    const { status, stdout } = speed('--incidents', '200', '--slower', '40');

    expect(stdout).toContain('| MISSED: p50 ≤ 60 s, p99 ≤ 180 s |');
    expect(status).toBe(1);
  }, 120_000);

  it.each([
    [['--incidents', 'many'], '--incidents many is no whole number from 100 to 1000000'],
    [['--incidents', '5'], '--incidents 5 is'],
    [['--seed', '-1'], '--seed'],
    [['--seed', '4294967296'], '--seed 4294967296 is'],
    [['--slower', '0'], '--slower 0 is no number above 0'],
    [['--cluster', 'nowhere'], '--cluster nowhere is not configured in cdk.json: example is'],
    [['--fast'], '--fast'],
    [['now'], 'now'],
  ])('refuses %j, and says how it is used', (args, message) => {
    const { status, stdout, stderr } = speed(...args);

    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(stderr).toContain('usage: npm run speed -- ');
  });
});

it('docs/speed.md has the tables of the shipped settings and of the figures in docs/performance.md', () => {
  const text = readFileSync(resolve(root, 'docs/speed.md'), 'utf8');
  const made = tables(simulate(model, 20_000, 1)).trim();
  expect(text.includes(made), `put into docs/speed.md what "npm run speed" prints:\n${made}`).toBe(true);
});

describe('the model', () => {
  it('gives the same for the same seed, and for another seed nearly the same', () => {
    expect(run()).toEqual(run());
    const other = run({}, 2);
    expect(other).not.toEqual({ ...run(), seed: 2 });
    expect(Math.abs(diagnosis(other).p50 - diagnosis(run()).p50)).toBeLessThan(3);
  });

  it('misses the bars of the diagnosis and of the treatment when a part is slow', () => {
    expect(run().met).toBe(true);
    const slow = run({
      parts: { ...serviceParts, delivery: { ...serviceParts.delivery, p50: 60, p99: 80 } },
    });
    expect(diagnosis(slow).met).toBe(false);
    expect(treatment(slow).met).toBe(false);
    expect(slow.met).toBe(false);
  });

  it('misses the bar of the diagnosis by its p99 alone', () => {
    const slow = run({ parts: { ...serviceParts, alarmEvent: { ...serviceParts.alarmEvent, p99: 1000 } } });
    expect(diagnosis(slow).p50).toBeLessThan(60);
    expect(diagnosis(slow).met).toBe(false);
    expect(treatment(slow).met).toBe(true);
  });

  it('is slower by each part that is', () => {
    const usual = diagnosis(run()).p50;
    for (const name of Object.keys(serviceParts) as (keyof typeof serviceParts)[]) {
      const part = { ...serviceParts[name], p50: 30, p99: 31 };
      const grown = diagnosis(run({ parts: { ...serviceParts, [name]: part } })).p50 - usual;
      expect(grown, name).toBeGreaterThan(15);
    }
    expect(slower(2)).toMatchObject({ delivery: { p50: 3, p99: 30 }, queue: serviceParts.queue });
  });

  it('waits between two looks as the settings say', () => {
    const waits = (change: Partial<Model['command']>) =>
      p50(run({ command: { ...model.command, ...change } }), 'waiting');
    expect(waits({ pollSeconds: 30 })).toBe(30);
    // Where nothing answers for 90 s, looks a second apart wait less in all than looks that wait ever longer, for each takes its time as well.
    const inAll = (maxPollSeconds: number) =>
      run({ command: { ...model.command, pollSeconds: 1, maxPollSeconds } }).parts.find(
        ({ part }) => part === 'waiting',
      )?.p99;
    expect(inAll(1)).toBeLessThan(60);
    expect(inAll(300)).toBeGreaterThan(100);
  });

  it('gives up a node that does not answer after the time of the settings', () => {
    const late = run({ command: { ...model.command, evidenceSeconds: 600 } });
    expect(diagnosis(late).p99).toBeGreaterThan(600);
    expect(diagnosis(late).met).toBe(false);
    expect(Math.abs(diagnosis(late).p50 - diagnosis(run()).p50)).toBeLessThan(1);
  });

  it('watches the node as long as the settings say, and gives functions the CPU of their memory', () => {
    const short = run({ examination: { windowSeconds: 1 } });
    const longer = p50(run(), 'document') - p50(short, 'document');
    expect(longer).toBeGreaterThan(3);
    expect(longer).toBeLessThan(5);
    const faster = p50(run(), 'run') / p50(run({ memoryMb: 512 }), 'run');
    expect(faster).toBeGreaterThan(1.7);
    expect(faster).toBeLessThan(2.3);
  });

  it('counts the states of the deployed machine', () => {
    const states = { ...(model.definition.States as JsonObject) };
    const first = String(model.definition.StartAt);
    states.Detour = { Type: 'Choice', Choices: [], Default: first };
    const longer = run({ definition: { ...model.definition, StartAt: 'Detour', States: states } });
    const entering = p50(run(), 'transition');
    expect(p50(longer, 'transition') - entering).toBeGreaterThan(0.05);
    expect(p50(longer, 'transition') - entering).toBeLessThan(0.2);
  });

  it('takes nothing for a way that is none to a treatment', () => {
    const states = { ...(model.definition.States as JsonObject) };
    const change = (name: string, state: JsonObject) => ({
      definition: { ...model.definition, States: { ...states, [name]: state } },
    });
    expect(() => run(change('Diagnose', { Type: 'Succeed' }))).toThrow('ends without a diagnosis');
    expect(() => run(change('Gate', { Type: 'Succeed' }))).toThrow('ends without a treatment');
    const unknown = {
      Type: 'Task',
      Resource: 'arn:aws:lambda:r:1:function:CgroupMedic-decide',
      Next: 'Plan',
    };
    expect(() => run(change('Plan', unknown))).toThrow('leads to "decide", which the model does not know');
  });
});

describe('the walk through a state machine', () => {
  const steps = { entered: () => {}, call: () => ({}), waited: () => {} };
  const through = (state: JsonObject) => walk({ StartAt: 'One', States: { One: state } }, () => false, steps);

  it.each<[string, JsonObject, string]>([
    ['a type of state', { Type: 'Map', Next: 'One' }, 'state "One" is of the type Map'],
    ['a resource', { Type: 'Task', Resource: 'arn:aws:states:::sns:publish' }, 'no function of this stack'],
    ['a comparison', { Type: 'Choice', Choices: [{ Variable: '$.a', NumericEquals: 1 }] }, 'choice "One"'],
    ['a wait', { Type: 'Wait', SecondsPath: '$.none' }, 'wait "One" has no seconds'],
    ['a path', { Type: 'Wait', SecondsPath: '$$.x' }, 'is no path that the model knows'],
    ['a next state', { Type: 'Choice', Choices: [], Default: 'Two' }, 'leads to "Two"'],
    ['an end', { Type: 'Choice', Choices: [], Default: 'One' }, 'no end after 500 states'],
  ])('does not guess %s that it does not know', (_, state, message) => {
    expect(() => through(state)).toThrow(message);
  });

  it('ends where a state ends', () => {
    expect(through({ Type: 'Succeed' })).toBeUndefined();
  });
});

describe('a spread', () => {
  it('has its middle and its tail', () => {
    const random = seeded(3);
    const values = Array.from({ length: 50_000 }, () => sample({ p50: 2, p99: 20 }, random));
    expect(Math.abs(percentile(values, 0.5) - 2)).toBeLessThan(0.1);
    expect(Math.abs(percentile(values, 0.99) - 20)).toBeLessThan(2);
    expect(percentile([3, 1, 2], 0.5)).toBe(2);
    expect(percentile([3, 1, 2], 0.99)).toBe(3);
  });
});

describe('what was measured', () => {
  it('is read from the tables of docs/performance.md', () => {
    const text = [
      '### Bundles of 2 functions\n\n|  | KB | init ms | bar |\n| --- | --- | --- | --- |\n| open | 3 | 1,075 | met |',
      '### One incident, x\n\n|  | seconds | share | bar |\n| --- | --- | --- | --- |\n| open | 0.2 | 0.6 % |  |',
      '### Evidence on cgroup v1 with\n\n|  | collect-evidence | `collect-services` |\n| --- | --- | --- |',
      '| full: wall seconds, 50,000 dying | 0.61 (1.49 times) | 0.08 |\n',
    ];
    const measured = measuredIn(`${text.slice(0, 3).join('\n\n')}\n${text[3]}`);
    expect([measured.init('open'), measured.phase('open')]).toEqual([1.075, 0.2]);
    expect([measured.evidence, measured.services]).toEqual([0.61, 0.08]);
    expect(() => measured.init('close')).toThrow('has no figure for "close", "init ms" in "Bundles of …"');
  });

  it('is never taken for nothing where a table is gone', () => {
    expect(() => measuredIn(page.replace('### Evidence on cgroup v1 ', '### Evidence '))).toThrow(
      'docs/performance.md has no figure',
    );
  });
});
