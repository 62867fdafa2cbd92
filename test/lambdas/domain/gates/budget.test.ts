import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BudgetState,
  type Counted,
  holdersAt,
  inLineFor,
  mostWaiting,
  nobodyDisrupted,
  roomFor,
  withoutIncident,
  withPlace,
  withPlaceUntil,
} from '../../../../lambdas/domain/gates/budget.ts';
import { type AskedBudget, budgetGate, budgetLine } from '../../../../lambdas/domain/gates/budget-gate.ts';
import { Gates } from '../../../../lambdas/domain/settings/gates.ts';
import { treatments } from '../../../../lambdas/domain/treatments/index.ts';

const settings = Gates.parse({}).budget;
const at = (minutes: number) => new Date(Date.parse('2026-11-21T06:00:00Z') + minutes * 60_000);
const spot = (incident: string, nodeGroup = 'web', zone = 'a', nodes = { cluster: 40, nodeGroup: 20 }) => ({
  incident,
  instanceId: `i-${incident}`,
  nodeGroup,
  zone,
  nodes,
  treatment: 'restart-kubelet',
});
/** A place from this minute on, for ten; `undefined` where there is none. */
const take = (state: BudgetState, me: Counted & { treatment: string }, minute = 0) =>
  withPlace(state, me, settings, at(minute), at(minute + 10));
const held = (...places: ReturnType<typeof spot>[]): BudgetState =>
  places.reduce((state, place) => take(state, place) ?? state, nobodyDisrupted);
const waits = (state: BudgetState, me: ReturnType<typeof spot>, minute = 0, until = minute + 10) =>
  inLineFor(state, me, at(minute), at(until)) ?? state;
const names = (state: BudgetState | undefined) => state?.holders.map(({ incident }) => incident);

