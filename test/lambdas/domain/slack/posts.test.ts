import { describe, expect, it } from 'vitest';
import { cardOf } from '../../../../lambdas/domain/approval/card.ts';
import { askingMessage } from '../../../../lambdas/domain/approval/messages.ts';
import type { Stage } from '../../../../lambdas/domain/approval/stages.ts';
import { type Known, postsFor } from '../../../../lambdas/domain/slack/posts.ts';
import { sampleApproval } from '../approval/sample-approval.ts';

const card = cardOf(sampleApproval({}), {
  diagnosis: undefined,
  plan: [],
  ladder: { index: 0, status: 'rung' },
  results: [],
  leftOut: [],
});
const message = (stage: Stage) => ({ version: 1 as const, ...askingMessage(card, stage, 'managers') });
const place = { channel: 'C1', ts: '1.1' };
const second = { channel: 'C2', ts: '2.2' };
const known = (change: Partial<Known> = {}): Known => ({
  channel: 'C1',
  escalationChannel: 'C2',
  thread: place,
  cards: [place],
  card,
  pending: true,
  ...change,
});
const cardsIn = (stage: Stage, change: Partial<Known>) =>
  postsFor(message(stage), known(change)).flatMap((one) => (one.card ? [one.body.channel] : []));

describe('a card', () => {
  it('is posted once, however often its message is delivered', () => {
    expect(cardsIn('asked', { cards: [], thread: undefined })).toEqual(['C1']);
    expect(cardsIn('asked', {})).toEqual([]);
    expect(cardsIn('escalated', {})).toEqual(['C2']);
    expect(cardsIn('escalated', { cards: [place, second] })).toEqual([]);
  });

  it('is posted late where its first message was lost', () => {
    expect(cardsIn('reminded', { cards: [] })).toEqual(['C1']);
  });

  it.each<Stage>(['asked', 'reminded', 'escalated'])(
    'is not %s any more when the decision is there',
    (stage) => {
      expect(postsFor(message(stage), known({ cards: [], pending: false }))).toEqual([]);
    },
  );
});

it('where both groups share a channel, the second is told below the card, and the channel sees it', () => {
  expect(postsFor(message('escalated'), known({ escalationChannel: 'C1' }))).toMatchObject([
    { card: false, body: { channel: 'C1', thread_ts: '1.1', reply_broadcast: true } },
  ]);
});
