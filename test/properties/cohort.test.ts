import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cohort, inFlight, memberOf, noCohort } from '../../lambdas/domain/cohort/cohort.ts';
import { askedBy, begins, comeTo, decided, leaves } from '../../lambdas/domain/cohort/steps.ts';
import { atMoment } from '../../lambdas/domain/cohort/waves.ts';
import { cohortGate } from '../../lambdas/domain/gates/cohort-gate.ts';
import { CohortSettings } from '../../lambdas/domain/settings/cohort.ts';
import { at, joining } from '../lambdas/domain/cohort/samples.ts';

const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
const step = fc.record({
  who: fc.nat(names.length - 1),
  /** It is done by one who can do it, where there is any; otherwise by anybody, also out of turn. */
  aimed: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  does: fc.constantFrom(
    'comes',
    'comes',
    'comes',
    'asks',
    'is approved',
    'is denied',
    'begins',
    'begins',
    'helped',
    'helped',
    'failed',
    'left',
    'died',
  ),
  minutes: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(0, 1) },
    { weight: 1, arbitrary: fc.integer({ min: 5, max: 50 }) },
  ),
});
const someSettings = fc
  .record({
    canary: fc.integer({ min: 1, max: 3 }),
    growth: fc.integer({ min: 1, max: 3 }),
    stopAtFailures: fc.integer({ min: 1, max: 3 }),
  })
  .map((some) => CohortSettings.parse(some));

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Long ones as well: most of what a cohort does comes after twenty steps. */
const stepsOf = (maxLength: number) => fc.array(step, { maxLength, size: 'max' });

type Seen = { approved: Set<string>; denied: Set<string> };

/** What one incident does to the cohort, if it may. */
function stepped(
  cohort: Cohort,
  { does, ...one }: Step,
  when: ReturnType<typeof at>,
  automatic: boolean,
  seen: Seen,
): Cohort {
  const approvalId = cohort.asked?.approvalId ?? '';
  const because = { by: 'ana', reason: 'said so' };
  const who = actorOf(cohort, { does, ...one });
  switch (does) {
    case 'comes':
      return comeTo(cohort, joining(who, { automatic }), when);
    case 'asks':
      return askedBy(cohort, who, `${who} ${when.now.toISOString()}`, at(1e6).now, when.settings) ?? cohort;
    case 'is approved':
      seen.approved.add(approvalId);
      return decided(cohort, { approvalId, status: 'approved', ...because }, when);
    case 'is denied':
      seen.denied.add(approvalId);
      return decided(cohort, { approvalId, status: 'denied', ...because }, when);
    case 'begins':
      return begins(cohort, who, new Date(when.now.getTime() + 4 * 3_600_000)) ?? cohort;
    default:
      return leaves(cohort, who, { came: does as 'helped', why: does }, when);
  }
}

/** Whose step it is. */
function actorOf({ members, leader }: Cohort, { who, aimed, does }: Step): string {
  const anybody = names[who] ?? '';
  const are = (is: string): string[] =>
    members.filter((member) => member.is === is).map(({ incident }) => incident);
  const able: Record<string, readonly string[]> = {
    asks: leader === '' ? [] : [leader],
    begins: are('turn'),
    helped: are('acts'),
    failed: are('acts'),
    died: are('acts'),
  };
  const list = able[does] ?? [];
  return aimed ? (list[who % list.length] ?? anybody) : anybody;
}

