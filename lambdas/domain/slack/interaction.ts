import * as z from 'zod';

/** Names of what can be clicked. */
export const action = {
  approve: 'cgroup-medic.approve',
  deny: 'cgroup-medic.deny',
  evidence: 'cgroup-medic.evidence',
} as const;
export const denyView = 'cgroup-medic.deny-with-reason';
export const reasonBlock = 'reason';
export const reasonInput = 'text';

const id = z.string().min(1).max(64);
const approvalId = z.string().min(1).max(300);
const base = { team: z.object({ id }), user: z.object({ id }) };

/** https://docs.slack.dev/reference/interaction-payloads/block_actions-payload */
const Click = z.object({
  ...base,
  type: z.literal('block_actions'),
  trigger_id: z.string().min(1).max(200),
  channel: z.object({ id }).optional(),
  actions: z.tuple([
    z.object({ action_id: z.enum([action.approve, action.deny, action.evidence]), value: approvalId }),
  ]),
});

/** https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload */
const Submission = z.object({
  ...base,
  type: z.literal('view_submission'),
  view: z.object({
    callback_id: z.literal(denyView),
    private_metadata: approvalId,
    state: z.object({
      values: z.object({
        [reasonBlock]: z.object({ [reasonInput]: z.object({ value: z.string().max(3000).nullish() }) }),
      }),
    }),
  }),
});

/** What somebody did in Slack. `submitted`: they wrote why they deny. */
export type Interaction = { team: string; user: string; approvalId: string } & (
  | { kind: 'approve' | 'deny' | 'evidence'; triggerId: string; channel: string | undefined }
  | { kind: 'submitted'; reason: string }
);

/** @param body of a request that was verified: a form with one field `payload`, which is JSON */
export function readInteraction(body: string): Interaction | undefined {
  const payload = new URLSearchParams(body).get('payload');
  const parsed = z.union([Click, Submission]).safeParse(jsonOf(payload ?? ''));
  if (!parsed.success) return undefined;
  const { data } = parsed;
  const who = { team: data.team.id, user: data.user.id };
  if (data.type === 'view_submission') {
    const reason = data.view.state.values[reasonBlock]?.[reasonInput]?.value ?? '';
    return {
      ...who,
      kind: 'submitted',
      approvalId: data.view.private_metadata,
      reason: reason.slice(0, 1000),
    };
  }
  const [{ action_id, value }] = data.actions;
  const kind = (
    { [action.approve]: 'approve', [action.deny]: 'deny', [action.evidence]: 'evidence' } as const
  )[action_id];
  return { ...who, kind, approvalId: value, triggerId: data.trigger_id, channel: data.channel?.id };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
