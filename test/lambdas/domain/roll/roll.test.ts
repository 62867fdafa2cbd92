import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../../lambdas/domain/incident-state.ts';
import {
  emptyRoll,
  mostMessages,
  Roll,
  type Told,
  withClosing,
  withOpen,
  withoutOpen,
  withSingly,
  withUntold,
} from '../../../../lambdas/domain/roll/roll.ts';
import { summaryMessage } from '../../../../lambdas/domain/roll/summary.ts';
import { RollSettings } from '../../../../lambdas/domain/settings/roll.ts';

const settings = RollSettings.parse({});
const start = new Date('2026-11-28T03:10:00Z');
const later = (seconds: number) => new Date(start.getTime() + seconds * 1000);
const closing = (index: number, outcome: Outcome = 'cured', called = false) => ({
  incident: `inc-${index}`,
  instanceId: `i-${String(index).padStart(17, '0')}`,
  outcome,
  called,
});
const opened = (count: number, now = start): Roll =>
  Array.from({ length: count }).reduce<Roll>(
    (roll, _, index) => withOpen(roll, `inc-${index}`, settings, now),
    emptyRoll,
  );
/** Closes these one after the other, and how people were told of each. */
function close(
  roll: Roll,
  closings: ReturnType<typeof closing>[],
  now = start,
): { roll: Roll; told: Told[] } {
  const told: Told[] = [];
  let present = roll;
  for (const one of closings) {
    const next = withClosing(present, one, settings, now);
    present = next.roll;
    told.push(next.told);
  }
  return { roll: present, told };
}
const many = (count: number, outcome?: Outcome) =>
  Array.from({ length: count }, (_, index) => closing(index, outcome));
const told = (list: readonly Told[], what: Told) =>
  list.flatMap((one, index) => (one === what ? index + 1 : []));