describe('a cohort, whatever happens in it,', () => {
  it('never has more in flight than its wave, treats nobody twice, and nobody after a stop, a denial or without a yes', () => {
    const came = { begun: 0, failed: 0, stopped: 0, denied: 0, laterWaves: 0 };
    fc.assert(
      fc.property(stepsOf(150), someSettings, fc.boolean(), (steps, settings, automatic) => {
        let cohort = noCohort;
        let minute = 0;
        const seen: Seen = { approved: new Set(), denied: new Set() };
        const treated = new Set<string>();
        for (const one of steps) {
          minute += one.minutes;
          const when = at(minute, settings);
          const before = cohort;
          cohort = stepped(before, one, when, automatic, seen);
          const flight = inFlight(cohort);
          const { wave, tally } = cohort;
          if (cohort.phase === 'goes')
            expect(flight.length + wave.helped + wave.failed).toBeLessThanOrEqual(wave.size);
          expect(new Set(cohort.members.map(({ incident }) => incident)).size).toBe(cohort.members.length);
          const began = flight.filter(
            ({ incident, is }) => is === 'acts' && memberOf(before, incident)?.is !== 'acts',
          );
          came.begun += began.length;
          came.failed += tally.failed > before.tally.failed ? 1 : 0;
          came.stopped += cohort.phase === 'stopped' && before.phase !== 'stopped' ? 1 : 0;
          came.denied += cohort.phase === 'denied' && before.phase !== 'denied' ? 1 : 0;
          came.laterWaves += began.length > 0 && wave.number > 2 ? 1 : 0;
          if (began.length > 0) {
            expect(before.phase).toBe('goes');
            expect(tally.failed).toBeLessThan(settings.stopAtFailures);
            if (!automatic) expect(seen.approved.has(before.decision?.approvalId ?? '')).toBe(true);
            for (const { instanceId } of automatic ? [] : began) {
              const once = `${instanceId} by ${before.decision?.approvalId}`;
              expect(treated).not.toContain(once);
              treated.add(once);
            }
          }
          const turned = flight.filter(
            ({ incident, is }) => is === 'turn' && memberOf(before, incident)?.is !== 'turn',
          );
          if (turned.length > 0) expect(cohort.phase).toBe('goes');
          // No wave is larger than what was helped before it allows.
          if (wave.number > 1)
            expect(wave.size).toBeLessThanOrEqual(settings.canary * settings.growth ** (wave.number - 1));
        }
      }),
      { numRuns: 400 },
    );
    // Otherwise it has said nothing about what it is for.
    for (const [what, times] of Object.entries(came)) expect(times, what).toBeGreaterThan(20);
  });

  it('comes to an end for everybody who keeps asking, though any of the others are lost at any time', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom(...names), { maxLength: 8 }),
        stepsOf(60),
        someSettings,
        fc.boolean(),
        (lost, steps, settings, automatic) => {
          let cohort = noCohort;
          let minute = 0;
          const seen: Seen = { approved: new Set(), denied: new Set() };
          for (const one of steps) {
            minute += one.minutes;
            cohort = stepped(cohort, one, at(minute, settings), automatic, seen);
          }
          // Those that live ask every minute; where they lead they ask people, who say yes; what they treat is helped.
          let alive = names.filter((name) => !lost.includes(name));
          for (let round = 0; round < 3000 && alive.length > 0; round += 1) {
            minute += 1;
            const when = at(minute, settings);
            for (const who of alive) {
              if (cohort.phase === 'asks' && !alive.includes(cohort.leader)) {
                // The janitor, or the first that asks after its approval has expired.
                const approvalId = cohort.asked?.approvalId ?? '';
                cohort = decided(cohort, { approvalId, status: 'void', by: '' }, when);
              }
              cohort = comeTo(cohort, joining(who, { automatic }), when);
              const { role } = cohortGate(cohort, { incident: who, settings, now: when.now });
              if (role === 'asks') {
                cohort = askedBy(cohort, who, `${who} ${minute}`, at(minute + 60).now, settings) ?? cohort;
                const approvalId = cohort.asked?.approvalId ?? '';
                cohort = decided(cohort, { approvalId, status: 'approved', by: 'ana' }, when);
                // A card that spoke of one node: it is treated by itself.
                if (memberOf(cohort, who) === undefined) alive = alive.filter((name) => name !== who);
              } else if (role === 'turn') {
                cohort = begins(cohort, who, at(minute + 240).now) ?? cohort;
                cohort = leaves(cohort, who, { came: 'helped', why: 'cured' }, when);
                alive = alive.filter((name) => name !== who);
              } else if (role !== 'waits') {
                cohort = leaves(cohort, who, { came: 'left', why: role }, when);
                alive = alive.filter((name) => name !== who);
              }
            }
            cohort = atMoment(cohort, when);
          }
          expect(alive).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });
});
