import { describe, expect, it } from 'vitest';
import { type Cohort, noCohort } from '../../../../lambdas/domain/cohort/cohort.ts';
import { askedBy } from '../../../../lambdas/domain/cohort/steps.ts';
import {
  cohortBusy,
  cohortGate,
  cohortProblem,
  goesTogether,
} from '../../../../lambdas/domain/gates/cohort-gate.ts';
import { at, begin, come, decide, settings, treat } from '../cohort/samples.ts';

const gathered = (...names: string[]): Cohort =>
  names.reduce((cohort, name) => come(cohort, name, at(0)), noCohort);
const asks = (...names: string[]): Cohort =>
  askedBy(gathered(...names), 'a', 'a-r0', at(40).now, settings) ?? noCohort;
const says = (cohort: Cohort, incident: string, minute = 1) =>
  cohortGate(cohort, { incident, settings, now: at(minute).now });

describe('the gate of cohorts', () => {
  it.each([
    [{ kind: 'document', disrupts: false }, 'ask', true],
    [{ kind: 'document', disrupts: true }, 'ask', true],
    [{ kind: 'document', disrupts: true }, 'pass', true],
    // Frees the memory of the dead, and disturbs nobody.
    [{ kind: 'document', disrupts: false }, 'pass', false],
    [{ kind: 'document', disrupts: true }, 'refuse', false],
    [{ kind: 'document', disrupts: true }, 'observe', false],
    [{ kind: 'document', disrupts: true }, 'wait', false],
    [{ kind: 'document', disrupts: true }, 'skip', false],
    [{ kind: 'notify', disrupts: true }, 'ask', false],
  ] as const)('treats %o with others where the gates say %s: %s', (rung, decision, together) => {
    expect(goesTogether(rung, decision)).toBe(together);
  });

  it('lets the first gather for a minute, and ask then; the others wait for it', () => {
    const all = gathered('a', 'b');
    expect(says(all, 'a', 0.5)).toMatchObject({
      role: 'waits',
      result: { decision: 'wait', until: at(1).now.toISOString() },
    });
    expect(says(all, 'a', 1)).toMatchObject({ role: 'asks', result: { decision: 'pass' } });
    expect(says(all, 'b', 1)).toMatchObject({
      role: 'waits',
      result: {
        decision: 'wait',
        until: at(2).now.toISOString(),
        reason: expect.stringContaining('2 nodes so far'),
      },
    });
    // A retried function of the leader gets the same answer.
    expect(says(asks('a', 'b'), 'a').role).toBe('asks');
    expect(says(asks('a', 'b'), 'b').role).toBe('waits');
  });

  it('lets those act whose turn it is, once people have approved', () => {
    const goes = decide(asks('a', 'b', 'c'), 'approved', at(5));
    expect(says(goes, 'a')).toMatchObject({ role: 'turn', result: { decision: 'pass' } });
    expect(says(begin(goes, 'a', at(6)), 'a').role).toBe('turn');
    expect(says(goes, 'c').result).toMatchObject({
      decision: 'wait',
      reason: 'it waits for its wave: 1 of wave 1 are being treated, 0 were helped, 1 go before it',
    });
    expect(says(goes, 'stranger').result).toMatchObject({
      decision: 'wait',
      reason: expect.stringContaining('waits until the 3 nodes before it are through'),
    });
  });

  it('refuses everybody after a stop and a denial, those that come later among them, and members after an expiry', () => {
    const stopped = treat(decide(asks('a', 'b'), 'approved', at(5)), 'a', 'failed', at(6));
    for (const who of ['b', 'stranger'])
      expect(says(stopped, who)).toMatchObject({
        role: 'stopped',
        result: { decision: 'refuse', reason: expect.stringContaining('i-a (a): it failed') },
      });
    const denied = decide(asks('a', 'b'), 'denied', at(5));
    for (const who of ['b', 'stranger'])
      expect(says(denied, who)).toMatchObject({ role: 'denied', result: { decision: 'refuse' } });
    const expired = decide(asks('a', 'b'), 'expired', at(5));
    expect(says(expired, 'b')).toMatchObject({ role: 'expired', result: { decision: 'refuse' } });
    expect(says(expired, 'stranger').result.decision).toBe('wait');
  });

  it('refuses whoever asks after a stop, also where it has said that it begins: at its gate, nothing has begun', () => {
    const goes = treat(decide(asks('a', 'b', 'c'), 'approved', at(5)), 'a', 'helped', at(6));
    const stopped = treat(begin(goes, 'b', at(7)), 'c', 'failed', at(8));
    expect(says(stopped, 'b')).toMatchObject({ role: 'stopped', result: { decision: 'refuse' } });
  });

  it('lets those wait that came when a stop or a denial keeps nobody away any more, and some of it have not gone', () => {
    const stopped = treat(decide(asks('a', 'b'), 'approved', at(5)), 'a', 'failed', at(6));
    for (const ended of [stopped, decide(asks('a', 'b'), 'denied', at(6))]) {
      expect(says(ended, 'stranger', 15).result.decision).toBe('refuse');
      expect(says(ended, 'stranger', 16).result.decision).toBe('wait');
      expect(says(ended, 'b', 16).result.decision).toBe('refuse');
    }
  });

  it('lets those wait that the card does not cover, and says so', () => {
    const cohort = asks('a', 'b');
    for (const minute of [2, 6]) {
      const present = minute === 2 ? cohort : decide(cohort, 'approved', at(5));
      const after = come(present, 'c', at(minute), { group: 'db' });
      expect(says(after, 'c', minute)).toMatchObject({
        role: 'waits',
        result: { decision: 'wait', reason: expect.stringContaining('was not on the card') },
      });
    }
  });

  it('refuses what cannot be asked, and waits where others were faster', () => {
    expect(cohortProblem('it is broken')).toMatchObject({ decision: 'refuse', gate: 'cohort' });
    expect(cohortBusy(settings, at(0).now)).toMatchObject({
      decision: 'wait',
      until: at(1).now.toISOString(),
    });
    expect(says(gathered('a'), 'stranger').result.decision).toBe('refuse');
  });
});
