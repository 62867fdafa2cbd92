import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkParameters, runDocument } from '../../local/node/ssm-agent.ts';
import { documentNames, loadDocument } from '../../ssm-documents/load.ts';
import { cgroup, json, type NodeFolder, nodeFolder, reclaimParameters, smallTree } from './node-folder.ts';
import { required } from './required-parameters.ts';
import { systemdNode } from './systemd-node.ts';

describe('allowed patterns', () => {
  const slices = {
    good: [
      '/user.slice',
      '/a/b',
      String.raw`/system.slice/system-serial\x2dgetty.slice`,
      '/a.slice /b@1.service',
      '/..a',
    ],
    bad: [
      '',
      'user.slice',
      '/a ',
      ' /a',
      '/a  /b',
      '/a/',
      '//a',
      '/a\n/b',
      '/a;id',
      '/$(id)',
      '/`id`',
      "/a'",
      '/a"',
      '/ä',
      `/${'x'.repeat(256)}`,
      '/a'.repeat(7),
      Array(21).fill('/a').join(' '),
      '/a\t/b',
      '/a*',
      '/a\n',
    ],
  };
  const incident = {
    good: ['a', 'i-0abc_1', 'x'.repeat(80)],
    bad: ['', '../x', 'a/b', 'a b', 'a\n', '$(id)', 'x'.repeat(81), 'é'],
  };
  const fencing = {
    good: ['0', '42', '999999999999'],
    bad: ['', '-1', '1.5', '1e3', '0x10', '1 ', '1\n', '1234567890123'],
  };
  const unit = {
    good: [
      'ecs',
      'ecs.service',
      'worker@1.service',
      String.raw`a\x2db.service`,
      'a:b_c.d',
      '_x',
      '@',
      'x'.repeat(255),
    ],
    bad: [
      '',
      '-x',
      '--help',
      '/etc/x',
      'a/b',
      'a b',
      'a ',
      ' a',
      'a\n',
      '*',
      'a?',
      '$(id)',
      'é',
      'x'.repeat(256),
    ],
  };
  const users = {
    good: ['alice', 'alice bob', '_svc', 'A.b-c_1', 'x'.repeat(32), Array(20).fill('u').join(' ')],
    bad: [
      '',
      '0',
      '1000',
      '-a',
      'a ',
      ' a',
      'a  b',
      'a\tb',
      'a\n',
      'a;b',
      '$(id)',
      'a/b',
      '..',
      'é',
      'x'.repeat(33),
      Array(21).fill('u').join(' '),
    ],
  };
  const approval = {
    good: ['i-0abc-r1-v0', 'policy:night-shift', 'a', 'x'.repeat(200)],
    bad: [
      '',
      'policy:',
      ':',
      '-a',
      'a b',
      'a:b',
      'policy:policy:a',
      'a\n',
      '$(id)',
      '../a',
      'é',
      'x'.repeat(201),
    ],
  };
  const left = {
    good: ['-', 'alice', '1000', 'alice 1001 _svc', Array(10).fill('u').join(' ')],
    bad: [
      '',
      '- alice',
      ' ',
      '-a',
      'a ',
      ' a',
      'a  b',
      'a\tb',
      'a\n',
      'a;b',
      '$(id)',
      'a/b',
      '..',
      'é',
      'x'.repeat(33),
      Array(11).fill('u').join(' '),
    ],
  };
  const samples: Record<string, { good: readonly string[]; bad: readonly string[] }> = {
    slices,
    incident,
    fencing,
    unit,
    users,
    approval,
    processesOf: left,
  };
  const patterns = documentNames.flatMap((name) =>
    Object.entries(loadDocument(name).content.parameters).flatMap(([parameter, { allowedPattern }]) =>
      allowedPattern === undefined ? [] : [{ name, parameter, allowedPattern }],
    ),
  );

  it('all have samples here, and are the same for the same parameter', () => {
    const named = patterns.map(({ parameter }) => parameter);
    const different = new Set(
      patterns.map(({ parameter, allowedPattern }) => `${parameter} ${allowedPattern}`),
    );

    expect([...new Set(named)].sort()).toEqual(Object.keys(samples).sort());
    expect(different.size).toBe(Object.keys(samples).length);
  });

  it('are all that a parameter without a list of values has', () => {
    const free = documentNames.flatMap((name) =>
      Object.entries(loadDocument(name).content.parameters).flatMap(
        ([parameter, { allowedPattern, allowedValues }]) =>
          allowedPattern === undefined && allowedValues === undefined ? [`${name} ${parameter}`] : [],
      ),
    );

    expect(free).toEqual([]);
  });

  describe.each(patterns)('$name $parameter', ({ name, parameter }) => {
    const { good, bad } = samples[parameter] ?? { good: [], bad: [] };
    const check = (value: string) =>
      checkParameters(loadDocument(name).content, { ...required[name], [parameter]: value });

    it.each(good)('takes %j', (value) => {
      expect(check(value)[parameter]).toBe(value);
    });

    it.each(bad)('refuses %j', (value) => {
      expect(() => check(value)).toThrow(`parameter "${parameter}"`);
    });
  });
});

describe('allowed values', () => {
  const lists = documentNames.flatMap((name) =>
    Object.entries(loadDocument(name).content.parameters).flatMap(([parameter, { allowedValues }]) =>
      allowedValues === undefined ? [] : [{ name, parameter, allowedValues }],
    ),
  );

  it.each(lists)(
    '$name $parameter takes its own values and no others',
    ({ name, parameter, allowedValues }) => {
      const check = (value: string) =>
        checkParameters(loadDocument(name).content, { ...required[name], [parameter]: value });

      for (const value of allowedValues) expect(check(value)[parameter]).toBe(value);
      for (const value of ['', `${allowedValues[0]} `, `${allowedValues[0]}\n`, '-1', 'TRUE']) {
        expect(() => check(value)).toThrow(`parameter "${parameter}"`);
      }
    },
  );
});

