import { cohortsOf } from '../cohorts.ts';
import type { Facts, Violation } from '../facts.ts';

/** More of one wave were treated than it has places: some of them without knowing what came of those before. */
export function overWave({ trails }: Pick<Facts, 'trails'>): Violation[] {
  return cohortsOf(trails).flatMap(({ treatment, waves }) =>
    waves
      .filter(({ size, treated }) => treated > size)
      .map(({ number, size, treated }) => ({
        check: 'over-wave',
        what: `${treated} nodes were treated by ${treatment} in wave ${number}, which has ${size} places`,
      })),
  );
}
