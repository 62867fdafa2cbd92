import { userInfo } from 'node:os';
import { ApprovalRequest, decide } from '../approvals.ts';
import type { Engine } from '../engine/engine.ts';

/** The card of an approval, and how it was answered. */
export type Card = { approvalId: string; incident: string; title: string; answer: string };

/** Answers the card that a message is, once; its answer is in `cards` when that is over. Any other message is none. */
export async function answer(
  engine: Engine,
  message: string,
  approve: 'yes' | 'no',
  cards: Card[],
): Promise<void> {
  const { data: request } = ApprovalRequest.safeParse(JSON.parse(message));
  if (request === undefined || cards.some(({ approvalId }) => approvalId === request.approvalId)) return;
  const { approvalId, incident, title } = request;
  const card: Card = { approvalId, incident, title, answer: 'none' };
  cards.push(card);
  const decision = approve === 'yes' ? 'approve' : 'deny';
  const given = await decide(
    engine,
    request,
    { decision, reason: `the storm was started with --approve ${approve}` },
    userInfo().username,
  ).catch((error: unknown) => ({ status: 'failed', reason: String(error) }));
  card.answer = given.status === 'refused' || given.status === 'failed' ? given.status : decision;
}
