import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectKubelet } from '../../../../lambdas/domain/standing/kubelet-course.ts';
import { missing } from '../sample-evidence.ts';
import { evidenceOfKubelet, looked } from './sample-kubelet.ts';

const agreed = { limitMb: 2048, leastMbPerDay: 100 };
const daysTo = (fullAt: Date): number => (fullAt.getTime() - looked.getTime()) / 86_400_000;

describe('the course of a kubelet', () => {
  it('says when it holds as much as it may', () => {
    const projected = projectKubelet(evidenceOfKubelet(), agreed);
    expect(projected).toMatchObject({ rssKb: 1000 * 1024, limitKb: 2048 * 1024 });
    if (!('fullAt' in projected)) throw new Error('it has no course');
    expect(daysTo(projected.fullAt)).toBeCloseTo(1.048, 1);
  });

  it('ends at a quarter of the memory of a small node', () => {
    const projected = projectKubelet(evidenceOfKubelet({ totalKb: 6_000_000 }), agreed);
    expect(projected).toMatchObject({ limitKb: 1_500_000 });
  });

  it('is at its end where the kubelet is full already', () => {
    const projected = projectKubelet(evidenceOfKubelet({ nowMb: 3000 }), agreed);
    expect(projected).toMatchObject({ fullAt: looked });
  });

  it('is none where it grows less than what counts as a leak, or falls', () => {
    for (const perDayMb of [0, 50, -500]) {
      expect(projectKubelet(evidenceOfKubelet({ perDayMb }), agreed)).toMatchObject({
        steady: expect.stringContaining('100 are a leak'),
      });
    }
  });

  it.each([
    ['the history was not read', evidenceOfKubelet({}, { history: missing }), 'history of the node'],
    ['its start was not read', evidenceOfKubelet({ startedNow: null }), 'what its kubelet holds'],
    [
      'an older document kept no kubelet',
      evidenceOfKubelet({}, { history: { status: 'ok', value: { samples: [[1, 2, 3, 4, 5, 6, 7]] } } }),
      'what its kubelet holds',
    ],
    ['the uptime was not read', evidenceOfKubelet({}, { host: missing }), 'how long the node has been up'],
    ['the memory of the node was not read', evidenceOfKubelet({}, { memory: missing }), 'how much memory'],
    ['it was started since', evidenceOfKubelet({ startedNow: 90_000_000 }), 'there are 1 samples'],
    ['the samples do not say of which start they are', evidenceOfKubelet({ startedThen: null }), '1 samples'],
    ['all samples are of its first hour', evidenceOfKubelet({ uptime: 3600 }), '0 samples'],
    ['the samples cover too little', evidenceOfKubelet({ hours: 5 }), 'cover 5 hours, and 6 are needed'],
    ['there are too few of them', evidenceOfKubelet({ hours: 1.5 }), '7 samples'],
    ['the samples are old', evidenceOfKubelet({ silent: 61 }), '61 minutes old'],
    ['the clock was set back', evidenceOfKubelet({ silent: -70 }), '-70 minutes old'],
  ])('is unknown where %s, and nothing else is', (_, evidence, why) => {
    expect(projectKubelet(evidence, agreed)).toMatchObject({ unknown: expect.stringContaining(why) });
    expect(projectKubelet(evidence, agreed)).not.toHaveProperty('fullAt');
  });

  it('says it the sooner the more it holds and the faster it grows, and never before the look', () => {
    const mb = fc.integer({ min: 300, max: 6000 });
    const growth = fc.integer({ min: 150, max: 4000 });
    fc.assert(
      fc.property(mb, growth, fc.integer({ min: 1, max: 500 }), (nowMb, perDayMb, more) => {
        const at = (change: Parameters<typeof evidenceOfKubelet>[0]): number => {
          const projected = projectKubelet(evidenceOfKubelet({ nowMb, perDayMb, ...change }), agreed);
          return 'fullAt' in projected ? projected.fullAt.getTime() : Number.POSITIVE_INFINITY;
        };
        const usual = at({});
        expect(usual).toBeGreaterThanOrEqual(looked.getTime());
        expect(at({ nowMb: nowMb + more })).toBeLessThanOrEqual(usual);
      }),
      { numRuns: 100 },
    );
  });

  it('is never known from samples of another start, whatever they say', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 99_000_000 }),
        fc.integer({ min: 0, max: 5000 }),
        (then, perDayMb) => {
          fc.pre(then !== 4100);
          const evidence = evidenceOfKubelet({ startedThen: then, perDayMb });
          expect(projectKubelet(evidence, agreed)).toHaveProperty('unknown');
        },
      ),
      { numRuns: 100 },
    );
  });
});
