import { describe, expect, it } from 'vitest';
import { largestEvidence } from '../../bench/diagnose/largest-evidence.ts';
import { measure } from '../../bench/diagnose.ts';
import { probeNames } from '../properties/arbitrary-evidence.ts';

describe('the bench of the diagnosis', () => {
  it('measures evidence in which every probe has answered and every list is full', () => {
    const { probes } = largestEvidence();

    expect(probeNames.filter((name) => probes[name].status !== 'ok')).toEqual([]);
    expect(probes.slices).toMatchObject({ value: { entries: { length: 100 } } });
    expect(probes.trend).toMatchObject({ value: { series: { dying: { points: { length: 500 } } } } });
  });

  it('has the parse, the diagnosis and both in one table, by the parse', () => {
    const { rows, columns } = measure(1);

    expect(columns.at(-1)).toBe('times the parse');
    expect(rows.map(({ figures }) => figures.length)).toEqual([3, 3, 3, 3]);
    expect(rows[0]?.figures[2]).toBe('1.00');
  });
});
