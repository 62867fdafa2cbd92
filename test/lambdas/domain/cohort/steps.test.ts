import { describe, expect, it } from 'vitest';
import { Cohort, mostMembers, noCohort } from '../../../../lambdas/domain/cohort/cohort.ts';
import { askedBy, begins, decided } from '../../../../lambdas/domain/cohort/steps.ts';
import { atMoment } from '../../../../lambdas/domain/cohort/waves.ts';
import { at, begin, come, decide, end, named, settings, treat } from './samples.ts';

const later = (minutes: number) => at(minutes).now;
const ask = (cohort: Cohort, who = 'a', approval = 'a-r0', minute = 1): Cohort => {
  const asked = askedBy(cohort, who, approval, later(minute + 40), settings);
  if (asked === undefined) throw new Error(`${who} does not lead`);
  return asked;
};
const gathered = (...names: string[]): Cohort =>
  names.reduce((cohort, name) => come(cohort, name, at(0)), noCohort);
const approved = (...names: string[]): Cohort => decide(ask(gathered(...names)), 'approved', at(5));

describe('incidents of the same cause and act', () => {
  it('gather behind the first, who asks for all', () => {
    const all = gathered('a', 'b', 'c');
    expect(all).toMatchObject({ phase: 'gathers', leader: 'a', many: true, asked: null });
    expect(named(all, 'waits')).toEqual(['a', 'b', 'c']);
    expect(askedBy(all, 'b', 'b-r0', later(40), settings)).toBeUndefined();
    const asks = ask(all);
    expect(asks).toMatchObject({ phase: 'asks', asked: { approvalId: 'a-r0', all: true } });
    // A retried function asks the same once; another approval is another question.
    expect(ask(asks)).toBe(asks);
    expect(askedBy(asks, 'a', 'a-r0-v1', later(40), settings)).toBeUndefined();
  });

  it('are not written again at each question, and kept in mind for as long as they come back', () => {
    const all = gathered('a', 'b');
    expect(come(all, 'b', at(14))).toBe(all);
    const renewed = come(all, 'b', at(16));
    expect(renewed.members[1]).toMatchObject({ incident: 'b', until: at(46).now.toISOString() });
    expect(named(atMoment(renewed, at(31)), 'waits')).toEqual(['b']);
  });

  it('are led by the next where the leader ends, dies or is lost before it has asked', () => {
    for (const all of [
      end(gathered('a', 'b', 'c'), 'a', 'left', at(1)),
      end(gathered('a', 'b', 'c'), 'a', 'died', at(1)),
      atMoment(come(come(gathered('a', 'b', 'c'), 'b', at(16)), 'c', at(16)), at(31)),
    ]) {
      expect(all).toMatchObject({ phase: 'gathers', leader: 'b', asked: null });
      expect(named(all, 'waits')).toEqual(['b', 'c']);
      expect(ask(all, 'b', 'b-r0').asked).toMatchObject({ approvalId: 'b-r0', all: true });
    }
  });

  it('are led by the next where the leader dies while people are asked, and its question is void', () => {
    const asks = ask(gathered('a', 'b'));
    const next = end(decide(asks, 'void', at(2)), 'a', 'died', at(2));
    expect(next).toMatchObject({ phase: 'gathers', leader: 'b', asked: null, many: false });
    expect(decide(asks, 'void', at(2)).members).toHaveLength(1);
  });

  it('are no more than fit into one item', () => {
    const names = Array.from({ length: mostMembers }, (_, index) => `${index}`.padStart(80, 'x'));
    const worst = names.reduce(
      (cohort, name, index) =>
        come(cohort, name, at(0), {
          instanceId: 'i-0123456789abcdef0',
          zone: `zone ${index}`.padEnd(120, 'z'),
          group: `group ${index}`.padEnd(300, 'g'),
          image: `ami-${index}`,
          facts: Array.from({ length: 9 }, (__, fact) => `${fact} of ${index}`.padEnd(500, 'f')),
        }),
      noCohort,
    );
    expect(Buffer.byteLength(JSON.stringify(worst))).toBeLessThan(380 * 1024);
    expect(Cohort.parse(worst).members).toHaveLength(mostMembers);
    expect(come(worst, 'late', at(0))).toBe(worst);
  });
});

