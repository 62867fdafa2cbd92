import { expect, it } from 'vitest';
import { type Card, cardOf, cardText } from '../../../../lambdas/domain/approval/card.ts';
import { askingMessage } from '../../../../lambdas/domain/approval/messages.ts';
import type { RungResult } from '../../../../lambdas/domain/incident-state.ts';
import { askingBlocks } from '../../../../lambdas/domain/slack/blocks.ts';
import { sampleApproval } from './sample-approval.ts';

const nothing = {
  diagnosis: undefined,
  plan: [],
  ladder: { index: 0, status: 'rung' as const },
  leftOut: [],
};
const tried = (reason: string): RungResult => ({
  treatment: 'reclaim',
  arguments: {},
  risk: 'low',
  status: 'done',
  reason,
});
const cardWith = (results: RungResult[]): Card => cardOf(sampleApproval(), { ...nothing, results });

it('of an approval fits into what a topic takes, whatever the node has said', () => {
  for (const character of ['a', '"', '\\', '字', '\u0001', '\n']) {
    const card = cardWith(Array.from({ length: 400 }, () => tried(character.repeat(4000))));
    // The longest list of a card stands for the other as well.
    const message = askingMessage({ ...card, why: card.tried }, 'asked', null);
    expect(Buffer.byteLength(JSON.stringify(message)), JSON.stringify(character)).toBeLessThan(256 * 1024);
    expect(card.tried.at(-1)).toMatch(/^and \d+ lines more$/);
  }
});

it('leaves nothing out where there is room', () => {
  const results = Array.from({ length: 8 }, (_, index) => tried(`because ${index}`));
  expect(cardWith(results).tried.filter((line) => line.startsWith('reclaim'))).toHaveLength(8);
});

it('says how much of the budget is used, in mail, at a terminal and in Slack, and nothing where none is needed', () => {
  const budget = '0 of at most 2 nodes of group <web> are being disrupted; this one would be the first';
  const card = cardOf(sampleApproval(), { ...nothing, results: [] }, { budget });
  expect(cardText(card).text).toContain(`\nBudget: ${budget}.\n`);
  expect(JSON.stringify(askingBlocks(card))).toContain(
    'Budget: 0 of at most 2 nodes of group &lt;web&gt; are being disrupted; this one would be the first.',
  );
  expect(cardText(cardWith([])).text).not.toContain('Budget');
  expect(JSON.stringify(askingBlocks(cardWith([])))).not.toContain('Budget');
});
