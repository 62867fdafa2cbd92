import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

const bench = (...args: string[]) => benchWith(process.env, ...args);

function benchWith(env: NodeJS.ProcessEnv, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/run.mjs', 'bench/main.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
    env,
  });
  return { status, stdout, stderr };
}

/** None of these measures anything. */
describe('npm run bench', () => {
  it('without a name it knows says which there are', () => {
    expect(bench()).toMatchObject({ status: 2, stdout: '' });
    expect(bench('nope').stderr).toMatch(/there are: spine, node, diagnose, bundles$/m);
  });

  it.each(['--help', '-h'])('%s is help, and no wrong usage', (flag) => {
    const { status, stdout, stderr } = bench(flag);

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/there are: spine, node, diagnose, bundles$/m);
  });

  it('node --help names every part, and where it runs', () => {
    const { status, stdout, stderr } = bench('node', '--help');

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const part of ['evidence', 'reclaim', 'reclaim-many', 'large-zombie'])
      expect(stdout).toMatch(new RegExp(`^${part} +host `, 'm'));
    for (const part of ['opens', 'shield', 'recipes'])
      expect(stdout).toMatch(new RegExp(`^${part} +vm `, 'm'));
  });

  it.each([
    [['node', 'nope', 'evidence'], 'no part is called nope'],
    [['node', '--fast'], "Unknown option '--fast'"],
    [['spine', 'more'], 'takes no arguments, not more'],
  ])('%j is refused before anything is made', (args, reason) => {
    const { status, stdout, stderr } = bench(...args);

    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(reason);
  });

  it('names what is skipped where there are no tools for a virtual node, and says of no bar that it was met', () => {
    const bare = { PATH: '/nonexistent' };
    const text = benchWith(bare, 'node', 'shield', 'recipes');
    const json = benchWith(bare, 'node', 'shield', '--json');

    expect(text.status).toBe(3);
    expect(text.stdout).toMatch(/^SKIPPED shield: .*qemu-system-x86_64/m);
    expect(text.stdout).toMatch(/^SKIPPED recipes: .*qemu-system-x86_64/m);
    expect(json.status).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({
      met: false,
      parts: [{ name: 'shield', skipped: expect.stringContaining('qemu-system-x86') }],
    });
  });
});
