import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runDocument } from '../../local/node/ssm-agent.ts';
import { documentNames, loadDocument } from '../../ssm-documents/load.ts';
import { isInstalled, reclaimParameters } from './node-folder.ts';
import { standInRuntime } from './stand-in-runtime.ts';
import { healthyKubelet } from './stand-in-systemd.ts';
import { systemdNode } from './systemd-node.ts';

const parts = globSync('ssm-documents/scripts/**/*.sh');
const folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-lint-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function joined(name: string): string {
  const file = join(folder, `${name}.sh`);
  writeFileSync(
    file,
    loadDocument(name)
      .content.mainSteps.flatMap((step) => step.inputs.runCommand)
      .join('\n'),
  );
  return file;
}

function problems(command: string, args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8' });
  } catch (error) {
    return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
  }
}

// It takes a second for each script, with other test files on the same cores.
const patience = { timeout: 240_000 };
describe.skipIf(!isInstalled('shellcheck'))(
  'shellcheck (skipped where it is not installed)',
  patience,
  () => {
    it('finds nothing in the parts', () => {
      expect(problems('shellcheck', ['-x', ...parts])).toBe('');
    });

    it.each(documentNames)('finds nothing in %s joined together', (name) => {
      // The parts say in comments, which are left out here, what is meant as it is.
      const meant = new Set(
        parts.flatMap((part) => readFileSync(part, 'utf8').match(/(?<=disable=.*)SC\d+/g) ?? []),
      );
      expect(problems('shellcheck', ['-s', 'bash', '-e', [...meant].join(), joined(name)])).toBe('');
    });
  },
);

describe.skipIf(!isInstalled('shfmt'))('shfmt (skipped where it is not installed)', () => {
  it('would change nothing', () => {
    expect(problems('shfmt', ['-d', '-i', '2', '-ci', ...parts])).toBe('');
  });
});

describe('every document', () => {
  it.each(documentNames)('%s is bash that parses', (name) => {
    expect(problems('bash', ['-n', joined(name)])).toBe('');
  });

  it.each(documentNames)('%s steps back behind everything else on the node', async (name) => {
    const bin = mkdtempSync(join(folder, 'bin-'));
    for (const command of ['renice', 'ionice']) {
      writeFileSync(join(bin, command), `#!/bin/sh\necho ${command} "$@" >>'${bin}/calls'\n`, {
        mode: 0o755,
      });
    }
    const node = systemdNode();
    const runtime = standInRuntime(node.root);
    node.systemd.unit('kubelet.service', { ...healthyKubelet, ExecMainStartTimestampMonotonic: '1' });
    const values = {
      ...reclaimParameters,
      dryRun: 'true',
      windowSeconds: '0',
      unit: 'my-agent',
      users: 'alice',
      approval: 'policy:p',
    };
    const { content } = loadDocument(name);
    const parameters = Object.fromEntries(
      Object.entries(values).filter(([key]) => Object.hasOwn(content.parameters, key)),
    );
    const env = { PATH: `${bin}:/usr/bin:/bin` };
    const result = await runDocument({ content, parameters, root: node.root, env });
    runtime.close();
    node.close();

    expect(result.status).toBe('Success');
    expect(readFileSync(join(bin, 'calls'), 'utf8')).toMatch(/^renice -n 10 -p (\d+)\nionice -c 3 -p \1\n$/);
  });

  const withParameters = documentNames.filter(
    (name) => Object.keys(loadDocument(name).content.parameters).length > 0,
  );
  it.each(withParameters)('%s refuses to run when its parameters are not in the environment', (name) => {
    const run = () =>
      execFileSync('sh', ['-c', `bash ${joined(name)} 2>/dev/null || true`], {
        env: { PATH: process.env.PATH },
        encoding: 'utf8',
      });

    expect(JSON.parse(run())).toMatchObject({
      document: name,
      error: expect.stringContaining('update the SSM agent'),
    });
  });
});