describe('the budget of a cluster', () => {
  it('has one place per zone, two of twenty nodes of a group, and four of forty of the cluster', () => {
    const two = held(spot('a'), spot('b', 'web', 'b'));
    expect(names(two)).toEqual(['a', 'b']);
    expect(take(two, spot('c', 'web', 'c'))).toBeUndefined();
    expect(take(two, spot('c', 'db', 'b'))).toBeUndefined();
    const four = held(spot('a'), spot('b', 'web', 'b'), spot('c', 'db', 'c'), spot('d', 'db', 'd'));
    expect(names(four)).toHaveLength(4);
    expect(take(four, spot('e', 'jobs', 'e'))).toBeUndefined();
  });

  it.each([
    [0, 1],
    [1, 1],
    [9, 1],
    [19, 1],
    [20, 2],
    [99, 9],
  ])('lets of %i nodes of a group %i be disrupted', (nodeGroup, most) => {
    const room = roomFor(spot('a', 'g', 'a', { cluster: 1000, nodeGroup }), nobodyDisrupted, settings, at(0));
    expect(room.nodeGroup.most).toBe(most);
  });

  it('gives a place once, renews it for its holder, and takes it away at its end', () => {
    const once = held(spot('a'));
    const renewed = take(once, spot('a'), 5);
    expect(renewed?.holders).toMatchObject([{ incident: 'a', since: at(0).toISOString() }]);
    expect(take(renewed ?? once, spot('b'), 14)).toBeUndefined();
    expect(names(take(renewed ?? once, spot('b'), 15))).toEqual(['b']);
    expect(names(take(withoutIncident(once, 'a'), spot('b')))).toEqual(['b']);
    expect(withoutIncident(once, 'b')).toBe(once);
  });

  it('holds a place longer for its holder, and for nobody else', () => {
    const once = held(spot('a'));
    expect(withPlaceUntil(once, 'a', at(9), at(30))?.holders[0]?.until).toBe(at(30).toISOString());
    expect(withPlaceUntil(once, 'a', at(10), at(30))).toBeUndefined();
    expect(withPlaceUntil(once, 'b', at(9), at(30))).toBeUndefined();
  });

  it('holds no place for less than before, whatever its holder does meanwhile', () => {
    const long = withPlaceUntil(held(spot('a')), 'a', at(1), at(600)) ?? nobodyDisrupted;
    for (const later of [withPlaceUntil(long, 'a', at(2), at(30)), take(long, spot('a'), 2)]) {
      expect(later?.holders[0]?.until).toBe(at(600).toISOString());
    }
  });

  it('counts a node once that an earlier incident left behind', () => {
    const left = held({ ...spot('dead'), instanceId: 'i-a' });
    expect(names(take(left, spot('a')))).toEqual(['a']);
  });

  it('counts what nobody knows the group or zone of as one group and one zone', () => {
    const some = held(spot('a', 'unknown', 'unknown', { cluster: 40, nodeGroup: 0 }));
    expect(take(some, spot('b', 'unknown', 'unknown', { cluster: 40, nodeGroup: 0 }))).toBeUndefined();
    expect(take(some, spot('b', 'unknown', 'b', { cluster: 40, nodeGroup: 0 }))).toBeUndefined();
  });

  it('lets who came first go first, and whoever needs nothing of theirs go on', () => {
    const line = waits(waits(held(spot('a')), spot('b'), 1), spot('c'), 2);
    const free = withoutIncident(line, 'a');
    expect(take(free, spot('c'), 3)).toBeUndefined();
    expect(take(free, spot('d'), 3)).toBeUndefined();
    expect(take(free, spot('b'), 3)).toMatchObject({
      holders: [{ incident: 'b' }],
      waiting: [{ incident: 'c' }],
    });
    // Also when the first has renewed its turn after the second.
    const renewed = waits(free, spot('b'), 8);
    expect(renewed.waiting.map(({ incident }) => incident)).toEqual(['c', 'b']);
    expect(names(take(renewed, spot('b'), 9))).toEqual(['b']);
    expect(take(renewed, spot('c'), 9)).toBeUndefined();
    expect(names(take(line, spot('e', 'db', 'e'), 3))).toEqual(['a', 'e']);
    // Of a line whose first never comes back, the next may go once its time is over.
    expect(names(take(free, spot('c'), 11))).toEqual(['c']);
  });

  it('lets nobody who waits for zone and group be overtaken in the zone while the group is full', () => {
    const full = held(spot('a', 'web', 'a'), spot('b', 'web', 'b'));
    const line = waits(full, spot('c', 'web', 'c'), 1);
    expect(take(line, spot('d', 'db', 'c'), 2)).toBeUndefined();
    expect(names(take(line, spot('d', 'db', 'd'), 2))).toEqual(['a', 'b', 'd']);
    // Nor does a line for one group take all four places of the cluster from the others.
    const longer = waits(line, spot('e', 'web', 'e'), 1);
    expect(names(take(longer, spot('d', 'db', 'd'), 2))).toEqual(['a', 'b', 'd']);
  });

  it('keeps the turn of whoever comes back, and writes it only when half of its time is over', () => {
    const line = waits(held(spot('a')), spot('b'), 1);
    expect(waits(line, spot('b'), 3)).toBe(line);
    const later = waits(line, spot('b'), 8);
    expect(later.waiting).toMatchObject([{ since: at(1).toISOString(), until: at(18).toISOString() }]);
  });

  it('has an end to its line', () => {
    const full = Array.from({ length: mostWaiting }, (_, index) => spot(`w${index}`)).reduce(
      (state, one) => waits(state, one),
      held(spot('a')),
    );
    expect(inLineFor(full, spot('late'), at(0), at(10))).toBeUndefined();
    expect(BudgetState.parse(JSON.parse(JSON.stringify(full)))).toEqual(full);
  });

  it('is never overdrawn and never stuck, whoever takes, waits, leaves, dies and comes back', () => {
    const groups = ['web', 'db', 'unknown'];
    const zones = ['a', 'b', 'unknown'];
    const step = fc.record({
      who: fc.integer({ min: 0, max: 14 }),
      leaves: fc.boolean(),
      minutes: fc.integer({ min: 0, max: 4 }),
    });
    const where = fc.record({ group: fc.constantFrom(...groups), zone: fc.constantFrom(...zones) });
    const property = fc.property(
      fc.array(where, { minLength: 15, maxLength: 15 }),
      fc.array(step, { maxLength: 120 }),
      fc.record({
        nodeGroupPercent: fc.integer({ min: 0, max: 30 }),
        clusterPercent: fc.integer({ min: 0, max: 30 }),
        perZone: fc.integer({ min: 1, max: 3 }),
      }),
      (spots, steps, limits) => {
        const asked = { ...settings, ...limits };
        const share = (percent: number, nodes: number) => Math.max(1, Math.floor((percent * nodes) / 100));
        let state = nobodyDisrupted;
        let minute = 0;
        const one = (who: number) => {
          const { group = '', zone = '' } = spots[who] ?? {};
          return spot(`n${who}`, group, zone, { cluster: 30, nodeGroup: 10 });
        };
        const within = () => {
          const holders = holdersAt(state, at(minute));
          const most = (by: 'nodeGroup' | 'zone') =>
            Math.max(0, ...holders.map((a) => holders.filter((b) => a[by] === b[by]).length));
          expect(holders.length).toBeLessThanOrEqual(share(limits.clusterPercent, 30));
          expect(most('nodeGroup')).toBeLessThanOrEqual(share(limits.nodeGroupPercent, 10));
          expect(most('zone')).toBeLessThanOrEqual(limits.perZone);
        };
        for (const { who, leaves, minutes } of steps) {
          minute += minutes;
          const me = one(who);
          state = leaves
            ? withoutIncident(state, me.incident)
            : (withPlace(state, me, asked, at(minute), at(minute + 6)) ??
              inLineFor(state, me, at(minute), at(minute + 10)) ??
              state);
          within();
        }
        // However many died with a place or in line: once their time is over, anybody may go.
        minute += 10;
        expect(roomFor(one(0), state, asked, at(minute)).open).toBe(true);
      },
    );
    fc.assert(property, { numRuns: 300 });
  });
});

