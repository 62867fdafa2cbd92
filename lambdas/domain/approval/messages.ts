import type { Message } from '../message.ts';
import type { Approval } from './approval.ts';
import { type Card, cardText } from './card.ts';
import type { Stage } from './stages.ts';

type Told = Omit<Message, 'version'>;

const kinds = {
  asked: 'approval-requested',
  reminded: 'approval-reminder',
  escalated: 'approval-escalated',
} as const satisfies Record<Stage, Message['kind']>;

/** The message by which people are asked, reminded, or by which the second group is told. */
export function askingMessage(card: Card, stage: Stage, escalateTo: string | null): Told {
  const { title, text } = cardText(card);
  const first = {
    asked: [],
    reminded: ['Nobody has decided yet.'],
    escalated: [`Nobody has decided yet. From now on @${escalateTo} may decide as well.`],
  }[stage];
  return {
    kind: kinds[stage],
    incident: card.incident,
    cluster: card.cluster,
    instanceId: card.instanceId,
    title: stage === 'asked' ? title : `Still waiting: ${title}`,
    text: [...first, text].join('\n'),
    approvalId: card.approvalId,
    expiresAt: card.expiresAt,
    card,
  };
}

/** How an approval ended, for whoever was asked. */
export function settledMessage(
  { id, incident, cluster, instanceId, cohort, rung, status, decisions, expiresAt }: Approval,
  reason: string | undefined,
  now: Date,
): Told {
  // Those who approved in vain have not made it expire.
  const decided = status === 'approved' || status === 'denied';
  const by = decided ? decisions.map(({ person }) => person) : [];
  const where = cohort === null ? instanceId : `the cohort of ${instanceId}`;
  const who = by.length === 0 ? '' : ` by ${by.join(', ')}`;
  return {
    kind: 'approval-settled',
    incident,
    cluster,
    instanceId,
    title: `${rung.treatment} on ${where} (${cluster}): ${status}${who}`,
    text: reason ?? 'no reason given',
    approvalId: id,
    expiresAt,
    settled: { status, by, ...(reason === undefined ? {} : { reason }), at: now.toISOString() },
  };
}
