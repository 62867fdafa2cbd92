import { type EC2Client, EC2ServiceException, GetConsoleOutputCommand } from '@aws-sdk/client-ec2';
import { consoleOutputOf } from '../domain/around/console-output.ts';
import { missing } from '../domain/around/read.ts';
import type { AroundProbes } from '../domain/evidence/around-probes.ts';

/** What the instance has written to its console: the last 64 KB of it, which EC2 keeps. */
export async function readConsole(client: EC2Client, instanceId: string): Promise<AroundProbes['console']> {
  const output = await consoleOf(client, instanceId, true);
  const text = Buffer.from(output ?? '', 'base64').toString('utf8');
  if (text.trim() === '') return missing('EC2 has no output of the console of this instance');
  return { status: 'ok', value: consoleOutputOf(text) };
}

async function consoleOf(
  client: EC2Client,
  instanceId: string,
  latest: boolean,
): Promise<string | undefined> {
  try {
    const { Output } = await client.send(
      new GetConsoleOutputCommand({ InstanceId: instanceId, ...(latest ? { Latest: true } : {}) }),
    );
    return Output;
  } catch (error) {
    // Only instances of the Nitro system have the latest; the others have what they said at their last start or stop.
    if (latest && error instanceof EC2ServiceException && error.name === 'UnsupportedOperation')
      return consoleOf(client, instanceId, false);
    throw error;
  }
}
