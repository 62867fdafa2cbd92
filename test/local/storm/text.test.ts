import { describe, expect, it } from 'vitest';
import type { StormResult } from '../../../local/storm/result.ts';
import { textOf } from '../../../local/storm/text.ts';

const result: StormResult = {
  violations: [],
  nodes: 2,
  seed: 1,
  cause: 'session-churn',
  mode: 'approve',
  approve: 'yes',
  seconds: 40,
  fates: { helped: 1, silent: 1 },
  recorded: { outputs: 9, samples: 1 },
  incidents: 2,
  causes: { 'session-churn': 1, inconclusive: 1 },
  outcomes: { cured: 1, unresolved: 1 },
  cards: { asked: 1, answers: { approve: 1 } },
  cohorts: [
    {
      cohort: 'a',
      treatment: 'reclaim',
      nodes: 2,
      cards: 1,
      waves: [{ number: 1, size: 1, treated: 1 }],
      notTreated: 1,
    },
  ],
  treated: [{ treatment: 'reclaim', count: 2, nodes: 1 }],
  timeline: [],
  refused: {},
  messages: { byKind: { 'incident-closed': 2 }, told: 2, most: 3 },
  inFlight: [],
  rates: [],
  audit: 'audit.jsonl',
};

describe('what a storm says to people', () => {
  it('counts one thing as one, and says which diagnosis it counts and how many messages there may be', () => {
    const lines = textOf(result).split('\n');
    expect(lines.slice(0, 9)).toEqual([
      '2 nodes with session-churn, seed 1, mode approve, cards answered yes: 40 s on this machine',
      'fleet      1 helped, 1 silent; they answer with 9 outputs of the real documents, which ran on 1 recorded node',
      'incidents  2: 1 cured, 1 unresolved',
      'diagnosed  1 session-churn, 1 inconclusive, at first',
      'asked      1 card: 1 approve',
      'together   reclaim: 2 nodes by 1 card, in waves of 1; 1 not treated, for it was stopped or not approved',
      'treated    reclaim 2 times on 1 node',
      'not done   none',
      'told       2 incident-closed; ends and calls together 2, where 3 may be',
    ]);
    expect(lines).toContain('nothing was violated');
  });

  it('names what was violated', () => {
    const text = textOf({
      ...result,
      violations: [{ check: 'lost', what: 'the alarm of i-1 came to no incident' }],
    });
    expect(text).toContain('\n1 violation:\n  lost: the alarm of i-1 came to no incident\n');
    expect(text).not.toContain('nothing was violated');
  });
});
