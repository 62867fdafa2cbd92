import { describe, expect, it } from 'vitest';
import { memcgIdExhaustion } from '../../../../lambdas/domain/causes/memcg-id-exhaustion.ts';
import { diagnose } from '../../../../lambdas/domain/diagnosis.ts';
import { cgroups, clusterWith, evidenceWith, missing } from '../sample-evidence.ts';
import { judged } from './judged.ts';

const ok = (value: unknown) => ({ status: 'ok', value });
const host = (kernel: string | null) => ok({ kernel, os: 'x', bootId: 'b', uptimeSeconds: 9, cpus: 2 });
const mkdir = (errno: string | null, made = 0) => ok({ made, errno });
const journal = (cgroupNoSpace: number, cgroupNoMemory = 0) =>
  ok({ coveredSeconds: 3600, lines: 100, cutOff: false, cgroupNoSpace, cgroupNoMemory });
const events = (sandboxNoSpace: number, sandboxNoMemory = 0) =>
  ok({ coveredSeconds: 3600, reasons: [], sandboxNoSpace, sandboxNoMemory });
const unpopulated = (scope: number) => ok({ pod: 0, scope, session: 0, other: 0, checked: 0, sample: [] });
const el7 = host('3.10.0-1160.el7.x86_64');
const verdictWith = (probes: Parameters<typeof evidenceWith>[0]) =>
  judged(memcgIdExhaustion, evidenceWith(probes));