describe('a decision', () => {
  it('lets one node go first, and twice as many after each wave that was helped', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    let cohort = approved(...names);
    const waves: string[][] = [];
    for (let minute = 6; cohort.members.length > 0; minute += 1) {
      const wave = named(cohort, 'turn');
      waves.push(wave);
      for (const name of wave) cohort = treat(cohort, name, 'helped', at(minute));
    }
    expect(waves).toEqual([['a'], ['b', 'c'], ['d', 'e', 'f', 'g'], ['h']]);
    expect(cohort.tally).toEqual({ helped: 8, failed: 0, left: 0 });
    expect(cohort.news.map(({ kind }) => kind)).toEqual(['wave', 'wave', 'wave', 'through']);
    expect(cohort.news[0]?.text).toBe('wave 1 of restart-kubelet: 1 of 1 helped; next 2 of the 7 that wait');
  });

  it('is about all that join until the window is over, and about nobody after it', () => {
    const cohort = approved('a', 'b');
    expect(named(come(cohort, 'late', at(14)), 'waits')).toEqual(['b', 'late']);
    expect(come(cohort, 'too late', at(15))).toBe(cohort);
    // Once those before it are through, it opens a cohort of its own.
    const through = treat(treat(cohort, 'a', 'helped', at(16)), 'b', 'helped', at(17));
    expect(come(through, 'too late', at(18))).toMatchObject({ phase: 'gathers', leader: 'too late' });
  });

  it('on a card that spoke of one node is about that one: those that came meanwhile ask anew', () => {
    for (const status of ['approved', 'denied', 'expired'] as const) {
      const alone = come(ask(gathered('a')), 'b', at(2));
      expect(alone.asked).toMatchObject({ all: false });
      expect(decide(alone, status, at(5))).toMatchObject({ phase: 'gathers', leader: 'b', decision: null });
      expect(decide(ask(gathered('a')), status, at(5))).toEqual(noCohort);
    }
  });

  it('that is a denial is one for all, and for those that come soon after', () => {
    const denied = decide(ask(gathered('a', 'b')), 'denied', at(5));
    expect(denied).toMatchObject({ phase: 'denied', decision: { by: 'ana', reason: 'said so' } });
    expect(denied.members.map(({ incident }) => incident)).toEqual(['b']);
    expect(come(denied, 'late', at(14))).toBe(denied);
    expect(begins(denied, 'b', later(60))).toBeUndefined();
    const gone = end(denied, 'b', 'left', at(6));
    expect(come(gone, 'late', at(14))).toBe(gone);
    expect(come(gone, 'later', at(15))).toMatchObject({ phase: 'gathers', leader: 'later' });
  });

  it.each(['denied', 'expired'] as const)(
    'that is %s is learnt by all that it was about, also where they are back late, and asks nobody anew before',
    (status) => {
      const ended = decide(ask(gathered('a', 'b', 'c')), status, at(5));
      const left = end(come(ended, 'b', at(16)), 'c', 'left', at(16));
      expect(come(left, 'b', at(17))).toMatchObject({ phase: status, members: [{ incident: 'b' }] });
      // Nor by somebody who comes meanwhile.
      expect(come(left, 'new', at(17))).toMatchObject({ phase: status, members: [{ incident: 'b' }] });
    },
  );

  it('is about the node groups and images that its card has shown, also for those that join after it', () => {
    const asks = ask(gathered('a', 'b'));
    for (const cohort of [asks, decide(asks, 'approved', at(5))]) {
      expect(come(cohort, 'c', at(6), { group: 'db' })).toBe(cohort);
      expect(come(cohort, 'c', at(6), { image: 'ami-2' })).toBe(cohort);
      expect(come(cohort, 'c', at(6), { image: null })).toBe(cohort);
      expect(named(come(cohort, 'c', at(6)), 'waits')).toContain('c');
    }
    // Once those before it are through, it is asked about, though others may join them still.
    const first = treat(decide(asks, 'approved', at(5)), 'a', 'helped', at(6));
    expect(come(first, 'c', at(7), { group: 'db' })).toBe(first);
    const through = treat(first, 'b', 'helped', at(7));
    expect(come(through, 'c', at(8), { group: 'db' })).toMatchObject({ phase: 'gathers', leader: 'c' });
    expect(come(through, 'c', at(8))).toMatchObject({ phase: 'goes', leader: 'a' });
    expect(come(through, 'a again', at(8), { instanceId: 'i-a' })).toMatchObject({ phase: 'gathers' });
    const over = atMoment(through, at(15));
    expect(come(over, 'c', at(15))).toMatchObject({ phase: 'gathers', leader: 'c' });
    // Nothing is known of either: a card that has shown that covers others of which nothing is known, and only those.
    const unknown = ask(come(come(noCohort, 'a', at(0), { image: null }), 'b', at(0), { image: null }));
    expect(named(come(unknown, 'c', at(2), { image: null }), 'waits')).toContain('c');
    expect(come(unknown, 'c', at(2))).toBe(unknown);
  });

  it('on a card that speaks of one node keeps nobody from being asked about next, whatever their group', () => {
    const asks = come(ask(gathered('a')), 'b', at(2), { group: 'db' });
    expect(decide(asks, 'approved', at(5))).toMatchObject({ phase: 'gathers', leader: 'b' });
  });

  it('on a card of before there were promises is about nobody who comes later', () => {
    const { promised: _, ...asked } = ask(gathered('a', 'b')).asked ?? { approvalId: '', all: true };
    const old = Cohort.parse({ ...ask(gathered('a', 'b')), asked, begun: undefined });
    expect(come(old, 'c', at(2))).toBe(old);
    expect(named(decide(old, 'approved', at(5)), 'turn')).toEqual(['a']);
  });

  it('is about each node once: neither its next incident nor another on the same node is treated by it', () => {
    const once = treat(approved('a', 'b', 'c'), 'a', 'helped', at(6));
    expect(come(once, 'a again', at(7), { instanceId: 'i-a' })).toBe(once);
    const twice = come(approved('a', 'b'), 'a again', at(5), { instanceId: 'i-a' });
    const turned = end(treat(twice, 'a', 'helped', at(6)), 'b', 'left', at(7));
    expect(named(turned, 'turn')).toEqual(['a again']);
    expect(begins(turned, 'a again', later(60))).toBeUndefined();
    // A retried function of the same incident begins once.
    const begun = begin(approved('a', 'b'), 'a', at(6));
    expect(begin(begun, 'a', at(6))).toEqual(begun);
  });

  it('has no more than its card has said, whatever is deployed after it, and less where that says so', () => {
    const lax = { canary: 9, growth: 10, stopAtFailures: 50, windowMinutes: 100 };
    let cohort = decide(ask(gathered('a', 'b', 'c', 'd', 'e')), 'approved', at(5, lax));
    expect(cohort).toMatchObject({ wave: { size: 1 }, opensUntil: at(15).now.toISOString() });
    cohort = end(begin(cohort, 'a', at(6)), 'a', 'helped', at(6, lax));
    expect(named(cohort, 'turn')).toEqual(['b', 'c']);
    const careful = end(begin(cohort, 'b', at(7)), 'b', 'failed', at(7, lax));
    expect(careful.phase).toBe('stopped');
    const strict = decide(ask(gathered('a', 'b')), 'approved', at(5, { windowMinutes: 1 }));
    expect(strict.opensUntil).toBe(at(6).now.toISOString());
  });

  it('that nobody made ends all, and the next ask anew once they have gone', () => {
    const expired = decide(ask(gathered('a', 'b')), 'expired', at(5));
    expect(come(expired, 'late', at(6))).toBe(expired);
    const gone = end(expired, 'b', 'left', at(6));
    expect(come(gone, 'late', at(6))).toMatchObject({ phase: 'gathers', leader: 'late' });
  });

  it('on another question changes nothing', () => {
    const asks = ask(gathered('a', 'b'));
    const other = { approvalId: 'another', status: 'approved', by: 'ana' } as const;
    expect(decided(asks, other, at(2))).toBe(asks);
    expect(decide(decide(asks, 'approved', at(2)), 'denied', at(3)).phase).toBe('goes');
  });

  it('counts though whoever asked has not been back in time: it is looked up before they are dropped', () => {
    const late = atMoment(come(ask(gathered('a', 'b')), 'b', at(25)), at(50));
    expect(named(late, 'waits')).toEqual(['a', 'b']);
    expect(decide(late, 'approved', at(50))).toMatchObject({ phase: 'goes', decision: { by: 'ana' } });
  });
});

