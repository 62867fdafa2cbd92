import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SeriesName } from '../../../lambdas/domain/evidence/trend.ts';
import { growsWithoutLoad, growthOf, growthPerDay } from '../../../lambdas/domain/trend.ts';
import { evidenceWith, missing } from './sample-evidence.ts';
import { evidenceOfKubelet } from './standing/sample-kubelet.ts';

const hour = 3600;
const day = 24 * hour;
const start = 1_790_000_000;
type Course = (seconds: number) => number;

/** A point every quarter of an hour, as a census makes them. */
function points(hours: number, course: Course, step = 900): [number, number][] {
  const count = Math.floor((hours * hour) / step);
  return Array.from({ length: count }, (_, index) => [start + index * step, course(index * step)]);
}

function series(of: [number, number][]) {
  return { source: 'cloudwatch' as const, points: of, perDay: null, course: null };
}

const perDayOf = (of: [number, number][]): number | undefined => growthOf(series(of))?.perDay;

function evidenceOf(courses: Partial<Record<SeriesName, [number, number][]>>) {
  const all = Object.fromEntries(
    Object.entries(courses).map(([name, of]) => [name, { source: 'cloudwatch', points: of }]),
  );
  return evidenceWith({ trend: { status: 'ok', value: { series: all } } });
}

/** Noise that a seed decides, evenly within ± size. */
function noise(seed: number, size: number): Course {
  return (seconds) => {
    const x = Math.sin(seed * 12.9898 + seconds * 78.233) * 43758.5453;
    return (x - Math.floor(x) - 0.5) * 2 * size;
  };
}

const seed = fc.integer({ min: 1, max: 100_000 });
const perDay = fc.integer({ min: 50, max: 5000 });
const close = (found: number | undefined, slope: number, share = 0.2): void => {
  expect(found).toBeGreaterThan(slope * (1 - share));
  expect(found).toBeLessThan(slope * (1 + share));
};

describe('growth, for any leak', () => {
  it('is its slope, whatever noise a tenth of a day of growth makes, with a fifth of the points lost', () => {
    fc.assert(
      fc.property(perDay, seed, fc.integer({ min: 20, max: 24 * 4 }), (slope, random, hours) => {
        const shaken = noise(random, slope / 20);
        const all = points(hours, (t) => 1000 + (slope * t) / day + shaken(t));
        const lost = noise(random + 1, 1);

        close(perDayOf(all.filter(([at]) => lost(at - start) < 0.6)), slope);
      }),
    );
  });

  it('is its slope through a restart, wherever that is', () => {
    fc.assert(
      fc.property(perDay, fc.integer({ min: 2, max: 22 }), (slope, restart) => {
        const at = restart * hour;

        close(perDayOf(points(24, (t) => 300 + (slope * (t < at ? t + day : t - at)) / day)), slope);
      }),
    );
  });

  it('is its slope through a reboot every night, though the level never gets anywhere', () => {
    fc.assert(
      fc.property(
        perDay,
        seed,
        fc.integer({ min: 2, max: 5 }),
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 0, max: 20 }),
        (slope, random, days, phase, base) => {
          const shaken = noise(random, slope / 40);
          const tooth = (t: number) => (t + phase * hour) % day;

          close(
            perDayOf(points(days * 24, (t) => base * slope + (slope * tooth(t)) / day + shaken(t))),
            slope,
          );
        },
      ),
    );
  });

  it('is its slope with one odd point anywhere, high or low', () => {
    fc.assert(
      fc.property(perDay, fc.nat(95), fc.constantFrom(0, 1_000_000), (slope, where, odd) => {
        const all = points(24, (t) => 1000 + (slope * t) / day);
        const one = all[where];
        if (one !== undefined) one[1] = odd;

        close(perDayOf(all), slope);
      }),
    );
  });

  it('is its slope with an odd point among few, which would leave too few on either side of it', () => {
    const few = points(2.25, (t) => 1000 + (4800 * t) / day);
    const odd = few.map(([at, value], index): [number, number] => [at, index === 4 ? 9000 : value]);

    close(perDayOf(odd), 4800);
  });

  it('is its slope over a month that is slow, and with a gap of a week', () => {
    const month = points(30 * 24, (t) => 90_000 + (20 * t) / day + noise(7, 10)(t), 2 * hour);

    close(perDayOf(month), 20);
    close(perDayOf(month.filter(([at]) => at < start + 10 * day || at > start + 17 * day)), 20);
  });

  it('does not mind the order of the points, nor that some come twice', () => {
    fc.assert(
      fc.property(perDay, seed, (slope, random) => {
        const all = points(24, (t) => 1000 + (slope * t) / day);
        const order = noise(random, 1);
        const shuffled = [...all, ...all.slice(20, 40)].sort(([a], [b]) => order(a) - order(b));

        expect(perDayOf(shuffled)).toBeCloseTo(perDayOf(all) ?? Number.NaN, 6);
      }),
    );
  });

  it('is its slope through the daily load of more than two days', () => {
    fc.assert(
      fc.property(perDay, fc.integer({ min: 0, max: 23 }), (slope, phase) => {
        const load = (t: number) => slope * (1 + Math.sin(((t + phase * hour) * 2 * Math.PI) / day));

        close(perDayOf(points(72, (t) => 1000 + (slope * t) / day + load(t))), slope);
      }),
    );
  });
});

