import { describe, expect, it } from 'vitest';
import { causes } from '../../../lambdas/domain/causes/index.ts';
import { diagnose } from '../../../lambdas/domain/diagnosis.ts';
import { memory, ok } from './causes/judge.ts';
import { cgroups, clusterWith, evidenceWith, sessions, slices, trend } from './sample-evidence.ts';

const { thresholds } = clusterWith();
const leak = {
  cgroups: cgroups(100, 20_000),
  slices: slices({ path: '/system.slice', dying: 20_000 }),
};
/** Few, and dear on a small node. */
const dear = { cgroups: cgroups(2000, 2100), memory: memory(600_000, { totalKb: 1_000_000 }) };
const directories = (change: Record<string, number>) =>
  ok({ pod: 0, scope: 0, session: 0, other: 0, checked: 0, sample: [], ...change });

describe('the ranking of causes', () => {
  it('reports a rule in shadow, and acts on another or on none', () => {
    const evidence = evidenceWith(leak);
    const { confidence } = diagnose(evidence, thresholds);
    const watched = diagnose(evidence, thresholds, ['dying-memcgs']);

    expect(watched.cause).toBe('inconclusive');
    expect(watched.alsoPossible).toEqual([]);
    expect(watched.shadow).toEqual([{ cause: 'dying-memcgs', confidence }]);
  });

  it('makes no diagnosis of a match that is less sure than the settings want', () => {
    const evidence = evidenceWith(leak);
    const { confidence } = diagnose(evidence, thresholds);
    const of = (leastConfidence: number) => diagnose(evidence, { ...thresholds, leastConfidence });

    expect(of(confidence).cause).toBe('dying-memcgs');
    expect(of(confidence + 0.01)).toMatchObject({
      cause: 'inconclusive',
      alsoPossible: [{ cause: 'dying-memcgs', confidence }],
      explanation: expect.stringContaining(`confidence of ${confidence} is below`),
    });
  });

  it('is a tie where two that do not explain each other are as sure', () => {
    const evidence = evidenceWith({ cgroups: cgroups(9000, 2100), sessions: sessions({ closing: 60 }) });
    const both = diagnose(evidence, thresholds);

    expect(both.cause).toBe('inconclusive');
    expect(both.explanation).toContain('are as likely');
    // What speaks for either is what a person has to decide by; a rule that does not match has no say here.
    const matching = both.alsoPossible.map(({ cause }) => cause);
    const said = causes
      .filter(({ id }) => matching.includes(id))
      .map(({ judge }) => judge(evidence, thresholds));
    expect(matching).toHaveLength(2);
    expect(both.findings).toHaveLength(said.reduce((sum, { findings }) => sum + findings.length, 0));
    expect(both.prevention).toEqual([]);
  });

  it.each<[string, Parameters<typeof evidenceWith>[0], string]>([
    [
      '0.89 and 0.88',
      {
        ...dear,
        slices: slices({ path: '/user.slice', dying: 2000 }),
        unpopulated: directories({ other: 10_000 }),
        sessions: sessions({ closing: 60 }),
      },
      'inconclusive',
    ],
    ['0.82 and 0.8', { ...dear, unpopulated: directories({ scope: 60 }) }, 'dying-memcgs'],
    [
      '0.88 and 0.86',
      {
        cgroups: cgroups(11_000, 2100),
        trend: trend({ dying: [100, 1100] }),
        unpopulated: directories({ scope: 60 }),
      },
      'dying-memcgs',
    ],
  ])('takes two for a tie that are a hundredth apart, and none that are two: %s', (both, probes, cause) => {
    const { alsoPossible, ...found } = diagnose(evidenceWith(probes), thresholds);
    const confidences = [...(found.confidence > 0 ? [found] : []), ...alsoPossible].map(
      ({ confidence }) => confidence,
    );

    expect(confidences.join(' and ')).toBe(both);
    expect(found.cause).toBe(cause);
  });
});
