import type { Card } from '../approval/card.ts';
import type { Message } from '../message.ts';
import { askingBlocks, type Block, settledBlocks, tellingBlocks } from './blocks.ts';

type Place = { channel: string; ts: string };
export type Known = {
  channel: string;
  escalationChannel: string;
  /** The first message of the incident. */
  thread: Place | undefined;
  /** Where the card of the approval is: in the channel, and in that of the second group. */
  cards: readonly Place[];
  card: Card | undefined;
  /** Whether the approval still waits. */
  pending: boolean;
};

/** One call to Slack. `card`: what it posts is the card of the approval. */
export type Post = {
  method: 'chat.postMessage' | 'chat.update';
  body: { channel: string; ts?: string; text: string; blocks: Block[] } & Record<string, unknown>;
  card: boolean;
};

/**
 * What of a message goes to Slack, and where. `text` is what a notification and a screen reader get.
 */
export function postsFor(message: Message, known: Known): Post[] {
  const { card, channel, escalationChannel, pending, thread, cards } = known;
  const text = message.title.slice(0, 300);
  const ask = (where: string): Post[] =>
    card === undefined
      ? []
      : [
          {
            method: 'chat.postMessage',
            card: true,
            body: { channel: where, text, blocks: askingBlocks(card) },
          },
        ];
  switch (message.kind) {
    case 'approval-requested':
      // A card that comes late must not ask for what was decided meanwhile, nor one that is there already ask again.
      return pending && cards.length === 0 ? ask(channel) : [];
    case 'approval-reminder':
      if (!pending) return [];
      return cards.length === 0 ? ask(channel) : tell(message, channel, thread, true);
    case 'approval-escalated':
      if (!pending) return [];
      if (escalationChannel === channel) return tell(message, channel, thread, true);
      return cards.some((one) => one.channel === escalationChannel) ? [] : ask(escalationChannel);
    case 'approval-settled':
      return [...settle(message, known, text), ...tell(message, channel, thread, false)];
    case 'progress':
      return thread === undefined ? [] : tell(message, channel, thread, false);
    // A summary of many incidents names no node, and belongs to no thread.
    case 'incident-closed':
      return tell(message, channel, message.instanceId === undefined ? undefined : thread, false);
    case 'call-a-person':
      return tell(message, channel, message.instanceId === undefined ? undefined : thread, true);
    case 'fleet-report':
      return tell(message, channel, undefined, false);
  }
}

/** Every card says how it ended, and has no buttons any more. */
function settle({ settled }: Message, { card, cards }: Known, text: string): Post[] {
  if (settled === undefined || card === undefined) return [];
  return cards.map(({ channel, ts }) => ({
    method: 'chat.update',
    card: true,
    body: { channel, ts, text, blocks: settledBlocks(card, settled) },
  }));
}

/** Below the first message of its incident, where there is one. @param loud whether the channel sees it as well */
function tell(message: Message, channel: string, thread: Place | undefined, loud: boolean): Post[] {
  return [
    {
      method: 'chat.postMessage',
      card: false,
      body: {
        channel: thread?.channel ?? channel,
        text: message.title.slice(0, 300),
        blocks: tellingBlocks(message),
        unfurl_links: false,
        ...(thread === undefined ? {} : { thread_ts: thread.ts, ...(loud ? { reply_broadcast: true } : {}) }),
      },
    },
  ];
}