describe('the gate of the budget', () => {
  const disrupting = { kind: 'document', disrupts: true } as const;
  const ask = (state: BudgetState, me: Counted, more: Partial<AskedBudget> = {}) =>
    budgetGate(state, me, {
      rung: disrupting,
      settings,
      now: at(1),
      came: 'full',
      waitedSeconds: 0,
      ...more,
    });

  it('does not ask for what disrupts nothing, nor for a message', () => {
    const full = held(spot('a'));
    const lets = (rung: AskedBudget['rung']) => ask(full, spot('b'), { rung }).decision;
    expect(lets({ kind: 'document', disrupts: false })).toBe('pass');
    expect(lets({ kind: 'notify', disrupts: true })).toBe('pass');
    expect(lets(disrupting)).toBe('wait');
  });

  it('waits a minute at a time, and names who holds the places and until when', () => {
    const answer = ask(waits(held(spot('a')), spot('x')), spot('b'));
    expect(answer).toMatchObject({ gate: 'budget', decision: 'wait', until: at(2).toISOString() });
    expect(answer.reason).toContain('1 of 1 in zone a');
    expect(answer.reason).toContain(
      `a (restart-kubelet on i-a, until ${at(10).toISOString()} at the latest)`,
    );
    expect(answer.reason).toContain('1 waits and goes first');
  });

  it('waits for no longer than its setting says, over all rungs, and then leaves the treatment out', () => {
    const full = held(spot('a'));
    expect(ask(full, spot('b'), { waitedSeconds: 1790 })).toMatchObject({
      decision: 'wait',
      until: new Date(at(1).getTime() + 10_000).toISOString(),
    });
    const over = ask(full, spot('b'), { waitedSeconds: 1800 });
    expect(over.decision).toBe('skip');
    expect(over.reason).toContain('no place came free within 30 minutes');
    expect(over.reason).toContain('i-a');
    expect(ask(full, spot('b'), { came: 'line-full' }).decision).toBe('skip');
  });

  it('passes what it has a place for, and, without one, what people are asked about first', () => {
    const mine = held(spot('a'));
    expect(ask(mine, spot('a'), { came: 'taken' })).toMatchObject({ decision: 'pass' });
    expect(ask(mine, spot('b'), { came: 'looked' })).toMatchObject({ decision: 'pass' });
  });

  it('has a line for the card', () => {
    expect(budgetLine(nobodyDisrupted, spot('a'), settings, at(0))).toBe(
      '0 of at most 2 nodes of group web are being disrupted, 0 of 1 in zone a, 0 of 4 in the cluster; this one would be the first',
    );
    expect(budgetLine(held(spot('a')), spot('b', 'web', 'b'), settings, at(0))).toBe(
      '1 of at most 2 nodes of group web are being disrupted, 0 of 1 in zone b, 1 of 4 in the cluster; this one would be one more',
    );
    const full = budgetLine(held(spot('a')), spot('b'), settings, at(0));
    expect(full).toContain('1 of 1 in zone a');
    expect(full).toContain('held by a (restart-kubelet on i-a');
    expect(full).toContain('it would wait for a place, for 30 minutes at the most');
    // What has expired holds nothing.
    expect(budgetLine(held(spot('a')), spot('b'), settings, at(10))).toContain('this one would be the first');
  });
});

it('what ends processes, restarts services or slows the whole node disrupts', () => {
  const disrupting = treatments.filter(({ disrupts }) => disrupts).map(({ id }) => id);
  expect(disrupting).toEqual([
    'restart-logind',
    'disable-agent',
    'cordon',
    'evict-pods',
    'restart-kubelet',
    'drop-caches',
    'replace-node',
  ]);
});
