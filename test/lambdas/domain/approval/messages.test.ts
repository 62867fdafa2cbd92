import { expect, it } from 'vitest';
import { type Card, cardOf, cardText } from '../../../../lambdas/domain/approval/card.ts';
import { askingMessage, settledMessage } from '../../../../lambdas/domain/approval/messages.ts';
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

const byAna = { person: 'ana', door: 'slack', decision: 'approve', at: '2026-11-21T06:10:00.000Z' } as const;

it.each([
  ['approved', ['ana']],
  ['expired', []],
  ['void', []],
] as const)('how an approval ended is %s by those who have made it so: %j', (status, by) => {
  const { settled, title } = settledMessage(
    sampleApproval({ status, decisions: [byAna] }),
    'why',
    new Date(0),
  );
  expect(settled?.by).toEqual(by);
  expect(title.endsWith(by.length === 0 ? `: ${status}` : `: ${status} by ana`)).toBe(true);
});

it('a card that comes after one that was void says why, before all else', () => {
  const moved = 'the node has moved on since this was approved: it is now diagnosed healthy';
  const { why } = cardOf(sampleApproval(), { ...nothing, results: [], voided: moved });
  expect(why[0]).toBe(`It is asked for again, because an approval before this one is void: ${moved}.`);
  expect(cardWith([]).why[0]).not.toContain('void');
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
