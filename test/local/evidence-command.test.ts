import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProbeName, serviceProbes } from '../../lambdas/domain/evidence/evidence.ts';
import { evidenceWith, missing } from '../lambdas/domain/sample-evidence.ts';

const root = resolve(import.meta.dirname, '../..');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evidence-command-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Command = 'diagnose' | 'plan';

function run(command: Command, args: string[], input = '') {
  const script = ['bin/run.mjs', `local/${command}.ts`, ...args];
  return spawnSync(process.execPath, script, { cwd: root, encoding: 'utf8', input, maxBuffer: 1 << 26 });
}

/** Evidence of a healthy node with one thing changed. */
type Loose = Record<string, unknown> & {
  probes: Record<ProbeName | 'future', { status: string; value: Record<string, unknown> }>;
};

function changed(change: (evidence: Loose) => void): string {
  const evidence = JSON.parse(JSON.stringify(evidenceWith()));
  change(evidence);
  return JSON.stringify(evidence);
}

const whole = JSON.stringify(evidenceWith());
const bad: [string, string, RegExp][] = [
  ['nothing', '', /^standard input: the evidence is empty \(0 characters\)$/],
  ['only space', ' \n\n ', /the evidence is empty/],
  ['no JSON', 'hello', /the evidence is not JSON \(5 characters\)/],
  ['cut off evidence', whole.slice(0, 900), /the evidence is not JSON \(900 characters\)/],
  ['binary', '\u0000\u0001\u001b[2J', /the evidence is not JSON/],
  ['a number', '12', /not what collect-evidence prints/],
  ['null', 'null', /not what collect-evidence prints/],
  ['a list of evidence', `[${whole}]`, /not what collect-evidence prints/],
  [
    'the output of another document',
    '{"version":1,"document":"reclaim"}',
    /not what collect-evidence prints/,
  ],
  ['a hundred thousand brackets', '['.repeat(100_000), /the evidence is not JSON/],
  [
    'another version',
    changed((one) => {
      one.version = 2;
    }),
    /does not fit its schema: version: .*expected 1.*, and it is 2$/,
  ],
  [
    'no probes',
    changed((one) => {
      delete (one as Record<string, unknown>).probes;
    }),
    /: probes: .*, and it is not there$/,
  ],
  [
    'a number that is a text',
    changed((one) => {
      one.probes.memory.value.totalKb = '8000000';
    }),
    /: probes\.memory\.value\.totalKb: .*expected number, received string, and it is "8000000"$/,
  ],
  [
    'a negative count',
    changed((one) => {
      one.probes.cgroups.value.dying = -1;
    }),
    /: probes\.cgroups\.value\.dying: .*, and it is -1$/,
  ],
  [
    'a count beyond all numbers',
    whole.replace('"dying":18', '"dying":1e400'),
    /: probes\.cgroups\.value\.dying: .*Infinity/,
  ],
  [
    'a status that is none',
    changed((one) => {
      one.probes.memory.status = 'fine';
    }),
    /: probes\.memory\.status: .*, and it is "fine"$/,
  ],
  [
    'a gap without a reason',
    changed((one) => {
      Object.assign(one.probes, { memory: { status: 'missing' } });
    }),
    /: probes\.memory\.reason: .*, and it is not there$/,
  ],
  [
    'a list that is too long',
    changed((one) => {
      one.probes.trend.value.series = {
        dying: { source: 'cloudwatch', points: Array.from({ length: 501 }, (_, at) => [at, 1]) },
      };
    }),
    /: probes\.trend\.value\.series\.dying\.points: .*, and it is a list of 501$/,
  ],
  [
    'a text that is too long',
    changed((one) => {
      one.probes.host.value.kernel = 'k'.repeat(100_000);
    }),
    /: probes\.host\.value\.kernel: .*, and it is "k{59}… \(100002 characters\)$/,
  ],
  [
    'a name that would write over the terminal',
    changed((one) => {
      one.probes.trend.value.series = { '\u001b[2Jdying': { source: 'node' } };
    }),
    /: probes\.trend\.value\.series: .*·\[2Jdying/,
  ],
  [
    'many mistakes at once',
    changed((one) => {
      one.probes.memory.value = {};
    }),
    /: probes\.memory\.value\.totalKb: .* \(and 7 more\)$/,
  ],
  [
    'more than any node tells',
    `${whole}${' '.repeat(4_000_000)}`,
    /characters, and no node tells more than 4000000$/,
  ],
];

describe.each<Command>(['diagnose', 'plan'])('npm run %s, given what it cannot read', (command) => {
  it.each(bad)('%s: ends with one line that says what is wrong, and with no diagnosis', (_, input, says) => {
    const { status, stdout, stderr } = run(command, ['-'], input);

    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr.trim()).toMatch(says);
    expect(stderr.length).toBeLessThan(700);
    expect([...stderr].filter((character) => character < ' ' && character !== '\n')).toEqual([]);
  });

  it('says so of a file that is none, and of one that is endless', () => {
    const nowhere = run(command, [join(folder, 'nowhere.json')]);
    const directory = run(command, [folder]);
    const endless = run(command, ['/dev/zero']);

    expect([nowhere.status, nowhere.stderr]).toEqual([1, expect.stringMatching(/^cannot read .*ENOENT/)]);
    expect([directory.status, directory.stderr]).toEqual([1, expect.stringMatching(/^cannot read .*EISDIR/)]);
    expect([endless.status, endless.stderr]).toEqual([
      1,
      expect.stringContaining('it goes on after 16000000 bytes'),
    ]);
  });

  it('is told what wrong usage is', () => {
    expect(run(command, []).status).toBe(2);
    expect(run(command, ['a', 'b']).stderr).toContain('one file is needed, and 2 were given');
    expect(run(command, ['--wrong', '-']).stderr).toContain("Unknown option '--wrong'");
  });
});

