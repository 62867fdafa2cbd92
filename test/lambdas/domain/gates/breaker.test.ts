import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BreakerState,
  closedBreaker,
  type Failure,
  standingOf,
  withCanary,
  withFailure,
  withoutCanary,
  withSuccess,
} from '../../../../lambdas/domain/gates/breaker.ts';
import { breakerGate } from '../../../../lambdas/domain/gates/breaker-gate.ts';
import { Gates } from '../../../../lambdas/domain/settings/gates.ts';

const settings = Gates.parse({}).breaker;
const start = Date.parse('2026-11-21T06:00:00Z');
const at = (minutes: number) => new Date(start + minutes * 60_000);
const failed = (incident: string, minutes: number, harmed = false): Failure => ({
  incident,
  instanceId: 'i-0123456789abcdef0',
  treatment: 'reclaim',
  why: 'it did not help',
  harmed,
  at: at(minutes).toISOString(),
});
const stateAfter = (...failures: Failure[]): BreakerState =>
  failures.reduce((state, failure) => withFailure(state, failure, settings), closedBreaker);
const opened = stateAfter(failed('a', 0), failed('b', 10), failed('c', 20));
const treating = { kind: 'document' } as const;
const ask = (state: BreakerState | undefined, incident: string, minutes: number, problem?: string) =>
  breakerGate(state, {
    incident,
    rung: treating,
    settings,
    now: at(minutes),
    ...(problem === undefined ? {} : { problem }),
  });