describe('growth, for anything that stays where it is', () => {
  it('is hardly any for a garbage collector of any period below four hours', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 230 }),
        fc.integer({ min: 50, max: 1000 }),
        fc.integer({ min: 0, max: 230 }),
        fc.constantFrom(24, 48, 120),
        (minutes, height, phase, hours) => {
          const tooth = (t: number) => (((t / 60 + phase) % minutes) / minutes) * height;
          const found = perDayOf(points(hours, (t) => 1000 + tooth(t)));

          // One tooth climbs its height in its period: a leak of that slope would be many times this.
          expect(Math.abs(found ?? Number.NaN)).toBeLessThan((height * 24 * 60) / minutes / 20);
          expect(Math.abs(found ?? Number.NaN)).toBeLessThan(height / 2);
        },
      ),
    );
  });

  it('is hardly any for a garbage collector of minutes within two hours', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 15 }), fc.nat(15), (minutes, phase) => {
        const tooth = (t: number) => (((t / 60 + phase) % minutes) / minutes) * 500;
        const found = perDayOf(points(2, (t) => 1000 + tooth(t), 60));

        expect(Math.abs(found ?? Number.NaN)).toBeLessThan((500 * 24 * 60) / minutes / 20);
      }),
    );
  });

  it('is none for peaks that come more and more often on the same floor', () => {
    const busy = (t: number) => ((t / 900) * 3) % 8 < 1 + (6 * t) / day;
    const peaks = points(24, (t) => (busy(t) ? 1500 : 1000) + (((t / 900) * 37) % 11) * 8);

    // The slope of the middle alone would be 55 a day.
    expect(perDayOf(peaks)).toBe(0);
  });

  it('is none for a constant', () => {
    expect(perDayOf(points(24, () => 42))).toBe(0);
    expect(perDayOf(points(24, () => 0))).toBe(0);
  });

  it('is hardly any for the daily load of days', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 49, max: 120 }), (phase, hours) => {
        const load = (t: number) => 1000 + 500 * Math.sin(((t + phase * hour) * 2 * Math.PI) / day);

        expect(Math.abs(perDayOf(points(hours, load)) ?? Number.NaN)).toBeLessThan(25);
      }),
    );
  });
});

describe('growth, where there is little to see', () => {
  it.each([
    ['no point', []],
    ['five points', points(24, (t) => t, 5 * hour)],
    ['less than an hour', points(0.9, (t) => t, 300)],
    ['one moment', Array.from({ length: 20 }, (): [number, number] => [start, 5])],
  ])('is unknown from %s, and not none', (_, few) => {
    expect(growthOf(series(few))).toBeUndefined();
  });

  it('says from what it is', () => {
    const growth = growthOf(series(points(48, (t) => 1000 + (t % day) / 100)));

    expect(growth).toMatchObject({ hours: 47.5, points: 192 });
    expect(growth?.source).toBe('CloudWatch: 192 points over 47.5 h, without 1 restarts between them');
  });

  it('comes from the samples that the node keeps where there are no metrics of it', () => {
    const samples = points(12, (t) => 100 + t / 36).map(([at, value]) => [
      at,
      100,
      Math.round(value),
      null,
      8_000_000 - Math.round(value * 1000),
      1,
      null,
    ]);
    const evidence = evidenceWith({ history: { status: 'ok', value: { samples } }, trend: missing });

    close(growthPerDay(evidence, 'dying')?.perDay, 2400, 0.02);
    expect(growthPerDay(evidence, 'dying')?.source).toContain('samples kept on the node');
    expect(growthPerDay(evidence, 'percpuKb')).toBeUndefined();
    expect(growthPerDay(evidence, 'kubeletRssKb')).toBeUndefined();
  });

  it('takes a rise of what is available for the restart, and its fall for the course', () => {
    const evidence = evidenceOf({
      availableKb: points(48, (t) => 5_000_000 - ((t + 6 * hour) % day) * 40),
    });

    expect(growthPerDay(evidence, 'availableKb')?.perDay).toBeCloseTo(-40 * day, -4);
  });
});

