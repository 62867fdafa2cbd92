import fc from 'fast-check';
import { expect, it } from 'vitest';
import { standingGate } from '../../lambdas/domain/gates/standing-gate.ts';
import { freshCourse, placesAt, withoutPlace, withPlace } from '../../lambdas/domain/standing/course.ts';
import { inDays, sampleStanding } from '../lambdas/domain/standing/sample-standing.ts';
import { runs } from './runs.ts';

const act = fc.oneof(
  fc.record({ what: fc.constant('take' as const), who: fc.nat(6), hours: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ what: fc.constant('leave' as const), who: fc.nat(6), helped: fc.option(fc.boolean()) }),
  fc.record({ what: fc.constant('wait' as const), hours: fc.integer({ min: 0, max: 3 }) }),
);

it('never are more nodes of a group treated at once than the bound, whoever comes, goes or dies', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (acts, most) => {
      let course = freshCourse('one');
      let now = inDays(0);
      for (const one of acts) {
        if (one.what === 'wait') now = new Date(now.getTime() + one.hours * 3_600_000);
        else if (one.what === 'leave') course = withoutPlace(course, `n${one.who}`, one.helped ?? undefined);
        else {
          const until = new Date(now.getTime() + one.hours * 3_600_000).toISOString();
          const place = { incident: `n${one.who}`, instanceId: `i-0000000${one.who}`, until };
          const isMine = ({ incident }: { incident: string }): boolean => incident === place.incident;
          const before = placesAt(course, now);
          const has = before.some(isMine);
          course = withPlace(course, place, most, now);
          // A place that is free is given: nobody waits for one that has expired.
          const given = one.hours > 0 && (has || before.length < most);
          expect(placesAt(course, now).some(isMine)).toBe(given);
        }
        expect(placesAt(course, now).length).toBeLessThanOrEqual(most);
        expect(new Set(placesAt(course, now).map(({ incident }) => incident)).size).toBe(
          placesAt(course, now).length,
        );
      }
    }),
    runs(300),
  );
});

it('never does a standing treatment pass that has ended, has come to its date or is of another group', () => {
  const standing = sampleStanding();
  const day = fc.double({ min: -1, max: 30, noNaN: true });
  const count = fc.integer({ min: standing.threshold - 2, max: standing.threshold + 2 });
  fc.assert(
    fc.property(day, fc.option(day), fc.boolean(), fc.boolean(), count, (at, endedAt, own, same, dying) => {
      const read = {
        standing,
        ...(endedAt === null
          ? {}
          : {
              end: {
                version: 1 as const,
                id: standing.id,
                at: inDays(endedAt).toISOString(),
                by: 'bob',
                reason: 'x',
              },
            }),
      };
      const { agreed } = standingGate(read, {
        id: same ? standing.id : 'another-r1',
        cluster: 'prod',
        nodeGroup: own ? 'workers' : 'others',
        rung: { kind: 'document', treatment: 'reclaim' },
        cause: 'session-churn',
        dying,
        approved: false,
        now: inDays(at),
      });
      const inTime = inDays(at) >= inDays(0) && inDays(at) < inDays(14);
      const holds = endedAt === null && own && same && inTime && dying >= standing.threshold;
      expect(agreed !== undefined).toBe(holds);
    }),
    runs(300),
  );
});