describe('of many incidents of one cause', () => {
  it('the first three closings are told of one by one, then each doubling, and when none is open any more', () => {
    const { roll, told: all } = close(opened(50), many(50));
    expect(told(all, 'singly')).toEqual([1, 2, 3]);
    expect(told(all, 'summary')).toEqual([4, 8, 16, 32, 50]);
    expect(roll).toMatchObject({ closings: 50, outcomes: { cured: 50 }, open: [], untold: 0 });
    expect(Roll.parse(roll)).toEqual(roll);
  });

  it('one alone is told of as it always was', () => {
    const { told: all } = close(opened(1), many(1));
    expect(all).toEqual(['singly']);
    // And one that never was opened in it, for it broke before its diagnosis.
    expect(close(emptyRoll, many(1)).told).toEqual(['singly']);
  });

  it('a closing that is repeated counts once, and is told in the same way', () => {
    const list = many(10);
    const { roll, told: all } = close(opened(20), list);
    for (const [index, one] of list.entries()) {
      const again = withClosing(roll, one, settings, later(60));
      expect(again.roll).toBe(roll);
      // Of two summaries only the last is told again: it says what the one before has said.
      if (index !== 3) expect(again.told, `closing ${index + 1}`).toBe(all[index]);
    }
  });

  it('a new burst after the end is told of when it is a quarter more, at once with a node that needs a person, or after five minutes', () => {
    const first = close(opened(20), many(20)).roll;
    const burst = (roll: Roll, index: number, now: Date, outcome?: Outcome) =>
      withClosing(withOpen(roll, `inc-${index}`, settings, now), closing(index, outcome), settings, now);
    expect(burst(first, 20, later(60)).told).toBe('later');
    expect(burst(first, 20, later(60), 'unresolved').told).toBe('summary');
    expect(burst(first, 20, later(299)).told).toBe('later');
    expect(burst(first, 20, later(300)).told).toBe('summary');
    const five = Array.from({ length: 5 }).reduce<{ roll: Roll; told: Told }>(
      ({ roll }, _, index) => burst(roll, 20 + index, later(60)),
      { roll: first, told: 'later' },
    );
    expect(five).toMatchObject({ told: 'summary', roll: { closings: 25, untold: 0 } });
  });

  it('a node that needs a person is never lost between two bursts', () => {
    const first = close(opened(20), many(20)).roll;
    const both = withOpen(withOpen(first, 'inc-20', settings, start), 'inc-21', settings, start);
    const failed = withClosing(both, closing(20, 'failed'), settings, start);
    expect(failed.told).toBe('later');
    expect(withClosing(failed.roll, closing(21), settings, start).told).toBe('summary');
  });

  it('a summary that could not be sent is told with the next closing after which none is open', () => {
    const { roll } = close(opened(8), many(8));
    expect(roll.summary?.closings).toBe(8);
    const failed = withUntold(roll, 'inc-7');
    expect(failed).toMatchObject({ untold: 1, summary: null });
    expect(withUntold(roll, 'inc-3')).toBe(roll);
    expect(withClosing(failed, closing(8), settings, start).told).toBe('summary');
  });

  it('the roll is over when nothing has moved for long, and the next incident is told of by itself', () => {
    const { roll } = close(opened(20), many(10));
    const quiet = settings.quietMinutes * 60;
    expect(withClosing(roll, closing(10), settings, later(quiet)).told).toBe('later');
    const anew = withClosing(roll, closing(10), settings, later(quiet + 1));
    expect(anew).toMatchObject({
      told: 'singly',
      roll: { closings: 1, since: later(quiet + 1).toISOString() },
    });
  });

  it('one that is diagnosed anew leaves the roll of its first cause without a closing', () => {
    const roll = opened(2);
    const left = withoutOpen(roll, 'inc-1', start);
    expect(left).toMatchObject({ roll: { open: [roll.open[0]], closings: 0 }, told: false });
    expect(withoutOpen(left.roll, 'inc-0', start)).toMatchObject({ roll: { open: [] }, told: false });
    expect(withoutOpen(roll, 'inc-7', start).roll).toBe(roll);
    // A second diagnosis counts it once.
    expect(withOpen(roll, 'inc-1', settings, start)).toBe(roll);
  });

  it('and where it was the last open one, it tells of nodes that need a person, and again where it leaves again', () => {
    const { roll, told: all } = close(opened(6), many(5, 'failed'));
    expect(all.at(-1)).toBe('later');
    const left = withoutOpen(roll, 'inc-5', start);
    expect(left).toMatchObject({ told: true, roll: { open: [], untold: 0, summary: { closings: 5 } } });
    expect(withoutOpen(left.roll, 'inc-5', later(1))).toEqual({ roll: left.roll, told: true });
    expect(withUntold(left.roll, 'inc-5')).toMatchObject({ untold: 1, untoldNeedy: true });
    // One that leaves others open leaves it to them.
    expect(withoutOpen(withOpen(roll, 'inc-6', settings, start), 'inc-5', start).told).toBe(false);
  });

  it('a node that needs a person does not wait for one that is open for hours', () => {
    const { roll, told: all } = close(opened(20), many(5, 'failed'));
    expect(all.at(-1)).toBe('later');
    expect(withClosing(roll, closing(5), settings, later(299)).told).toBe('later');
    expect(withClosing(roll, closing(5), settings, later(300)).told).toBe('summary');
    expect(withClosing(close(opened(20), many(5)).roll, closing(5), settings, later(300)).told).toBe('later');
  });

  it('and is told of with the next closing when the roll would have been over', () => {
    const { roll } = close(opened(20), many(5, 'failed'));
    const now = later(settings.quietMinutes * 60 + 1);
    const next = withClosing(roll, closing(5), settings, now);
    expect(next).toMatchObject({ told: 'summary', roll: { closings: 6, needed: 5, untoldNeedy: false } });
    const over = new Date(now.getTime() + (settings.quietMinutes * 60 + 1) * 1000);
    expect(withClosing(next.roll, closing(6), settings, over).told).toBe('singly');
  });

  it('one that ended well, and whose end then broke, needs a person after all', () => {
    const { roll, told: all } = close(opened(10), many(6));
    expect(all.at(-1)).toBe('later');
    const broken = withClosing(roll, closing(5, 'failed'), settings, start);
    const needy = [{ instanceId: closing(5).instanceId, outcome: 'failed' }];
    expect(broken).toMatchObject({
      told: 'later',
      roll: { closings: 6, needed: 1, needy, untoldNeedy: true },
    });
    expect(withClosing(broken.roll, closing(5, 'failed'), settings, start).roll).toBe(broken.roll);
    // One that was told of by itself is so again.
    expect(withClosing(roll, closing(0, 'failed'), settings, start)).toEqual({ roll, told: 'singly' });
  });

  it('three may send messages of each kind by themselves, again and again', () => {
    let roll = emptyRoll;
    const may = (index: number, kind: 'call' | 'progress' = 'call'): boolean => {
      const asked = withSingly(roll, kind, `inc-${index}`, settings, start);
      roll = asked.roll;
      return asked.told;
    };
    expect([0, 1, 2, 3, 4].map((index) => may(index))).toEqual([true, true, true, false, false]);
    expect(may(1)).toBe(true);
    expect(may(4, 'progress')).toBe(true);
  });

  it('and in whatever order they come and go, there are no more messages than the bound, and whoever needs a person is in one', () => {
    const outcomes = fc.constantFrom<Outcome>('cured', 'cured', 'cured', 'unresolved', 'failed', 'expired');
    const steps = fc.array(fc.record({ opens: fc.boolean(), outcome: outcomes }), { maxLength: 400 });
    fc.assert(
      fc.property(steps, (list) => {
        let roll = emptyRoll;
        let next = 0;
        const open: number[] = [];
        const untold: string[] = [];
        let messages = 0;
        let closings = 0;
        let endsWithNeed = 0;
        const closeOne = (index: number, outcome: Outcome): void => {
          const before = roll;
          const one = closing(index, outcome);
          const closed = withClosing(roll, one, settings, start);
          roll = closed.roll;
          closings += 1;
          if (closed.told !== 'singly' && outcome !== 'cured' && outcome !== 'expired')
            untold.push(one.instanceId);
          if (closed.told === 'later') return;
          messages += 1;
          if (closed.told !== 'summary') return;
          if (roll.open.length === 0 && (before.untoldNeedy || untold.length > 0)) endsWithNeed += 1;
          untold.length = 0;
        };
        for (const { opens, outcome } of list) {
          if (opens || open.length === 0) {
            roll = withOpen(roll, `inc-${next}`, settings, start);
            open.push(next);
            next += 1;
          } else closeOne(open.shift() ?? 0, outcome);
        }
        for (const index of open) closeOne(index, 'cured');
        expect(messages).toBeLessThanOrEqual(mostMessages(closings, settings) + endsWithNeed);
        expect(untold).toEqual([]);
      }),
    );
  });

  it('which is few', () => {
    expect([3, 4, 64, 200, 1000].map((count) => mostMessages(count, settings))).toEqual([3, 5, 21, 27, 36]);
  });

  it('the item stays far below the 400 KB that DynamoDB takes, and valid, however many there are', () => {
    const start0 = opened(3000);
    const { roll } = close(start0, many(3000, 'failed'));
    const more = close(roll, [closing(3000), closing(3001)]).roll;
    expect(Roll.parse(more)).toEqual(more);
    expect(more).toMatchObject({ closings: 3002, needed: 3000 });
    expect(JSON.stringify(more).length).toBeLessThan(100_000);
  });
});