describe('a wave', () => {
  it('does not grow by nodes that were not treated: the next in line take their places', () => {
    let cohort = approved('a', 'b', 'c', 'd');
    cohort = end(cohort, 'a', 'left', at(6));
    expect(named(cohort, 'turn')).toEqual(['b']);
    expect(cohort.wave).toMatchObject({ number: 1, size: 1 });
    // One that never comes back for its turn, the others having come back meanwhile.
    for (const name of ['c', 'd']) cohort = come(cohort, name, at(20));
    cohort = atMoment(cohort, at(37));
    expect(named(cohort, 'turn')).toEqual(['c']);
    expect(cohort.tally).toEqual({ helped: 0, failed: 0, left: 2 });
  });

  it('gives nobody a turn while one of those before is not through', () => {
    let cohort = treat(approved('a', 'b', 'c', 'd'), 'a', 'helped', at(6));
    cohort = treat(cohort, 'b', 'helped', at(7));
    expect(named(cohort, 'turn')).toEqual(['c']);
    expect(begins(cohort, 'd', later(60))).toBeUndefined();
  });

  it('stops all at the first that does not help; what is under way comes to its end, and nothing begins', () => {
    let cohort = treat(approved('a', 'b', 'c', 'd', 'e'), 'a', 'helped', at(6));
    cohort = begin(cohort, 'b', at(7));
    cohort = treat(cohort, 'c', 'failed', at(8));
    expect(cohort).toMatchObject({ phase: 'stopped', tally: { helped: 1, failed: 1 } });
    expect(cohort.news.at(-1)).toMatchObject({
      kind: 'stopped',
      text: expect.stringMatching(
        /1 helped and 1 did not: i-c \(c\): it failed; 1 under way .*; 2 not treated$/,
      ),
    });
    for (const name of ['d', 'e']) expect(begins(cohort, name, later(60))).toBeUndefined();
    expect(end(cohort, 'b', 'helped', at(9)).phase).toBe('stopped');
    // However long that takes, nobody opens another meanwhile.
    expect(come(cohort, 'new', at(100))).toMatchObject({ phase: 'stopped', leader: 'a' });
    // Who comes soon after is kept away; later, once all of it have gone, somebody may ask anew.
    cohort = end(end(end(cohort, 'b', 'helped', at(9)), 'd', 'left', at(9)), 'e', 'left', at(9));
    expect(come(cohort, 'new', at(17))).toBe(cohort);
    expect(come(cohort, 'new', at(18))).toMatchObject({ phase: 'gathers', leader: 'new' });
  });

  it('begins nothing more after a stop, also where it was somebody’s turn already', () => {
    let cohort = treat(approved('a', 'b', 'c'), 'a', 'helped', at(6));
    expect(named(cohort, 'turn')).toEqual(['b', 'c']);
    cohort = treat(cohort, 'c', 'failed', at(7));
    expect(begins(cohort, 'b', later(60))).toBeUndefined();
  });

  it('counts as helped only what was treated', () => {
    const cohort = end(approved('a', 'b'), 'a', 'helped', at(6));
    expect(cohort).toMatchObject({ wave: { number: 1, helped: 0 }, tally: { helped: 0, left: 1 } });
  });

  it('counts one that died, or was lost, after its treatment began as failed, and before as gone', () => {
    const two = approved('a', 'b');
    expect(end(begin(two, 'a', at(6)), 'a', 'died', at(7))).toMatchObject({ phase: 'stopped' });
    expect(end(two, 'a', 'died', at(7))).toMatchObject({ phase: 'goes', tally: { left: 1, failed: 0 } });
    const begun = come(begin(two, 'a', at(6)), 'b', at(240));
    expect(atMoment(begun, at(247))).toMatchObject({ phase: 'stopped' });
  });

  it('goes on as large as before after a failure, where more than one may be', () => {
    const two = { stopAtFailures: 2 };
    const { stopAtFailures } = two;
    const asks = askedBy(gathered('a', 'b', 'c'), 'a', 'a-r0', later(40), { ...settings, stopAtFailures });
    let cohort = decide(asks ?? noCohort, 'approved', at(5, two));
    cohort = end(begin(cohort, 'a', at(6, two)), 'a', 'failed', at(6, two));
    expect(cohort).toMatchObject({ phase: 'goes', wave: { number: 2, size: 1 } });
  });
});

describe('what policy does without asking', () => {
  const own = { automatic: true };
  it('goes in waves as well, the first at once', () => {
    let cohort = come(noCohort, 'a', at(0), own);
    expect(named(cohort, 'turn')).toEqual(['a']);
    cohort = come(come(cohort, 'b', at(0), own), 'c', at(0), own);
    expect(named(cohort, 'waits')).toEqual(['b', 'c']);
    cohort = treat(cohort, 'a', 'helped', at(3));
    expect(named(cohort, 'turn')).toEqual(['b', 'c']);
    expect(named(end(begin(cohort, 'b', at(4)), 'b', 'failed', at(4)), 'turn')).toEqual(['c']);
    expect(end(begin(cohort, 'b', at(4)), 'b', 'failed', at(4)).phase).toBe('stopped');
  });

  it('leaves nothing behind after a single node, helped or not', () => {
    for (const came of ['helped', 'failed'] as const) {
      expect(treat(come(noCohort, 'a', at(0), own), 'a', came, at(3))).toEqual(noCohort);
    }
  });
});
