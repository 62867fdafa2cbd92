import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Decision } from '../domain/approval/approval.ts';
import { DecideAnswer } from '../domain/approval/decide-answer.ts';
import type { Person } from '../domain/approval/person.ts';
import { MedicError } from './medic-error.ts';

/** A decision as a door hands it on. */
export type DoorDecision = {
  approvalId: string;
  decision: Decision['decision'];
  by: { door: Decision['door']; person: Person };
  reason?: string;
};

/**
 * Hands a decision to the one function that takes them, and returns what came of it.
 *
 * @param timeoutMs how long this waits for the answer; the function goes on without it
 * @returns `undefined` where it has not answered in time
 * @throws MedicError where that function failed: whether anything was recorded is then unknown, and the same decision may be made again
 */
export async function handOn(
  client: LambdaClient,
  functionName: string,
  decision: DoorDecision,
  timeoutMs: number,
): Promise<DecideAnswer | undefined> {
  const input = { FunctionName: functionName, Payload: Buffer.from(JSON.stringify(decision)) };
  try {
    const { FunctionError, Payload } = await client.send(new InvokeCommand(input), {
      abortSignal: AbortSignal.timeout(timeoutMs),
    });
    const parsed = DecideAnswer.safeParse(JSON.parse(Buffer.from(Payload ?? []).toString('utf8') || 'null'));
    if (FunctionError === undefined && parsed.success) return parsed.data;
    throw new MedicError(
      `the function ${functionName} failed, and whether the decision was recorded is unknown: make the same decision again`,
      { context: { functionError: FunctionError } },
    );
  } catch (error) {
    if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError'))
      return undefined;
    throw error;
  }
}
