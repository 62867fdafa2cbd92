import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../lambdas/domain/diagnosis.ts';
import { contradictionsIn } from '../../../lambdas/domain/evidence/contradictions.ts';
import { kubelet, memory, nodeStatus, ok, thresholds, throttling } from './causes/judge.ts';
import { cgroups, evidenceWith, missing, sessions, slices } from './sample-evidence.ts';

type Probes = Parameters<typeof evidenceWith>[0];

const found = (probes: Probes) => contradictionsIn(evidenceWith(probes));
const ready = nodeStatus({
  conditions: [
    { type: 'MemoryPressure', status: 'False' },
    { type: 'Ready', status: 'True' },
  ],
});
const notReady = nodeStatus({
  conditions: [
    { type: 'MemoryPressure', status: 'True' },
    { type: 'Ready', status: 'False' },
  ],
});
const stopped = { active: 'inactive', sub: 'dead', execMainStatus: 0 };
const impossible = {
  cgroups: cgroups(500, 9000),
  slices: slices({ path: '/user.slice', dying: 30_000 }),
};

describe('contradictionsIn', () => {
  it.each<[string, Probes, string[], Probes]>([
    [
      'more memory available than there is',
      { memory: memory(8_001_025) },
      ['memory'],
      { memory: memory(8_001_024) },
    ],
    [
      'more page cache than memory',
      { memory: memory(1, { cachedKb: 8_100_000 }) },
      ['memory'],
      { memory: memory(1, { cachedKb: 8_000_500 }) },
    ],
    [
      'a slice with more dying cgroups than the node',
      impossible,
      ['cgroups', 'slices'],
      { cgroups: cgroups(500, 9000), slices: slices({ path: '/user.slice', dying: 29_000 }) },
    ],
    [
      'a slice far above a node that has many',
      { cgroups: cgroups(500, 50_000), slices: slices({ path: '/a', dying: 100_001 }) },
      ['cgroups', 'slices'],
      { cgroups: cgroups(500, 50_000), slices: slices({ path: '/a', dying: 100_000 }) },
    ],
    [
      'a dead kubelet that is well',
      { kubelet: kubelet({ active: 'inactive', healthz: 200 }) },
      ['kubelet'],
      { kubelet: kubelet({ active: 'activating', healthz: 200 }) },
    ],
    [
      'a kubelet that failed and is well',
      { kubelet: kubelet({ active: 'failed', healthz: 200 }) },
      ['kubelet'],
      { kubelet: kubelet({ active: 'failed', healthz: null }), nodeStatus: notReady },
    ],
    [
      'a Ready node whose kubelet was stopped, also where nobody counted OOM kills',
      { kubelet: kubelet(stopped), nodeStatus: ready, oomKills: missing },
      ['kubelet', 'nodeStatus'],
      { kubelet: kubelet(stopped), nodeStatus: notReady, oomKills: missing },
    ],
    [
      'a Ready node whose kubelet was stopped',
      { kubelet: kubelet(stopped), nodeStatus: ready },
      ['kubelet', 'nodeStatus'],
      { kubelet: kubelet({ ...stopped, execMainStatus: 9 }), nodeStatus: ready },
    ],
    [
      'more throttled periods than periods',
      { throttling: throttling({ periods: 20, throttledPeriods: 22 }) },
      ['throttling'],
      { throttling: throttling({ periods: 20, throttledPeriods: 21 }) },
    ],
    [
      'more kills of the kubelet than kills',
      { oomKills: ok({ source: 'journal', seen: 1, ofKubelet: 2 }) },
      ['oomKills'],
      { oomKills: ok({ source: 'journal', seen: 2, ofKubelet: 2 }) },
    ],
  ])('finds %s, and nothing in what only timing makes odd', (_, wrong, probes, odd) => {
    expect(found(wrong).map((one) => one.probes)).toEqual([probes]);
    expect(found(odd)).toEqual([]);
  });

  it('finds nothing on a node that is well, nor where a killed kubelet is still called Ready', () => {
    expect(found({})).toEqual([]);
    const killed = { ...stopped, active: 'failed', result: 'oom-kill' };
    expect(found({ kubelet: kubelet(killed), nodeStatus: ready })).toEqual([]);
    const oomKills = ok({ source: 'journal', seen: 1, ofKubelet: 1 });
    expect(found({ kubelet: kubelet(stopped), nodeStatus: ready, oomKills })).toEqual([]);
  });
});

describe('diagnose, of evidence that contradicts itself', () => {
  it('is inconclusive where the diagnosis would stand on it, and says what cannot be true', () => {
    const diagnosis = diagnose(evidenceWith(impossible), thresholds);

    expect(diagnosis).toMatchObject({ cause: 'inconclusive', confidence: 0 });
    expect(diagnosis.explanation).toContain(
      '/user.slice has 30000 dying memory cgroups, and the whole node 9000',
    );
    expect(diagnosis.explanation).toContain('dying-memcgs would stand on it');
    expect(diagnosis.findings[0]).toMatchObject({ fact: 'contradiction in the evidence', speaks: 'against' });
    expect(diagnosis.alsoPossible).toMatchObject([{ cause: 'dying-memcgs' }]);
  });

  it('never calls such a node healthy', () => {
    const broken = { throttling: throttling({ periods: 5, throttledPeriods: 30 }) };

    expect(diagnose(evidenceWith(broken), thresholds).cause).toBe('inconclusive');
  });

  it('keeps a diagnosis that needs none of it', () => {
    const probes = { sessions: sessions({ closing: 300 }), memory: memory(9_000_000) };
    const diagnosis = diagnose(evidenceWith(probes), thresholds);

    expect(diagnosis.cause).toBe('leaked-scopes');
  });

  it('says it also where nothing matches', () => {
    const probes = { memory: memory(9_000_000), cgroups: cgroups(100, 900) };

    const { explanation } = diagnose(evidenceWith(probes), thresholds);

    expect(explanation).toContain('contradicts itself: memory.availableKb');
    expect(explanation).not.toContain('would stand on it');
  });
});
