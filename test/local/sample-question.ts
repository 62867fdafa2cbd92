import type { DecideAnswer } from '../../lambdas/domain/approval/decide-answer.ts';
import type { ApprovalRequest, Decision } from '../../local/approvals.ts';
import { Question } from '../../local/question.ts';

/** Text as a node that wants to be approved might send it. */
export const hostile =
  '<img src=x onerror="window.canary=1"></p><script>window.canary=1</script>"\'&\u001b[2J\u202e';

const sentences = {
  title: 'Approve reclaim on i-0123456789abcdef0 (local)?',
  expiresAt: '2026-11-28T12:00:00.000Z',
};

export function sampleRequest(text = 'dying cgroups'): ApprovalRequest {
  return {
    kind: 'approval-requested',
    incident: 'run-1',
    approvalId: 'run-1-r0-v0',
    text: `To approve: reclaim\n${text}`,
    ...sentences,
    card: {
      version: 1,
      approvalId: 'run-1-r0-v0',
      incident: 'run-1',
      cluster: 'local',
      instanceId: 'i-0123456789abcdef0',
      title: sentences.title,
      treatment: 'reclaim',
      risk: 'low',
      reason: text,
      arguments: { Slices: text, [text]: 'value', Path: 'a'.repeat(300) },
      expects: text,
      undo: text,
      requestedBy: text,
      quorum: 1,
      approvers: [],
      createdAt: '2026-11-28T11:00:00.000Z',
      expiresAt: sentences.expiresAt,
      asks: text,
      budget: text,
      tried: [text],
      history: [text],
      cohort: [text],
      why: ['What is wrong: dying-memcgs', `  ${text}`, 'How we know:', `  for: ${text}`],
    },
  };
}

export type Asked = { question: Question; given: Decision[]; over: AbortController };

/** A question, and the decisions that reached the function `decide`. It refuses what `refuse` has a reason for. */
export function sampleQuestion({
  text,
  refuse = ({ decision, reason }) =>
    decision === 'deny' && reason === undefined ? 'a denial needs a reason' : undefined,
  quorum = 1,
}: {
  text?: string;
  refuse?: (decision: Decision) => string | undefined;
  quorum?: number;
} = {}): Asked {
  const given: Decision[] = [];
  const over = new AbortController();
  const decide = async (decision: Decision): Promise<DecideAnswer> => {
    given.push(decision);
    const reason = refuse(decision);
    if (reason !== undefined) return { status: 'refused', reason };
    const decided = decision.decision === 'approve' ? 'approved' : 'denied';
    const status = quorum > 1 ? 'pending' : decided;
    return { status: 'recorded', approval: { status, decisions: 1, quorum } };
  };
  const question = new Question({ request: sampleRequest(text), person: 'ana', over: over.signal, decide });
  return { question, given, over };
}