describe('growsWithoutLoad', () => {
  const pods = (course: Course) => points(24, (t) => Math.round(course(t)));
  const daily = (t: number) => 40 + 30 * Math.sin((t * 2 * Math.PI) / day);

  it('is true for a leak with any number of pods', () => {
    fc.assert(
      fc.property(
        perDay,
        fc.constantFrom(() => 40, daily),
        (slope, load) => {
          const kubeletRssKb = points(24, (t) => 5000 + (slope * t) / day);

          expect(growsWithoutLoad(evidenceOf({ kubeletRssKb, pods: pods(load) }), 'kubeletRssKb')).toBe(true);
        },
      ),
    );
  });

  it.each<[string, Course]>([
    ['climb in steps', (t) => 10 + 10 * Math.floor(t / (4 * hour))],
    ['climb all the time', (t) => 10 + t / 900],
    ['come in the morning', (t) => (t < 10 * hour ? 20 : Math.min(60, 20 + (t - 10 * hour) / 300))],
  ])('is false for what follows its pods, which %s', (_, load) => {
    const counted = pods(load);
    const kubeletRssKb = counted.map(([at, value]): [number, number] => [at, 50_000 + value * 900]);
    const evidence = evidenceOf({ kubeletRssKb, pods: counted });

    expect(growthPerDay(evidence, 'kubeletRssKb')?.perDay).toBeGreaterThan(10_000);
    expect(growsWithoutLoad(evidence, 'kubeletRssKb')).toBe(false);
  });

  it('is true for a leak beside more pods, each of which costs something', () => {
    const counted = pods((t) => 10 + 10 * Math.floor(t / (4 * hour)));
    const kubeletRssKb = counted.map(([at, value]): [number, number] => [
      at,
      50_000 + value * 100 + ((at - start) * 100_000) / day,
    ]);

    expect(growsWithoutLoad(evidenceOf({ kubeletRssKb, pods: counted }), 'kubeletRssKb')).toBe(true);
  });

  it('is false for what does not grow, and unknown without the pods or the growth', () => {
    const flat = points(24, () => 5);
    const rising = points(24, (t) => t);

    expect(growsWithoutLoad(evidenceOf({ goroutines: flat, pods: flat }), 'goroutines')).toBe(false);
    expect(growsWithoutLoad(evidenceOf({ goroutines: rising }), 'goroutines')).toBeUndefined();
    expect(growsWithoutLoad(evidenceOf({ pods: flat }), 'goroutines')).toBeUndefined();
    expect(
      growsWithoutLoad(
        evidenceOf({ goroutines: rising, pods: flat.map(([at, value]) => [at + 2 * day, value]) }),
        'goroutines',
      ),
    ).toBeUndefined();
  });
});

describe('the growth of a kubelet by the samples of its node', () => {
  const alone = { trend: missing };

  it('is known where nobody publishes it, and that the pods do not explain it', () => {
    const evidence = evidenceOfKubelet({ perDayMb: 1000 }, alone);
    close((growthPerDay(evidence, 'kubeletRssKb')?.perDay ?? 0) / 1024, 1000, 0.02);
    expect(growsWithoutLoad(evidence, 'kubeletRssKb')).toBe(true);
  });

  it('is not where the kubelet was started since, or the samples cover too little', () => {
    for (const change of [{ startedNow: 90_000_000 }, { hours: 5 }, { uptime: 3600 }]) {
      expect(growthPerDay(evidenceOfKubelet(change, alone), 'kubeletRssKb')).toBeUndefined();
      expect(growsWithoutLoad(evidenceOfKubelet(change, alone), 'kubeletRssKb')).toBeUndefined();
    }
  });

  it('is not taken from a quick look, which raises no node for it', () => {
    const quick = { ...evidenceOfKubelet({}, alone), profile: 'quick' as const };
    expect(growthPerDay(quick, 'kubeletRssKb')).toBeUndefined();
  });
});