describe('hostile values that reach a script past the service', () => {
  let node: NodeFolder;
  let canaries: string;
  beforeEach(() => {
    // With a systemd, so that no document stops because there is none before it has looked at its parameters.
    node = systemdNode();
    canaries = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-canary-'));
  });
  afterEach(() => {
    node.close();
    rmSync(canaries, { recursive: true, force: true });
  });

  const hostile = (canary: string) => [
    `$(touch ${canary})`,
    `\`touch ${canary}\``,
    `; touch ${canary} #`,
    `'; touch ${canary}; '`,
    `"; touch ${canary}; "`,
    `a[$(touch ${canary})]`,
    `x\ntouch ${canary}\n`,
    '-rf /',
    '--help=;',
    `/../../etc`,
    `%s%n`,
    `/a.slice/$(touch ${canary})`,
    'x'.repeat(5000),
    '\u202e',
  ];

  it.each(documentNames)(
    '%s executes none of them and says what is wrong',
    { timeout: 90_000 },
    async (name) => {
      const { parameters: rules, ...content } = loadDocument(name).content;
      const defaults = checkParameters({ parameters: rules }, { ...required[name] });
      // As if the service had no rules at all.
      const open = {
        ...content,
        parameters: Object.fromEntries(
          Object.keys(rules).map((key) => [key, { interpolationType: 'ENV_VAR' }]),
        ),
      };
      const before = node.lows();
      const values = Object.keys(rules).flatMap((parameter) =>
        hostile(join(canaries, parameter)).map((value) => ({ ...defaults, [parameter]: value })),
      );

      for (let at = 0; at < values.length; at += 8) {
        const results = await Promise.all(
          values
            .slice(at, at + 8)
            .map((parameters) => runDocument({ content: open, parameters, root: node.root })),
        );
        for (const result of results) {
          expect(result.status).toBe('Failed');
          expect(json(result)).toMatchObject({ document: name, error: expect.any(String) });
          expect(json(result).error.length).toBeLessThanOrEqual(500);
          expect(result.stderr.length).toBeLessThan(8000);
        }
      }

      expect(readdirSync(canaries)).toEqual([]);
      expect(node.lows()).toEqual(before);
      expect(existsSync(join(node.root, 'var/lib/cgroup-medic/reclaim/..'))).toBe(false);
    },
  );

  it('refuses the root, and names that no slice of ours would have, though they exist', async () => {
    const odd = nodeFolder({ ...smallTree, ...cgroup('/o;dd', { live: 0, dying: 5, cacheKb: 4 }) });
    const { parameters: rules, ...content } = loadDocument('reclaim').content;
    const open = { ...content, parameters: { ...rules, slices: { interpolationType: 'ENV_VAR' } } };
    const run = (slices: string) =>
      runDocument({
        content: open,
        parameters: { ...reclaimParameters, slices, dryRun: 'true' },
        root: odd.root,
      });
    const result = await run('/o;dd / /a.slice/pod/');
    const lines = await run('/b.slice\n/a.slice');
    odd.close();

    expect(result.status).toBe('Failed');
    expect(result.stderr).toContain('refused: /o;dd: not a path of at most six plain names');
    expect(result.stderr).toContain('refused: /: the root of the hierarchy holds everything on the node');
    expect(result.stderr).toContain('refused: /a.slice/pod/: not a path of at most six plain names');
    expect(json(lines).error).toBe('slices must be separated by single spaces');
  });

  it('quotes no more than the beginning of a long slice, and still says why it refuses it', async () => {
    const long = `/${'x'.repeat(250)}`.repeat(6);
    const dry = { ...reclaimParameters, dryRun: 'true' };
    const some = json(await node.run('reclaim', { ...dry, slices: `${long} /b.slice` }));
    const all = await node.run('reclaim', { ...dry, slices: long });

    expect(some.refusals).toEqual([{ slice: long.slice(0, 500), reason: 'it does not exist' }]);
    expect(json(all).error).toMatch(/^no slice can be reclaimed: .*: it does not exist$/);
    expect(json(all).error.length).toBeLessThanOrEqual(500);
    expect(all.stderr.length).toBeLessThan(1000);
  });

  it('takes 4000 characters of slices, though the pattern lets more through, and 20 slices', async () => {
    const { parameters: rules, ...content } = loadDocument('reclaim').content;
    const open = { ...content, parameters: { ...rules, slices: { interpolationType: 'ENV_VAR' } } };
    const dry = (slices: string) => ({ ...reclaimParameters, dryRun: 'true', slices });
    const longest = Array(20)
      .fill(`/${'x'.repeat(255)}`.repeat(6))
      .join(' ');
    const fits = `/b.slice${` /${'x'.repeat(208)}`.repeat(19)}`;
    const results = await Promise.all([
      node.run('reclaim', dry(longest)),
      node.run('reclaim', dry(fits)),
      runDocument({ content: open, parameters: dry(Array(21).fill('/b.slice').join(' ')), root: node.root }),
    ]);

    expect(fits.length).toBe(3998);
    expect(results.map(({ stdout }) => JSON.parse(stdout).error)).toEqual([
      'slices has 30739 characters: at most 4000',
      undefined,
      'slices names 21 slices: at most 20',
    ]);
  });

  it('refuses ".." in a slice that fits the pattern', async () => {
    const result = await node.run('reclaim', { ...reclaimParameters, slices: '/a.slice/../b.slice' });

    expect(result.status).toBe('Failed');
    expect(json(result).error).toContain('".." are not allowed');
  });
});
