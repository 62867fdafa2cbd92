import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Runs a tool from node_modules, or of the host, with the output going to ours. Returns its exit code. */
export function run(command: string, args: string[]): number {
  const bin = resolve(root, 'node_modules/.bin');
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${bin}:${process.env.PATH ?? ''}` },
  });
  if (error !== undefined) process.stderr.write(`${command} could not be run: ${error.message}\n`);
  return status ?? 1;
}

/** Whether a tool of the host is there. */
export function isInstalled(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;
}
