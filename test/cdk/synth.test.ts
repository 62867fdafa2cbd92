import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildApp } from '../../cdk/build-app.ts';

// Whole syntheses, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000 });

const root = resolve(import.meta.dirname, '../..');
let output: string;
beforeEach(() => {
  output = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-'));
});
afterEach(() => {
  rmSync(output, { recursive: true });
});

/** What `npm run synth -- …` runs. Proxies that lead nowhere show that it needs no network. */
function synth(...args: string[]) {
  const nowhere = 'http://127.0.0.1:9';
  const { PATH = '' } = process.env;
  return spawnSync(process.execPath, ['bin/run.mjs', 'bin/synth.ts', '--output', output, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: {
      PATH: `${join(root, 'node_modules/.bin')}:${PATH}`,
      HOME: output,
      HTTP_PROXY: nowhere,
      HTTPS_PROXY: nowhere,
    },
  });
}

describe('npm run synth', () => {
  it('makes the template without account or network, and says where it is and that the rules pass', () => {
    const { status, stdout, stderr } = synth();

    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /CgroupMedic\.template\.json, \d+ resources, \d+ KB \(CloudFormation takes 500 and 1,048\)\n/,
    );
    expect(stdout).toContain('Security: all AwsSolutions rules of cdk-nag pass.');
    // The CDK CLI and everybody else get the same template.
    const template = JSON.parse(readFileSync(join(output, 'CgroupMedic.template.json'), 'utf8'));
    const { stacks } = buildApp({ outdir: join(output, 'again'), validated: false }).synth();
    expect(template).toEqual(stacks[0]?.template);
  });

  it('passes the rules with every way to an API server and the door in Slack open', () => {
    const { status, stdout, stderr } = synth('--app', 'node bin/run.mjs test/cdk/open-app.ts');

    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('Security: all AwsSolutions rules of cdk-nag pass.');
  });

  it('fails on a broken security rule and says which one, where', () => {
    writeFileSync(join(output, 'CgroupMedic.template.json'), '{}');

    const { status, stdout, stderr } = synth('--app', 'node bin/run.mjs test/cdk/violating-app.ts');

    expect(status).not.toBe(0);
    expect(stdout + stderr).toContain('AwsSolutions-SQS4');
    expect(stdout + stderr).toContain('Violating/Queue/Resource');
    expect(stdout).not.toContain('rules of cdk-nag pass');
    expect(stderr).toContain(
      'CgroupMedic.template.json is of an earlier run and does not know of this. Mend what',
    );
  });

  it('fails on a template that CloudFormation may soon not take, and says what to do', () => {
    const { status, stdout, stderr } = synth('--app', 'node bin/run.mjs test/cdk/large-app.ts');

    expect(status).not.toBe(0);
    expect(stderr).toContain(
      'the template of Large has 451 resources, of at most 450 here and 500 in CloudFormation.',
    );
    expect(stderr).toContain('deploy this app twice with half of the clusters each');
    expect(stdout).toBe('');
  });

  it('fails on wrong settings with the list of what is wrong, and no stack trace', () => {
    const { status, stdout, stderr } = synth('--context', 'cgroup-medic=on');

    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(
      'the settings under "cgroup-medic" in the context of cdk.json are not right:\n' +
        '  - cgroup-medic = "on": change it; it must be an object, as in { … }\n',
    );
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
