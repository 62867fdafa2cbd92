import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { DecideRequest } from '../domain/approval/approval.ts';
import { DecideAnswer } from '../domain/approval/decide-answer.ts';
import { MedicError } from './medic-error.ts';

/**
 * Gives a decision to the one function behind every door.
 *
 * @param timeoutMs how long this waits; the function goes on without it
 * @returns `undefined` where it has not answered in time
 * @throws MedicError where it failed: then the same decision can be given again
 */
export async function giveDecision(
  client: LambdaClient,
  functionName: string,
  { person, door, decision, reason }: DecideRequest,
  approvalId: string,
  timeoutMs: number,
): Promise<DecideAnswer | undefined> {
  const input = { approvalId, decision, by: { person, door }, ...(reason === undefined ? {} : { reason }) };
  try {
    const { FunctionError, Payload } = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(input) }),
      { abortSignal: AbortSignal.timeout(timeoutMs) },
    );
    if (FunctionError !== undefined) throw new MedicError(`${functionName} failed: ${FunctionError}`);
    return DecideAnswer.parse(JSON.parse(new TextDecoder().decode(Payload)));
  } catch (error) {
    if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError'))
      return undefined;
    throw error;
  }
}
