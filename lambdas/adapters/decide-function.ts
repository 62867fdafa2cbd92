import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { Decision } from '../domain/approval/approval.ts';
import type { Person } from '../domain/approval/person.ts';
import { MedicError } from './medic-error.ts';

/** A decision as a door hands it on. */
export type DoorDecision = {
  approvalId: string;
  decision: Decision['decision'];
  by: { door: Decision['door']; person: Person };
  reason?: string;
};

const Answer = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('recorded'),
    approval: z.object({ status: z.string(), decisions: z.int(), quorum: z.int() }),
  }),
  z.object({ status: z.literal('refused'), reason: z.string() }),
]);
type Answer = z.infer<typeof Answer>;

/**
 * Hands a decision to the one function that takes them, and returns what came of it.
 *
 * @throws MedicError where that function failed: whether anything was recorded is then unknown, and the same decision may be made again
 */
export async function handOn(
  client: LambdaClient,
  functionName: string,
  decision: DoorDecision,
): Promise<Answer> {
  const { FunctionError, Payload } = await client.send(
    new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(decision)) }),
  );
  const parsed = Answer.safeParse(JSON.parse(Buffer.from(Payload ?? []).toString('utf8') || 'null'));
  if (FunctionError === undefined && parsed.success) return parsed.data;
  throw new MedicError(
    `the function ${functionName} failed, and whether the decision was recorded is unknown: make the same decision again`,
    { context: { functionError: FunctionError } },
  );
}