describe('npm run diagnose and plan, given what they can read', () => {
  it('take evidence from a file, in one line or with the services in a second', () => {
    const file = join(folder, 'evidence.json');
    writeFileSync(file, whole);
    const services = JSON.stringify({
      version: 1,
      document: 'collect-services',
      probes: { kubelet: missing },
    });

    expect(JSON.parse(run('diagnose', [file]).stdout).cause).toBe('healthy');
    expect(JSON.parse(run('plan', ['--json', file]).stdout)).toMatchObject({
      diagnosis: { cause: 'healthy' },
      plan: [],
    });
    expect(JSON.parse(run('diagnose', ['-'], `${whole}\n${services}\n`).stdout).gaps).toContainEqual({
      probe: 'kubelet',
      reason: 'not there',
    });
  });

  it('take services that cannot be read for gaps, with the reason, and drop what they do not know', () => {
    const services =
      '{"document":"collect-services","probes":{"kubelet":{"status":"ok","value":{"restarts":"x"}}}}';
    const unknown = changed((one) => {
      one.probes.future = { status: 'ok', value: {} };
      Object.defineProperty(one.probes, '__proto__', { value: { polluted: true }, enumerable: true });
    });
    const { gaps } = JSON.parse(run('diagnose', ['-'], `${whole}\n${services}`).stdout);

    expect(gaps).toContainEqual({
      probe: 'agents',
      reason: expect.stringMatching(/kubelet\.value\.restarts: .*, and it is "x"$/),
    });
    expect(JSON.parse(run('diagnose', ['-'], unknown).stdout).cause).toBe('healthy');
  });

  it.each([
    ['every probe is missing', true],
    ['there is no probe at all', false],
  ])('never call a node healthy of which %s', (_, collected) => {
    const text = changed((one) => {
      const names = Object.keys(one.probes) as ProbeName[];
      if (collected) for (const name of names) Object.assign(one.probes, { [name]: missing });
      else Object.assign(one, { probes: {} });
    });
    const diagnosis = JSON.parse(run('diagnose', ['-'], text).stdout);

    expect(diagnosis).toMatchObject({ cause: 'inconclusive', confidence: 0 });
    expect(JSON.parse(run('plan', ['-'], text).stdout).plan).toMatchObject([{ treatment: 'notify' }]);
  });

  it('call no node healthy whose services nobody asked about, and say how to ask', () => {
    const half = changed((one) => {
      for (const name of serviceProbes) Reflect.deleteProperty(one.probes, name);
    });
    const { cause, explanation } = JSON.parse(run('diagnose', ['-'], half).stdout);

    expect(cause).toBe('inconclusive');
    expect(explanation).toMatch(/healthy \(needs .*agents.*collect-services/s);
  });

  it('say it in plain text for a person', () => {
    const leaking = changed((one) => {
      one.probes.cgroups.value.dying = 40_000;
    });
    const [diagnosed, planned] = (['diagnose', 'plan'] as const).map((name) =>
      run(name, ['--text', '-'], leaking),
    );

    expect(diagnosed?.stdout).toMatch(
      /^What is wrong: dying-memcgs, confidence 0\.\d+\n.*^How we know:\n {2}for: dying memory cgroups 40000.*^What we would do:\n/ms,
    );
    expect(planned?.stdout).toBe(diagnosed?.stdout);
    expect(run('plan', ['--text', '--json', '-'], leaking)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--text and --json exclude each other'),
    });
  });

  it('prints the schema of what it reads', () => {
    const { status, stdout } = run('diagnose', ['--schema']);

    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'object',
      required: expect.arrayContaining(['probes']),
    });
  });
});
