import { describe, expect, it } from 'vitest';
import { dyingMemcgs } from '../../../../lambdas/domain/causes/dying-memcgs.ts';
import { kubeletLeak } from '../../../../lambdas/domain/causes/kubelet-leak.ts';
import { leakedScopes } from '../../../../lambdas/domain/causes/leaked-scopes.ts';
import { memcgIdExhaustion } from '../../../../lambdas/domain/causes/memcg-id-exhaustion.ts';
import { orphanedAgent } from '../../../../lambdas/domain/causes/orphaned-agent.ts';
import { sessionChurn } from '../../../../lambdas/domain/causes/session-churn.ts';
import { diagnose } from '../../../../lambdas/domain/diagnosis.ts';
import { evidenceWith } from '../sample-evidence.ts';
import { judged, memory, ok, thresholds } from './judge.ts';

const unseen = { status: 'missing', reason: 'not read' };

describe('dying-memcgs that nobody has counted', () => {
  const uncounted = { cgroups: unseen, memory: unseen };
  const freed = { what: 'drop-caches', helped: true };

  it('are found by two signs of them that have nothing to do with each other', () => {
    const { result, explanation } = judged(dyingMemcgs, {
      ...uncounted,
      observations: ok({ kernelHotspots: [{ symbol: 'mem_cgroup_iter' }], tried: [freed] }),
    });

    expect(result).toBe('matches');
    expect(explanation).toContain('Nobody has counted them');
  });

  it.each([
    ['a drop of the caches that helped', { tried: [freed] }],
    ['a profile', { kernelHotspots: [{ symbol: 'cache_reap' }] }],
    ['a counter of the kernel', { controllers: { memory: 65_535, cpu: 90 } }],
    ['something that leaves kernel memory', { leftovers: [{ after: 'pod', what: 'kernel-memory' }] }],
  ])('stay open by one alone: %s', (_, observations) => {
    const { result, needs } = judged(dyingMemcgs, { ...uncounted, observations: ok(observations) });

    expect([result, needs]).toEqual(['insufficient-evidence', ['cgroups']]);
  });

  it('are no surer for the word that kernel memory rises where a number of it speaks for them already', () => {
    const weighed = (totalKb: number) =>
      judged(dyingMemcgs, {
        cgroups: unseen,
        memory: memory(4_000_000, { totalKb: 8_000_000 }),
        trend: ok({
          series: { slabUnreclaimableKb: { source: 'report', perDay: 40_000, course: 'rises', points: [] } },
        }),
        observations: ok({ memory: { totalKb }, tried: [freed] }),
      }).findings.flatMap(({ fact, weight }) => (weight === undefined ? [] : [[fact, weight]]));

    const helped = ['what helped when it was tried', 0.4];
    const growth = ['growth of unreclaimable slab, percent of the node per day', 0.3];
    // Half a percent of the node as it was read, two percent of it as somebody has noted it.
    expect(weighed(2_000_000)).toEqual([helped, growth]);
    expect(weighed(8_000_000)).toEqual([helped, ['course of unreclaimable slab', 0.3]]);
  });

  it('are not seen in functions of reclaim, nor in another controller', () => {
    const { result } = judged(dyingMemcgs, {
      ...uncounted,
      observations: ok({
        kernelHotspots: [{ symbol: 'shrink_inactive_list' }],
        leakingController: 'blkio',
        tried: [freed],
      }),
    });

    expect(result).toBe('insufficient-evidence');
  });
});

