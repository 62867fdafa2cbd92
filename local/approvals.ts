import * as z from 'zod';
import { Card } from '../lambdas/domain/approval/card.ts';
import { DecideAnswer } from '../lambdas/domain/approval/decide-answer.ts';
import { Message } from '../lambdas/domain/message.ts';
import type { Engine } from './engine/engine.ts';
import type { Question, Settled } from './question.ts';

export const ApproveFlag = z.enum(['ask', 'yes', 'no']);
export type ApproveFlag = z.infer<typeof ApproveFlag>;

/** The message by which the functions ask for an approval. */
export const ApprovalRequest = z.object({
  kind: z.literal('approval-requested'),
  incident: z.string(),
  title: z.string(),
  text: z.string(),
  approvalId: z.string(),
  expiresAt: z.string(),
  card: Card,
});
export type ApprovalRequest = z.infer<typeof ApprovalRequest>;

export type Decision = { decision: 'approve' | 'deny'; reason?: string };
/** Decides on a request, once and for all. `signal` fires when the decision is not wanted any more. */
export type Decider = (request: ApprovalRequest, signal: AbortSignal) => Promise<Decision>;
/** Sees to it that a question is answered. */
export type Asker = (question: Question) => Promise<void>;

/** The request in a message to the topic, if it is one and belongs to this incident. */
export function approvalRequest(message: string, incident: string): ApprovalRequest | undefined {
  const parsed = ApprovalRequest.safeParse(JSON.parse(message));
  return parsed.success && parsed.data.incident === incident ? parsed.data : undefined;
}

/** How an approval ended, in a message to the topic that says so. */
export function approvalSettled(message: string): (Settled & { approvalId: string }) | undefined {
  const { data } = Message.safeParse(JSON.parse(message));
  if (data?.kind !== 'approval-settled' || data.settled === undefined || data.approvalId === undefined)
    return undefined;
  return { approvalId: data.approvalId, ...data.settled };
}

/** Answers by what was said before anybody was asked. */
export function answeredBy(answer: 'yes' | 'no'): Asker {
  const decision = answer === 'yes' ? 'approve' : 'deny';
  return answering(async () => ({ decision, reason: `started with --approve ${answer}` }));
}

/** Gives the one answer of a decider. It has no other, so that a refusal ends the run. */
export function answering(decider: Decider): Asker {
  return async (question) => {
    const answer = await question.decide(await decider(question.request, question.signal));
    if (answer.status === 'refused') throw new Error(`the decision was refused: ${answer.reason}`);
  };
}

/** Gives a decision to the deployed function `decide`, as every door does. */
export async function decide(
  engine: Engine,
  { approvalId }: ApprovalRequest,
  { decision, reason }: Decision,
  person: string,
): Promise<DecideAnswer> {
  const answer = await engine.functions.invoke(engine.stack.outputs.DecideFunctionName ?? '', {
    approvalId,
    decision,
    by: { person, door: 'local' },
    ...(reason === undefined ? {} : { reason }),
  });
  return DecideAnswer.parse(answer);
}