describe('memcg-id-exhaustion', () => {
  it('is a memory cgroup that cannot be made for want of space', () => {
    const verdict = verdictWith({ mkdirProbe: mkdir('ENOSPC') });

    expect(verdict).toMatchObject({ result: 'matches', confidence: 0.7 });
    expect(verdict.explanation).toContain('Making one failed with ENOSPC.');
    expect(verdict.explanation).toContain('The disk is not what is full.');
  });

  it('is surer on a kernel where the dying keep their ids', () => {
    const verdict = verdictWith({ host: el7, mkdirProbe: mkdir('ENOSPC'), journal: journal(12) });

    expect(verdict.confidence).toBe(0.94);
    expect(verdict.explanation).toContain('only a reboot or a replacement of the node helps');
  });

  it('is none where making one works', () => {
    expect(verdictWith({}).result).toBe('excluded');
    expect(verdictWith({ journal: journal(12), nodeEvents: events(3) }).result).toBe('excluded');
    expect(verdictWith({ cgroups: cgroups(100, 90_000) }).result).toBe('excluded');
  });

  it('takes want of memory for it only where the kernel means ids by it', () => {
    const withKernel = (kernel: string | null) =>
      verdictWith({ host: host(kernel), mkdirProbe: mkdir('ENOMEM'), journal: journal(0, 22) });

    expect(withKernel('3.10.0-1160.el7.x86_64')).toMatchObject({ result: 'matches', confidence: 0.88 });
    expect(withKernel('6.1.119').result).toBe('excluded');
    expect(withKernel(null)).toMatchObject({ result: 'insufficient-evidence', needs: ['host'] });
  });

  it('believes the words of others on such a kernel, even where the probe could still make some', () => {
    expect(verdictWith({ host: el7, journal: journal(0, 22) }).result).toBe('matches');
    expect(verdictWith({ host: el7, nodeEvents: events(70) }).result).toBe('matches');
    expect(verdictWith({ host: el7 }).result).toBe('excluded');
  });

  it('believes them on a newer kernel only where the directories alone use the ids up', () => {
    const blind = { mkdirProbe: missing, journal: journal(12) };

    expect(verdictWith({ ...blind, cgroups: cgroups(59_999, 90_000) }).result).toBe('excluded');
    expect(verdictWith({ ...blind, cgroups: cgroups(60_000, 0) })).toMatchObject({
      result: 'matches',
      confidence: 0.8,
    });
    expect(verdictWith({ ...blind, cgroups: missing }).needs).toEqual(['cgroups']);
  });

  it('believes them on an unknown kernel where all memory cgroups together are nearly as many as there are ids', () => {
    const blind = { host: missing, mkdirProbe: missing, journal: journal(12) };

    expect(verdictWith({ ...blind, cgroups: cgroups(300, 64_000) })).toMatchObject({
      result: 'matches',
      // As sure as the words alone: were the kernel known, it might speak against it.
      confidence: 0.6,
    });
    expect(
      verdictWith({ ...blind, cgroups: missing, observations: ok({ controllers: { memory: 64_734 } }) })
        .result,
    ).toBe('matches');
    expect(verdictWith({ ...blind, cgroups: cgroups(300, 9000) })).toMatchObject({
      result: 'insufficient-evidence',
      needs: ['host'],
    });
  });

  it.each(['EACCES', 'EROFS', 'other'])('is open where the probe failed for another reason: %s', (errno) => {
    expect(verdictWith({ mkdirProbe: mkdir(errno) }).needs).toEqual(['mkdirProbe']);
  });

  it('is open where nobody tried', () => {
    expect(verdictWith({ mkdirProbe: missing }).needs).toEqual(['mkdirProbe']);
    expect(verdictWith({ mkdirProbe: missing, host: missing }).needs).toEqual(['mkdirProbe']);
  });

  it('is none where directories without a process hold the ids: removing those gives them back', () => {
    const exhausted = { mkdirProbe: mkdir('ENOSPC'), cgroups: cgroups(65_500, 10) };

    expect(verdictWith({ ...exhausted, unpopulated: unpopulated(65_000) }).result).toBe('excluded');
    expect(verdictWith({ ...exhausted, unpopulated: unpopulated(200) }).result).toBe('matches');
    expect(
      diagnose(evidenceWith({ ...exhausted, unpopulated: unpopulated(65_000) }), clusterWith().thresholds)
        .cause,
    ).toBe('leaked-scopes');
  });

  it('is none where dropping caches gave the ids back', () => {
    const tried = (helped: boolean) => ok({ tried: [{ what: 'drop-caches', helped }] });
    const exhausted = { host: host('3.19'), mkdirProbe: mkdir('ENOSPC'), cgroups: cgroups(300, 65_235) };

    expect(verdictWith({ ...exhausted, observations: tried(true) }).result).toBe('excluded');
    expect(verdictWith({ ...exhausted, observations: tried(false) }).result).toBe('matches');
  });

  it('is the diagnosis before the dying cgroups that hold the ids, and before a few leaked directories', () => {
    const evidence = evidenceWith({
      host: el7,
      mkdirProbe: mkdir('ENOSPC'),
      cgroups: cgroups(300, 65_000),
      unpopulated: unpopulated(60),
    });
    const diagnosis = diagnose(evidence, clusterWith().thresholds);

    expect(diagnosis.cause).toBe('memcg-id-exhaustion');
    expect(diagnosis.alsoPossible.map(({ cause }) => cause)).toEqual(['dying-memcgs', 'leaked-scopes']);
  });

  it('recommends nokmem only to kernels that are so old, know it, and charge their own memory to cgroups', () => {
    const nokmem = (kernel: string, more: Parameters<typeof evidenceWith>[0] = {}) =>
      verdictWith({
        host: host(kernel),
        mkdirProbe: mkdir('ENOSPC'),
        hierarchy: ok({ memory: 'v1', layout: 'legacy', mount: '/sys/fs/cgroup/memory' }),
        ...more,
      }).prevention.some(({ what }) => what.includes('nokmem'));

    expect(nokmem('3.10.0-1160.el7.x86_64')).toBe(true);
    expect(nokmem('3.10.0-1061.el7.x86_64')).toBe(false);
    expect(nokmem('4.6.2')).toBe(true);
    expect(nokmem('4.4.0-210')).toBe(false);
    expect(nokmem('6.1.119')).toBe(false);
    expect(nokmem('3.10.0-1160.el7.x86_64', { kmem: ok({ accounting: 'off', usageKb: 0 }) })).toBe(false);
    expect(
      nokmem('4.6.2', { hierarchy: ok({ memory: 'v2', layout: 'unified', mount: '/sys/fs/cgroup' }) }),
    ).toBe(false);
  });

  it('warns of new nodes only where their kernel will do the same', () => {
    const scaling = (kernel: string) =>
      verdictWith({ host: host(kernel), mkdirProbe: mkdir('ENOSPC') }).prevention.some(({ what }) =>
        what.startsWith('do not scale out now'),
      );

    expect(scaling('3.10.0-1160.el7.x86_64')).toBe(true);
    expect(scaling('6.1.119')).toBe(false);
  });
});
