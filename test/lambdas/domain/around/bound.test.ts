import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundAround, mostBytes } from '../../../../lambdas/domain/around/bound.ts';
import { trendOf, trendQueries } from '../../../../lambdas/domain/around/trend.ts';
import { AroundProbes } from '../../../../lambdas/domain/evidence/around-probes.ts';
import { gapsOf } from '../../../../lambdas/domain/evidence/gaps.ts';
import { evidenceWith } from '../sample-evidence.ts';

const ok = (value: object) => ({ status: 'ok', value });
const sizeOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

function agents(count: number, length: number) {
  const name = 'x'.repeat(length);
  return Array.from({ length: count }, () => ({
    pod: name,
    container: name,
    owner: { kind: 'DaemonSet', name },
    daemonSet: true,
    restarts: 1,
  }));
}

/** Everything as large as the schema lets it be, or as long as told. */
function large({ length = 400, points = 500, letter = 'x' } = {}): AroundProbes {
  const text = letter.repeat(length);
  const queries = trendQueries('c', 'i-0123456789abcdef0');
  return AroundProbes.parse({
    nodeStatus: ok({
      conditions: Array.from({ length: 30 }, () => ({ type: text, status: 'True', reason: text })),
      unschedulable: false,
      taints: Array.from({ length: 20 }, () => text),
    }),
    podStatus: ok({
      coveredSeconds: 3600,
      evicted: 0,
      agents: agents(40, length),
      oomKilled: agents(20, length),
    }),
    nodeEvents: ok({
      coveredSeconds: 3600,
      reasons: Array.from({ length: 30 }, () => ({ reason: text, count: 1, sample: text })),
      sandboxNoSpace: 0,
      sandboxNoMemory: 0,
    }),
    trend: trendOf(
      queries,
      queries.map(({ id }) => ({
        id,
        points: Array.from({ length: points }, (_, at) => [1_763_700_000 + at * 900, 12_345_678 + at]),
      })),
    ),
    console: ok({
      lines: 1,
      oomKills: 0,
      ofKubelet: 0,
      hungTasks: 0,
      cgroupNoSpace: 0,
      panics: 0,
      last: Array.from({ length: 10 }, () => text),
    }),
  });
}

describe('what is known around a node', () => {
  it('stays as it is where it is small enough', () => {
    const probes = large({ length: 10, points: 6 });
    expect(boundAround(probes)).toBe(probes);
  });

  it('of a usual node with a day of metrics keeps every probe, with fewer points, and says so', () => {
    const bounded = boundAround(large({ length: 30, points: 96 }));

    expect(sizeOf(bounded)).toBeLessThanOrEqual(mostBytes);
    expect(bounded.trend).toMatchObject({
      status: 'ok',
      value: { notRead: { points: 'only 24 points of each series are carried along' } },
    });
    const points = bounded.trend.status === 'ok' ? (bounded.trend.value.series.dying?.points ?? []) : [];
    expect(points).toHaveLength(24);
    // From the same beginning to the same end.
    expect([points[0]?.[0], points.at(-1)?.[0]]).toEqual([1_763_700_000, 1_763_700_000 + 95 * 900]);
  });

  it('gives up what is missed least, then whole probes, and each loss is a gap', () => {
    const bounded = boundAround(large());

    expect(sizeOf(bounded)).toBeLessThanOrEqual(mostBytes);
    expect(AroundProbes.parse(bounded)).toEqual(bounded);
    const gaps = gapsOf(evidenceWith({ ...bounded })).map(({ probe }) => probe);
    for (const [name, probe] of Object.entries(bounded)) {
      if (probe.status !== 'ok') expect(gaps).toContain(name);
    }
    expect(gaps).toContain('trend.points');
    expect(JSON.stringify(bounded)).toContain('it is too large to be carried along');
  });

  it('always fits, whatever the bound', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 1, max: 500 }),
        // The state of an incident is limited in bytes, and not every letter is one.
        fc.constantFrom('x', '漢'),
        fc.integer({ min: 1500, max: 40_000 }),
        (length, points, letter, most) => {
          const bounded = boundAround(large({ length, points, letter }), most);
          expect(sizeOf(bounded)).toBeLessThanOrEqual(most);
          expect(AroundProbes.parse(bounded)).toEqual(bounded);
        },
      ),
      { numRuns: 40 },
    );
  });
});