describe('a breaker', () => {
  it('opens with the third incident within the window, and not with the second', () => {
    expect(standingOf(stateAfter(failed('a', 0), failed('b', 10)), settings, at(10))).toBe('closed');
    expect(opened.openedAt).toBe(at(20).toISOString());
    expect(standingOf(opened, settings, at(20))).toBe('open');
  });

  it('forgets what is older than the window', () => {
    const slow = stateAfter(failed('a', 0), failed('b', 59), failed('c', 60));

    expect(slow.openedAt).toBeNull();
    expect(slow.failures.map(({ incident }) => incident)).toEqual(['b', 'c']);
  });

  it('counts an incident once, whatever becomes of its further rungs and however often it is told', () => {
    const state = stateAfter(failed('a', 0), failed('a', 1), failed('b', 2), failed('b', 2));

    expect(state.openedAt).toBeNull();
    expect(state.failures).toHaveLength(2);
  });

  it('counts an incident by the last of its failures, and by the worst', () => {
    // Its first one is older than the window by the time of the others.
    const late = stateAfter(failed('a', 0), failed('a', 70), failed('b', 75), failed('c', 80));
    expect(late.openedAt).toBe(at(80).toISOString());
    const harmed = stateAfter(failed('a', 0, true), failed('a', 70));
    expect(harmed.failures).toMatchObject([{ incident: 'a', harmed: true, at: at(70).toISOString() }]);
  });

  it('takes back what an incident that is cured later had counted, unless the node got worse', () => {
    expect(withSuccess(stateAfter(failed('a', 0), failed('b', 1)), 'a').failures).toHaveLength(1);
    expect(withSuccess(stateAfter(failed('a', 0, true), failed('b', 1)), 'a').failures).toHaveLength(2);
    expect(withSuccess(stateAfter(failed('a', 0), failed('a', 1, true)), 'a').failures).toHaveLength(1);
    expect(withSuccess(opened, 'a')).toBe(opened);
  });

  it('gives one place after the cool-down, which its holder keeps, and gives back by ending or by time', () => {
    expect(withCanary(opened, 'd', settings, at(79.9), 600)).toBeUndefined();
    const first = withCanary(opened, 'd', settings, at(80), 600);
    expect(first?.canary).toEqual({ incident: 'd', until: at(90).toISOString() });
    const held = first ?? closedBreaker;
    expect(withCanary(held, 'e', settings, at(89), 600)).toBeUndefined();
    expect(withCanary(held, 'd', settings, at(89), 600)?.canary?.until).toBe(at(99).toISOString());
    expect(withCanary(held, 'e', settings, at(90), 600)?.canary?.incident).toBe('e');
    expect(withoutCanary(held, 'd').canary).toBeNull();
    expect(withoutCanary(held, 'e')).toBe(held);
    expect(withCanary(closedBreaker, 'd', settings, at(80), 600)).toBeUndefined();
  });

  it('closes with a canary that helped, and waits anew after one that did not, also if it had failed before', () => {
    const held = withCanary(opened, 'a', settings, at(80), 600) ?? closedBreaker;

    expect(withSuccess(held, 'a')).toEqual(closedBreaker);
    expect(withSuccess(held, 'z')).toBe(held);
    const again = withFailure(held, failed('a', 85), settings);
    expect(again).toMatchObject({ openedAt: at(85).toISOString(), canary: null });
    expect(standingOf(again, settings, at(140))).toBe('open');
    expect(standingOf(again, settings, at(145))).toBe('half-open');
  });

  it('is open only after enough incidents, holds at most twenty failures, and never two canaries', () => {
    const step = fc.record({
      minutes: fc.integer({ min: 0, max: 100 }),
      incident: fc.constantFrom(...'abcdefgh'),
      what: fc.constantFrom('failure', 'harm', 'success', 'canary', 'end'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let state = closedBreaker;
        let minutes = 0;
        for (const { minutes: more, incident, what } of steps) {
          minutes += more;
          const before = state;
          if (what === 'failure' || what === 'harm') {
            state = withFailure(state, failed(incident, minutes, what === 'harm'), settings);
          } else if (what === 'success') state = withSuccess(state, incident);
          else if (what === 'end') state = withoutCanary(state, incident);
          else state = withCanary(state, incident, settings, at(minutes), 1800) ?? state;
          expect(state.failures.length).toBeLessThanOrEqual(20);
          expect(new Set(state.failures.map((one) => one.incident)).size).toBe(state.failures.length);
          if (before.openedAt === null && state.openedAt !== null) {
            expect(state.failures.length).toBeGreaterThanOrEqual(settings.failures);
            for (const { at: when } of state.failures) {
              expect(at(minutes).getTime() - Date.parse(when)).toBeLessThan(settings.windowMinutes * 60_000);
            }
          }
          // Only the canary closes it.
          if (before.openedAt !== null && state.openedAt === null) {
            expect([what, before.canary?.incident]).toEqual(['success', incident]);
          }
          if (state.canary !== null) expect(state.openedAt).not.toBeNull();
          if (
            before.canary !== null &&
            state.canary !== null &&
            before.canary.incident !== state.canary.incident
          ) {
            expect(Date.parse(before.canary.until)).toBeLessThanOrEqual(at(minutes).getTime());
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('the gate of the breaker', () => {
  it('passes while it is closed', () => {
    expect(ask(closedBreaker, 'x', 0)).toMatchObject({ gate: 'breaker', decision: 'pass' });
  });

  it('puts the cluster back to observe while it is open, and says why, until when, and what a person can do', () => {
    const answer = ask(opened, 'x', 21);

    expect(answer.decision).toBe('observe');
    expect(answer.reason).toContain(`opened at ${at(20).toISOString()}`);
    expect(answer.reason).toContain('reclaim on i-0123456789abcdef0');
    expect(answer.reason).toContain(`until ${at(80).toISOString()}`);
    expect(answer.reason).toContain('docs/gates.md');
  });

  it('offers the place after the cool-down, lets its holder go on, and nobody else', () => {
    expect(ask(opened, 'x', 80).decision).toBe('canary');
    const held = withCanary(opened, 'x', settings, at(80), 600) ?? closedBreaker;
    expect(ask(held, 'x', 81).decision).toBe('pass');
    expect(ask(held, 'y', 81)).toMatchObject({
      decision: 'observe',
      reason: expect.stringContaining('incident x'),
    });
    expect(ask(held, 'y', 90).decision).toBe('canary');
  });

  it('refuses what it cannot read, with the reason, and always lets people be told', () => {
    expect(ask(undefined, 'x', 0, 'table gone')).toMatchObject({
      decision: 'refuse',
      reason: expect.stringContaining('table gone'),
    });
    const telling = { incident: 'x', rung: { kind: 'notify' }, settings, now: at(21) } as const;
    expect(breakerGate(opened, telling).decision).toBe('pass');
    expect(breakerGate(undefined, telling).decision).toBe('pass');
  });
});
