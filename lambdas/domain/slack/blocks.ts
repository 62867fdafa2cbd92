import { type Card, cohortText, undoWord } from '../approval/card.ts';
import type { Message } from '../message.ts';
import { action, denyView, reasonBlock, reasonInput } from './interaction.ts';
import { code, escaped, moment, pieces } from './text.ts';

/** A block of Slack's Block Kit, as far as it is used. https://docs.slack.dev/reference/block-kit/blocks */
export type Block = { type: string } & Record<string, unknown>;

const section = (text: string): Block => ({ type: 'section', text: { type: 'mrkdwn', text } });
const context = (text: string): Block => ({ type: 'context', elements: [{ type: 'mrkdwn', text }] });
const header = (text: string): Block => ({
  type: 'header',
  text: { type: 'plain_text', text: text.length > 150 ? `${text.slice(0, 149)}…` : text },
});
const button = (text: string, id: string, value: string, more: object = {}): Block => ({
  type: 'button',
  text: { type: 'plain_text', text },
  action_id: id,
  value,
  ...more,
});
const parts = (title: string, lines: readonly string[], most: number): Block[] =>
  lines.length === 0 ? [] : pieces([`*${title}*`, ...lines.map(escaped)], most).map(section);

/** The question: what is asked, what was tried, why, and the buttons. Far below the fifty blocks that a message may have. */
export function askingBlocks(card: Card): Block[] {
  return [
    header(card.title),
    ...asked(card),
    {
      type: 'actions',
      block_id: 'decide',
      elements: [
        button('Approve', action.approve, card.approvalId, {
          style: 'primary',
          confirm: {
            title: { type: 'plain_text', text: 'Approve?' },
            text: { type: 'plain_text', text: confirmed(card).slice(0, 300) },
            confirm: { type: 'plain_text', text: 'Approve' },
            deny: { type: 'plain_text', text: 'Not yet' },
          },
        }),
        button('Deny…', action.deny, card.approvalId, { style: 'danger' }),
        button('Show evidence', action.evidence, card.approvalId),
      ],
    },
    context(`Expires ${moment(card.expiresAt)}. Without Slack: ${otherDoor(card)}.`),
  ];
}

function confirmed({ treatment, instanceId, cohort }: Card): string {
  return `${treatment} on ${cohort === undefined ? instanceId : `${instanceId} and all others of its cohort`}`;
}

/** Where somebody decides who cannot, or does not want to, click here. */
function otherDoor({ approvalId, decideAt }: Card): string {
  const command = code(`npm run decide -- ${approvalId} approve|deny`);
  return decideAt === undefined ? command : `<${decideAt.url}|the AWS console>, or ${command}`;
}

/** The same after it has come to its end: who decided, when, and what came of it. No button is left. */
export function settledBlocks(card: Card, settled: NonNullable<Message['settled']>): Block[] {
  const { status, by, reason, at } = settled;
  const who = by.length === 0 ? '' : ` by ${by.map(escaped).join(', ')}`;
  return [
    header(`${card.title} ${status}`),
    section(
      `*${status}*${who}, ${moment(at)}${reason === undefined ? '' : `\n${escaped(reason).slice(0, 2000)}`}`,
    ),
    ...asked(card),
  ];
}

function asked(card: Card): Block[] {
  const args = Object.entries(card.arguments).map(([name, value]) => `${code(`${name} = ${value}`)}`);
  const who = [
    ...(card.quorum > 1 ? [`${card.quorum} different people have to approve.`] : []),
    ...(card.approvers.length > 0 ? [`They may: ${card.approvers.join(', ')}.`] : []),
    ...(card.requestedBy === null ? [] : [`Asked for by hand by ${card.requestedBy}.`]),
  ];
  const action = [
    `*${escaped(card.treatment)}*, risk ${escaped(card.risk)}: ${escaped(card.reason)}`,
    ...args,
    ...(card.asks === undefined ? [] : [`Asked because: ${escaped(card.asks)}`]),
    `Expected: ${escaped(card.expects)}`,
    ...(card.budget === undefined ? [] : [`Budget: ${escaped(card.budget)}.`]),
    card.undo === null ? 'It cannot be undone.' : `Undo: ${undoWord(card)}${code(card.undo)}`,
    ...who.map(escaped),
  ];
  return [
    ...pieces(action, 3).map(section),
    ...parts('All nodes that this decides on', cohortText(card), 4),
    ...parts('Tried before in this incident', card.tried, 3),
    ...parts('This node and its image before', card.history ?? [], 2),
    ...parts('Why', card.why, 6),
    context(`${escaped(card.instanceId)} in ${escaped(card.cluster)}, incident ${code(card.incident)}`),
  ];
}

/** Asks why. A denial without a reason helps nobody who reads the audit. */
export function denyModal(approvalId: string): object {
  return {
    type: 'modal',
    callback_id: denyView,
    private_metadata: approvalId,
    title: { type: 'plain_text', text: 'Deny' },
    submit: { type: 'plain_text', text: 'Deny' },
    close: { type: 'plain_text', text: 'Cancel' },
    blocks: [
      {
        type: 'input',
        block_id: reasonBlock,
        label: { type: 'plain_text', text: 'Why? It goes into the audit.' },
        element: {
          type: 'plain_text_input',
          action_id: reasonInput,
          multiline: true,
          min_length: 1,
          max_length: 1000,
        },
      },
    ],
  };
}

/** In the place of a form that was sent, where there is something to say of it that is no mistake. */
export function sayingModal(text: string): object {
  return {
    type: 'modal',
    title: { type: 'plain_text', text: 'Deny' },
    close: { type: 'plain_text', text: 'Close' },
    blocks: [section(escaped(text))],
  };
}

/** All that the card knows, for whoever wants to read it before they decide. */
export function evidenceModal(card: Card): object {
  return {
    type: 'modal',
    title: { type: 'plain_text', text: 'Evidence' },
    close: { type: 'plain_text', text: 'Close' },
    blocks: [
      section(`*${escaped(card.title).slice(0, 2000)}*`),
      ...parts('Why', card.why, 40),
      ...parts('Tried before in this incident', card.tried, 4),
      context(`incident ${code(card.incident)}, approval ${code(card.approvalId)}`),
    ],
  };
}

/** Anything else that people are told, for the thread of its incident. */
export function tellingBlocks({ title, text }: Pick<Message, 'title' | 'text'>): Block[] {
  return [
    section(`*${escaped(title).slice(0, 2000)}*`),
    ...pieces(text.split('\n').map(escaped), 8).map(section),
  ];
}
