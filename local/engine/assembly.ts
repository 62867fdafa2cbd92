import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../lambdas/domain/settings.ts';
import { readStack, type StackTemplate } from './template.ts';

const prefix = 'cgroup-medic-assembly-';

/**
 * Synthesizes the CDK app, as a deployment would, into a directory.
 *
 * @returns the stack as the engine runs it
 */
export async function synthesize(settings: Settings, outdir: string): Promise<StackTemplate> {
  // Loaded on demand: the CDK library takes a second, which no other command should pay.
  const { buildApp } = await import('../../cdk/build-app.ts');
  const { stacks } = buildApp({ settings, outdir }).synth();
  return readAssembly(outdir, stacks[0]?.stackName);
}

/** Reads the one stack of a directory that was synthesized before. */
export function readAssembly(outdir: string, stack = 'CgroupMedic'): StackTemplate {
  return readStack(outdir, stack);
}

/** A directory for one assembly; its name says which process it belongs to. */
export function assemblyDirectory(): string {
  return mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
}

/** Removes assemblies of processes that are gone. */
export function removeOldAssemblies(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^cgroup-medic-assembly-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
