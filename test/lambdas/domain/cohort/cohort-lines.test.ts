import { describe, expect, it } from 'vitest';
import { cardOf, cardText } from '../../../../lambdas/domain/approval/card.ts';
import { askingMessage, settledMessage } from '../../../../lambdas/domain/approval/messages.ts';
import { noCohort } from '../../../../lambdas/domain/cohort/cohort.ts';
import { cohortLines } from '../../../../lambdas/domain/cohort/cohort-lines.ts';
import { newsMessage } from '../../../../lambdas/domain/cohort/cohort-messages.ts';
import { askingBlocks } from '../../../../lambdas/domain/slack/blocks.ts';
import { sampleApproval } from '../approval/sample-approval.ts';
import { at, come, settings } from './samples.ts';

const nothing = {
  diagnosis: undefined,
  plan: [],
  ladder: { index: 0, status: 'rung' as const },
  results: [],
};
const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);
const agent = 'agent unit: falcon-sensor.service';
const three = names(3).reduce(
  (cohort, name, index) =>
    come(cohort, name, at(0), {
      zone: index === 0 ? 'us-east-1b' : 'us-east-1a',
      facts: [agent, ...(index === 2 ? ['kernel: 6.1'] : ['kernel: 6.12'])],
    }),
  noCohort,
);

describe('a card about several nodes', () => {
  const lines = cohortLines(three, settings);

  it('says what the decision covers, how the waves go, and when they stop', () => {
    expect(lines[0]).toBe(
      'One decision for 3 nodes: exactly this treatment, for this cause, on those below and on those of the same node groups and machine images that join until 10 minutes after it, each once, 1000 at most.',
    );
    expect(lines[1]).toBe(
      'Treated in waves: first 1, then 2, then 4 and so on, each once all of the wave before were helped; it stops at the first that is not. Each node is looked at again before.',
    );
  });

  it('says where they stand and what they have in common, the most common first', () => {
    expect(lines.slice(2)).toEqual([
      'Zones: us-east-1a 2, us-east-1b 1',
      'Node groups: web 3',
      'Machine images: ami-1 3',
      `In common, all 3: ${agent}`,
      'In common, 2 of 3: kernel: 6.12',
      'Nodes: i-n0 (us-east-1b), i-n1 (us-east-1a), i-n2 (us-east-1a)',
    ]);
  });

  it('lists thirty, counts the others, and fits into a message and into Slack', () => {
    const many = names(1000).reduce(
      (cohort, name, index) =>
        come(cohort, name, at(0), {
          zone: `${index}`.padEnd(120, '字'),
          facts: names(5).map((fact) => `${fact} ${index % 100}`.padEnd(120, '"')),
        }),
      noCohort,
    );
    const all = cohortLines(many, settings);
    expect(all.at(-1)).toMatch(/ and 970 more$/);
    expect(all.find((line) => line.startsWith('Zones'))).toMatch(/ and \d+ others$/);
    const card = cardOf(sampleApproval(), nothing, { cohort: { nodes: 1000, lines: all } });
    expect(Buffer.byteLength(JSON.stringify(askingMessage(card, 'asked', null)))).toBeLessThan(100_000);
    expect(askingBlocks(card).length).toBeLessThan(30);
  });

  it('asks about so many in mail, at a terminal and in Slack, and about one where it is one', () => {
    const card = cardOf(sampleApproval(), nothing, { cohort: { nodes: 3, lines } });
    expect(card.title).toBe('Approve reclaim on 3 nodes (prod)?');
    expect(cardText(card).text).toContain(
      `${lines.join('\n')}\nWhat follows is of the first of them, i-0123456789abcdef0.`,
    );
    const slack = JSON.stringify(askingBlocks(card));
    expect(slack).toContain('One decision for 3 nodes');
    expect(slack).toContain('reclaim on i-0123456789abcdef0 and all others of its cohort');
    const one = cardOf(sampleApproval(), nothing);
    expect(one.title).toBe('Approve reclaim on i-0123456789abcdef0 (prod)?');
    expect(`${cardText(one).text}${JSON.stringify(askingBlocks(one))}`).not.toMatch(/cohort|first of them/);
  });

  it('ends with a message that names the cohort, and one about one node names that', () => {
    const title = (cohort: string | null) =>
      settledMessage(sampleApproval({ cohort, status: 'expired' }), 'late', new Date(0)).title;
    expect(title('key')).toBe('reclaim on the cohort of i-0123456789abcdef0 (prod): expired');
    expect(title(null)).toBe('reclaim on i-0123456789abcdef0 (prod): expired');
  });
});

describe('what is told of a cohort', () => {
  it.each([
    ['wave', 'progress'],
    ['through', 'progress'],
    ['stopped', 'call-a-person'],
  ] as const)('of a %s is %s, below the card of the incident that asked', (kind, told) => {
    const message = newsMessage({ kind, text: 'so and so' }, three, 'prod');
    expect(message).toMatchObject({ kind: told, incident: 'n0', cluster: 'prod', text: 'so and so' });
  });
});
