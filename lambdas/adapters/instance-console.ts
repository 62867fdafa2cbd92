import * as z from 'zod';
import { consoleOutputOf } from '../domain/around/console-output.ts';
import { missing } from '../domain/around/read.ts';
import type { AroundProbes } from '../domain/evidence/around-probes.ts';
import { Ec2Error, ec2Query, read } from './ec2-query.ts';

const Answer = z.object({ output: z.string().default('') });

/** What the instance has written to its console: the last 64 KB of it, which EC2 keeps. Throws as `ec2Query`. */
export async function readConsole(instanceId: string): Promise<AroundProbes['console']> {
  const text = Buffer.from(await consoleOf(instanceId, true), 'base64').toString('utf8');
  if (text.trim() === '') return missing('EC2 has no output of the console of this instance');
  return { status: 'ok', value: consoleOutputOf(text) };
}

async function consoleOf(instanceId: string, latest: boolean): Promise<string> {
  try {
    const answer = await ec2Query('GetConsoleOutput', {
      InstanceId: instanceId,
      ...(latest ? { Latest: 'true' } : {}),
    });
    return read('GetConsoleOutput', Answer, answer).output;
  } catch (error) {
    // Only instances of the Nitro system have the latest; the others have what they said at their last start or stop.
    if (latest && error instanceof Ec2Error && error.code === 'UnsupportedOperation')
      return consoleOf(instanceId, false);
    throw error;
  }
}