describe('a summary', () => {
  const about = { cluster: 'my-cluster', cause: 'session-churn', incident: 'inc-9' };

  it('says how many came to what since when, how many are open, and names the nodes that need a person, the newest first', () => {
    const ends = [...many(6), closing(6, 'unresolved'), closing(7, 'observed', true)];
    const { roll } = close(opened(10), ends);
    const { kind, title, text, instanceId } = summaryMessage(roll, about);
    expect(kind).toBe('call-a-person');
    expect(instanceId).toBeUndefined();
    expect(title).toBe('my-cluster: 8 incidents of session-churn closed, 2 need a person, 2 open');
    expect(text).toContain(
      '8 incidents of session-churn in my-cluster since 2026-11-28T03:10:00.000Z: 6 cured, 1 unresolved, 1 observed; still open: 2.',
    );
    expect(text).toContain(
      'Nodes that need a person: i-00000000000000007 (observed), i-00000000000000006 (unresolved).',
    );
    expect(text).toContain('cgroup-medic/Which nodes need a person');
  });

  it('names twenty nodes, and says how many more there are', () => {
    const { roll } = close(opened(128), many(128, 'failed'));
    const { text } = summaryMessage(roll, about);
    expect(text).toContain('i-00000000000000127 (failed)');
    expect(text).toContain(' and 108 more.');
    expect(text.match(/i-0\d+ \(failed\)/g)).toHaveLength(20);
  });

  it('is no call for a person where nobody is needed', () => {
    const { roll } = close(opened(4), many(4));
    expect(summaryMessage(roll, about)).toMatchObject({
      kind: 'incident-closed',
      text: expect.stringContaining('No node needs a person.'),
    });
  });
});
