import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkParameters } from '../../local/node/parameters.ts';
import { materialise } from '../../local/node/recorded-tree.ts';
import { documentNames, loadDocument } from '../../ssm-documents/load.ts';
import { smallTree } from '../ssm-documents/node-folder.ts';

const command = join(import.meta.dirname, '../../local/document.ts');
const root = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-'));
materialise(smallTree, root);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (...args: string[]) => spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });

describe('npm run document', () => {
  it('prints the JSON of the document, and nothing else, to stdout', () => {
    const { status, stdout } = run('collect-evidence', '--param', 'windowSeconds=0', '--root', root);

    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      document: 'collect-evidence',
      probes: { cgroups: { value: { dying: 900 } } },
    });
  });

  it('runs on a recorded node, and explains the parameters of a document', () => {
    const { status, stdout } = run('collect-evidence', '--param', 'windowSeconds=0', '--node', 'healthy');

    expect(status).toBe(0);
    expect(JSON.parse(stdout).probes.cgroups.value.dying).toBeLessThan(100);
    expect(run('reclaim', '--help').stdout).toMatch(/fencing \(required\): The fencing number/);
  });

  it('prints the invocation with --json', () => {
    const { stdout } = run('collect-evidence', '--param', 'windowSeconds=0', '--root', root, '--json');

    expect(JSON.parse(stdout)).toMatchObject({
      document: 'collect-evidence',
      status: 'Success',
      responseCode: 0,
      contentDigest: expect.any(String),
    });
  });

  it('says everything that is missing or wrong at once, what it is, and an example', () => {
    const { status, stderr } = run('reclaim', '--param', 'slices=user.slice', '--root', root);

    expect(status).toBe(2);
    expect(stderr).toContain(
      'parameter "slices" is "user.slice", which does not fit. It is: Paths relative to',
    );
    expect(stderr).toContain('parameter "incident" is required\nparameter "fencing" is required\n');
    expect(stderr).toContain('For example: --param incident=by-hand-1 --param fencing=1\n');
  });

  it.each(documentNames)('takes the values of the example: %s', (name) => {
    const { parameters } = loadDocument(name).content;
    const required = Object.keys(parameters).filter((key) => parameters[key]?.default === undefined);
    const example = /^For example: (.*)$/m.exec(run(name, '--help').stdout)?.[1] ?? '';
    const given = Object.fromEntries(
      [...example.matchAll(/--param (\w+)=(\S+)/g)].map(([, key = '', value = '']) => [key, value]),
    );

    expect(Object.keys(given).sort()).toEqual(required.sort());
    expect(() => checkParameters(loadDocument(name).content, given)).not.toThrow();
  });

  it.each([
    [['nope'], 'unknown document "nope"'],
    [[], 'which document?'],
    [['collect-evidence', '--colour'], '--colour'],
    [['collect-evidence', '--param', 'profile'], 'KEY=VALUE'],
    [['collect-evidence', '--param', 'profile=deep'], 'use one of quick, full'],
    [['collect-evidence', '--param', 'depth=1'], 'it takes profile, windowSeconds'],
    [['collect-evidence', 'reclaim'], 'one document at a time'],
    [['collect-evidence', '--root', '/gone'], '--root /gone is no folder'],
    [['collect-evidence', '--node', 'gone'], 'unknown node "gone"'],
    [['collect-evidence', '--node', 'healthy', '--root', '/'], 'either --node or --root'],
    [['collect-evidence', '--param', 'profile=full', '--param', 'profile=quick'], 'profile is given twice'],
  ])('refuses %j with the valid ones and exit code 2', (args, message) => {
    const { status, stdout, stderr } = run(...args);

    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
  });

  it('fails when the document fails, with its JSON', () => {
    const { status, stdout } = run(
      'reclaim',
      '--param',
      'slices=/gone',
      '--param',
      'incident=i',
      '--param',
      'fencing=1',
      '--root',
      root,
    );

    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      document: 'reclaim',
      error: expect.stringContaining('/gone'),
    });
  });
});
