import { describe, expect, it } from 'vitest';
import { causes } from '../../../lambdas/domain/causes/index.ts';
import { diagnose, diagnoseWithoutEvidence } from '../../../lambdas/domain/diagnosis.ts';
import { memory, pressure, reclaim } from './causes/judge.ts';
import { cgroups, clusterWith, evidenceWith, missing, slices } from './sample-evidence.ts';

const { thresholds } = clusterWith();

describe('diagnose', () => {
  it('calls a node with tens of thousands of hidden cgroups what it is, and says where they are', () => {
    const evidence = evidenceWith({
      cgroups: cgroups(240, 68_440),
      slices: slices({ path: '/system.slice', dying: 68_000 }),
    });

    const diagnosis = diagnose(evidence, thresholds);

    expect(diagnosis.cause).toBe('dying-memcgs');
    expect(diagnosis.confidence).toBeGreaterThanOrEqual(0.9);
    expect(diagnosis.explanation).toContain('68440 memory cgroups');
    expect(diagnosis.explanation).toContain('most of them below /system.slice.');
  });

  it('does not take page cache for a count on cgroup v1', () => {
    const evidence = evidenceWith({
      cgroups: cgroups(100, 6000),
      slices: slices({ path: '/a', ghostKb: 2_000_000 }, { path: '/b', ghostKb: 30_000 }),
    });

    const { explanation } = diagnose(evidence, thresholds);

    expect(explanation).not.toContain('most of them below');
    expect(explanation).toContain('without a living owner is charged below /a');
  });

  it('takes the floor of a fresh boot for health', () => {
    expect(diagnose(evidenceWith(), thresholds)).toMatchObject({ cause: 'healthy', gaps: [] });
  });

  it('finds few zombies dear on a small node, by their cost', () => {
    const evidence = evidenceWith({
      cgroups: cgroups(100, 1500),
      memory: memory(600_000, { totalKb: 1_000_000 }),
    });

    expect(diagnose(evidence, thresholds)).toMatchObject({ cause: 'dying-memcgs' });
  });

  it('is inconclusive between the floor and the fault, and names what was ruled out', () => {
    const evidence = evidenceWith({ cgroups: cgroups(120, 900) });
    const diagnosis = diagnose(evidence, thresholds);
    const excluded = causes.filter(({ judge }) => judge(evidence, thresholds).result === 'excluded');
    const ids = excluded.map(({ id }) => id);

    expect(diagnosis.cause).toBe('inconclusive');
    expect(diagnosis.confidence).toBe(0);
    expect(ids).toEqual(expect.arrayContaining(['session-churn', 'dying-memcgs', 'kubelet-leak', 'healthy']));
    const faults = ids.filter((id) => id !== 'healthy');
    expect(diagnosis.explanation).toContain(`Ruled out: ${faults.join(', ')}.`);
    expect(diagnosis.explanation).toContain('Against health: dying memory cgroups 900 (limit 300)');
    expect(diagnosis.explanation).not.toContain('contradicts itself');
    expect(diagnosis.findings).toContainEqual(
      expect.objectContaining({
        fact: 'dying memory cgroups',
        value: 900,
        threshold: 300,
        speaks: 'against',
      }),
    );
  });

  it.each(['cgroups', 'memory', 'pressure', 'reclaim'])(
    'never calls a node healthy without its %s',
    (probe) => {
      const diagnosis = diagnose(evidenceWith({ [probe]: missing }), thresholds);

      expect(diagnosis.cause).toBe('inconclusive');
      expect(diagnosis.gaps).toContainEqual({ probe, reason: 'not there' });
      expect(diagnosis.explanation).toContain(probe);
    },
  );

  it.each([
    ['stalls on memory', { pressure: pressure(40) }],
    ['has hardly any memory left', { memory: memory(100_000) }],
    ['stalls in direct reclaim', { reclaim: reclaim({ windowMs: 1000, allocstall: 12 }) }],
  ])('does not call a node healthy that %s', (_, probes) => {
    expect(diagnose(evidenceWith(probes), thresholds).cause).not.toBe('healthy');
  });

  it('goes by the tasks that stall in part where the kernel does not say when all do', () => {
    const { value } = pressure(40);
    const some = { status: 'ok', value: { ...value, memory: { ...value.memory, full: null } } };

    expect(diagnose(evidenceWith({ pressure: some }), thresholds).cause).not.toBe('healthy');
  });

  it('begins exactly at the thresholds', () => {
    const causeAt = (dying: number) =>
      diagnose(evidenceWith({ cgroups: cgroups(100, dying) }), thresholds).cause;

    expect(causeAt(thresholds.dyingFloor)).toBe('healthy');
    expect(causeAt(thresholds.dyingFloor + 1)).toBe('inconclusive');
    expect(causeAt(thresholds.dyingCount - 1)).toBe('inconclusive');
    expect(causeAt(thresholds.dyingCount)).toBe('dying-memcgs');
  });

  it('does not rule zombies out by their number alone where their cost is not known', () => {
    const evidence = evidenceWith({ cgroups: cgroups(100, 1500), memory: missing });

    expect(diagnose(evidence, thresholds).explanation).toContain('dying-memcgs (needs memory)');
  });

  it('finds few zombies that grow fast, by their growth alone, from the floor on', () => {
    const of = (dying: number) => {
      const points = Array.from({ length: 48 }, (_, n) => [1_790_000_000 + n * 900, dying - 600 + n * 12]);
      const trend = { status: 'ok', value: { series: { dying: { source: 'cloudwatch', points } } } };
      return diagnose(evidenceWith({ cgroups: cgroups(900, dying), trend }), thresholds).cause;
    };

    expect(of(1200)).toBe('dying-memcgs');
    expect(of(thresholds.dyingFloor)).not.toBe('dying-memcgs');
  });

  it('is surer the more the hidden outnumber the visible', () => {
    const confidence = (live: number) =>
      diagnose(evidenceWith({ cgroups: cgroups(live, 2000) }), thresholds).confidence;

    expect(confidence(1000)).toBeGreaterThan(confidence(1001));
  });

  it('makes of a silent node an inconclusive one with the reason', () => {
    const gap = { probe: 'evidence', reason: 'Undeliverable' };

    expect(diagnoseWithoutEvidence(gap)).toMatchObject({
      cause: 'inconclusive',
      alsoPossible: [],
      shadow: [],
      findings: [],
      prevention: [],
      gaps: [gap],
      explanation: expect.stringContaining('Undeliverable'),
    });
  });
});