describe('a crash loop whose starts nobody has counted', () => {
  const agent = { unit: 'stray-agent.service', sub: 'auto-restart', active: 'activating', containers: 0 };
  const node = (change: object) => ({
    cgroups: ok({ live: 200, dying: 40_000, source: 'proc-cgroups' }),
    agents: ok({ total: 1, failed: 0, entries: [{ ...agent, ...change }] }),
  });

  it('is one where it is between two starts when it is looked at', () => {
    expect(judged(orphanedAgent, node({})).result).toBe('matches');
    expect(judged(orphanedAgent, node({ sub: 'running', active: 'active' })).result).toBe('excluded');
  });

  it('is none where the starts were counted and are too few', () => {
    expect(judged(orphanedAgent, node({ restarts: 4 })).result).toBe('excluded');
  });

  it('does not hide what is sure, while it is not sure itself', () => {
    const evidence = evidenceWith({ ...node({}), slices: unseen });
    const strict = { ...thresholds, leastConfidence: 0.6 };

    expect(diagnose(evidence, strict).cause).toBe('dying-memcgs');
    expect(diagnose(evidence, strict).alsoPossible.map(({ cause }) => cause)).toContain('orphaned-agent');
  });
});

describe('leaked directories', () => {
  const empty = (change: object) =>
    ok({ pod: 0, scope: 0, session: 0, other: 0, checked: 0, sample: [], ...change });

  it('are those of pods as well, and others only in such numbers that they are too many either way', () => {
    expect(judged(leakedScopes, { unpopulated: empty({ pod: 50 }) }).result).toBe('matches');
    expect(judged(leakedScopes, { unpopulated: empty({ pod: 49, other: 9999 }) }).result).toBe('excluded');
    expect(judged(leakedScopes, { unpopulated: empty({ other: 10_000 }) }).result).toBe('matches');
  });

  it('hold the ids of memory cgroups, whoever made them', () => {
    const full = { mkdirProbe: ok({ made: 0, errno: 'ENOSPC' }) };

    expect(judged(memcgIdExhaustion, full).result).toBe('matches');
    expect(judged(memcgIdExhaustion, { ...full, unpopulated: empty({ other: 60_000 }) }).result).toBe(
      'excluded',
    );
  });

  it('are left by pods, where somebody has seen it and pods start often', () => {
    const seen = { observations: ok({ leftovers: [{ after: 'pod', what: 'directory' }] }) };
    const pods = (started: number, coveredSeconds: number | null = 3600) => ({
      podStatus: ok({ started, coveredSeconds }),
    });

    expect(judged(leakedScopes, { ...seen, ...pods(60) }).result).toBe('matches');
    expect(judged(leakedScopes, { ...seen, ...pods(1) }).result).toBe('excluded');
    expect(judged(leakedScopes, { ...seen, ...pods(50, 86_400) }).result).toBe('matches');
    expect(judged(leakedScopes, { ...seen, ...pods(49, 86_400) }).result).toBe('excluded');
    expect(judged(leakedScopes, { ...seen, ...pods(60, null) }).result).toBe('excluded');
  });

  it.each([
    ['login', 'directory'],
    ['pod', 'kernel-memory'],
  ])('are not what a %s leaves where that is %s', (after, what) => {
    const probes = {
      observations: ok({ leftovers: [{ after, what }] }),
      podStatus: ok({ started: 60, coveredSeconds: 3600 }),
    };

    expect(judged(leakedScopes, probes).result).toBe('excluded');
  });
});

describe('sessions that stay', () => {
  const logins = { open: 20, logins: 600, coveredSeconds: 3600 };

  it('are of logins that leave them, by the word of logind or of people', () => {
    expect(
      judged(sessionChurn, { sessions: ok({ ...logins, abandonFailed: 3 }), slices: unseen }).result,
    ).toBe('matches');
    expect(judged(sessionChurn, { sessions: ok(logins), slices: unseen }).result).toBe(
      'insufficient-evidence',
    );
  });
});

describe('a kubelet on cgroup v1 with a controller that leaks', () => {
  const words = { trend: ok({ series: { kubeletRssKb: { source: 'report', course: 'rises' } } }) };

  it('leaks where it is the misc controller', () => {
    const seen = (leakingController: string) => ({ ...words, observations: ok({ leakingController }) });

    expect(judged(kubeletLeak, seen('misc')).result).toBe('matches');
    expect(judged(kubeletLeak, seen('blkio')).result).not.toBe('matches');
  });
});
