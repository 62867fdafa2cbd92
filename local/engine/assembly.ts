import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Settings } from '../../lambdas/domain/settings.ts';
import { readStack, type StackTemplate } from './template.ts';

/** Raised when the app cannot be synthesized; the message is what the CDK said. */
export class SynthesisError extends Error {
  override readonly name = 'SynthesisError';
}

/**
 * Synthesizes the CDK app, as a deployment would, and reads the stack as the engine runs it. In a process of its own:
 * it takes seconds of pure computing, in which this one has a node to prepare and a Ctrl-C to hear.
 */
export async function synthesize(
  settings: Settings,
  outdir: string,
  signal?: AbortSignal,
): Promise<StackTemplate> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'synthesize.ts'), outdir], {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(signal === undefined ? {} : { signal, killSignal: 'SIGKILL' as const }),
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  child.stdin.end(JSON.stringify(settings));
  const [stack, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new SynthesisError(`the CDK app cannot be synthesized:\n${errors.trim()}`);
  return readStack(outdir, stack);
}
