import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Alarm } from '../domain/alarm.ts';

/**
 * Starts the incident of an alarm. `known`: an execution of that name is there, or was within the last 90 days. While it runs, and has
 * the same input, Step Functions says `started` again, and starts nothing.
 */
export async function startIncident(
  client: SFNClient,
  stateMachineArn: string,
  name: string,
  alarm: Alarm,
): Promise<'started' | 'known'> {
  try {
    await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(alarm) }));
    return 'started';
  } catch (error) {
    if (error instanceof ExecutionAlreadyExists) return 'known';
    throw error;
  }
}
