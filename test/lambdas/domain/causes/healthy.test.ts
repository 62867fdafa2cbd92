import { describe, expect, it } from 'vitest';
import { healthy } from '../../../../lambdas/domain/causes/healthy.ts';
import { diagnose } from '../../../../lambdas/domain/diagnosis.ts';
import { Evidence } from '../../../../lambdas/domain/evidence/evidence.ts';
import { cgroups, evidenceWith, missing, notHere, sessions } from '../sample-evidence.ts';
import { judged, kubelet, load, memory, nodeStatus, ok, pressure, reclaim, thresholds } from './judge.ts';

const judge = (probes: Parameters<typeof judged>[1] = {}) => judged(healthy, probes);
const failed = { status: 'failed', reason: 'it took too long' };

/** What a census prints: the quick profile, and nothing beside it. */
function census(change: Record<string, unknown> = {}): Evidence {
  const { probes } = evidenceWith();
  const { host, hierarchy, slices, history } = probes;
  const quick = { host, hierarchy, slices, history, cgroups: probes.cgroups, memory: probes.memory };
  return Evidence.parse({
    version: 1,
    document: 'collect-evidence',
    profile: 'quick',
    collectedAt: '2026-11-21T06:30:00Z',
    probes: { ...quick, pressure: probes.pressure, reclaim: probes.reclaim, ...change },
  });
}

const aroundNode = ['nodeStatus', 'podStatus', 'nodeEvents', 'kubeletMetrics', 'trend', 'console'];

describe('healthy', () => {
  it('is a node on which every figure is fine, and the floor of a fresh boot is none', () => {
    expect(judge().result).toBe('matches');
    expect(judge({ cgroups: cgroups(200, thresholds.dyingFloor) }).result).toBe('matches');
    expect(judge().explanation).toMatch(/All \d\d figures/);
  });

  it.each<[string, Parameters<typeof judged>[1]]>([
    ['dying cgroups above the floor', { cgroups: cgroups(200, 301) }],
    ['too many live cgroups', { cgroups: cgroups(10_000, 20) }],
    ['stalls', { pressure: pressure(5.1) }],
    ['direct reclaim', { load: load({ directReclaimPercent: 15 }) }],
    ['tasks that reclaim for themselves', { reclaim: reclaim({ allocstall: 11 }) }],
    [
      'leaked scopes',
      { unpopulated: ok({ pod: 0, scope: 50, session: 0, other: 0, checked: 50, sample: [] }) },
    ],
    ['stuck sessions', { sessions: sessions({ closing: 50 }) }],
    ['an OOM kill', { oomKills: ok({ source: 'journal', seen: 1, ofKubelet: 0 }) }],
    ['a container killed', { podStatus: ok({ coveredSeconds: 3600, oomKilled: [{ pod: 'a/b' }] }) }],
    ['a dead kubelet', { kubelet: kubelet({ active: 'failed' }) }],
    ['a kubelet that is not well', { kubelet: kubelet({ healthz: 500 }) }],
    ['NotReady', { nodeStatus: nodeStatus({ conditions: [{ type: 'Ready', status: 'Unknown' }] }) }],
    [
      'MemoryPressure',
      { nodeStatus: nodeStatus({ conditions: [{ type: 'MemoryPressure', status: 'True' }] }) },
    ],
  ])('is not a node with %s', (_, probes) => {
    expect(judge(probes).result).toBe('excluded');
    expect(diagnose(evidenceWith(probes), thresholds).cause).not.toBe('healthy');
  });

  it('allows what any busy node shows', () => {
    const noise = {
      cgroups: cgroups(400, 60),
      pressure: pressure(0.9),
      load: load({ directReclaimPercent: 0.5, kswapdPercent: 3 }),
      reclaim: reclaim({ allocstall: 4, pgmajfault: 60 }),
      sessions: sessions({ logins: 3, closing: 1 }),
      memory: memory(1_500_000),
    };

    expect(diagnose(evidenceWith(noise), thresholds).cause).toBe('healthy');
  });

  it('goes by the eviction threshold of this very node, with room before it', () => {
    const at = (availableKb: number, evictionHard: Record<string, string> | null) =>
      judge({ memory: memory(availableKb), kubelet: kubelet({ config: { evictionHard } }) }).result;

    expect(at(204_800, { 'memory.available': '100Mi' })).toBe('matches');
    expect(at(204_799, { 'memory.available': '100Mi' })).toBe('excluded');
    expect(at(1_599_999, { 'memory.available': '10%' })).toBe('excluded');
    expect(at(400_000, null)).toBe('matches');
    expect(at(399_999, null)).toBe('excluded');
    // One that evicts for other things only says nothing of memory.
    expect(at(400_000, { 'nodefs.available': '10%' })).toBe('matches');
    expect(at(399_999, { 'nodefs.available': '10%' })).toBe('excluded');
  });

  it.each([
    'host',
    'cgroups',
    'slices',
    'memory',
    'pressure',
    'reclaim',
    'unpopulated',
    'load',
    'mkdirProbe',
  ])('is not known without %s', (probe) => {
    expect(judge({ [probe]: missing })).toMatchObject({ result: 'insufficient-evidence', needs: [probe] });
  });

  it.each([
    'sessions',
    'agents',
    'journal',
    'oomKills',
    'kubelet',
    'containers',
    'workloads',
    'throttling',
    'nodeStatus',
    'podStatus',
    'nodeEvents',
    'kubeletMetrics',
    'trend',
    'console',
  ])('is not known without %s where what answers with it has answered', (probe) => {
    expect(judge({ [probe]: missing })).toMatchObject({ result: 'insufficient-evidence', needs: [probe] });
  });

  it.each([
    [
      'an API server that nobody is to ask',
      ['nodeStatus', 'podStatus', 'nodeEvents', 'kubeletMetrics'],
      notHere,
    ],
    ['metrics that nobody publishes', ['trend', 'kubeletMetrics', 'console'], notHere],
    ['anything around the node where none of it was asked for', aroundNode, missing],
    ['Kubernetes', ['kubelet', 'containers', 'workloads', 'throttling', ...aroundNode], missing],
    ['the tools of systemd', ['sessions', 'agents', 'journal', 'oomKills', 'timers'], missing],
  ])('does not need %s', (_, probes, gap) => {
    expect(judge(Object.fromEntries(probes.map((probe) => [probe, gap]))).result).toBe('matches');
  });

  it.each(['kubelet', ...aroundNode])(
    'is not known where %s is there and could not be read, whatever else is not there',
    (probe) => {
      const others = [
        'kubelet',
        'containers',
        'workloads',
        'throttling',
        'sessions',
        'agents',
        'journal',
        'oomKills',
      ];
      const gaps = Object.fromEntries([...others, ...aroundNode].map((name) => [name, missing]));

      expect(judge(gaps).result).toBe('matches');
      expect(judge({ ...gaps, [probe]: failed })).toMatchObject({
        result: 'insufficient-evidence',
        needs: [probe],
      });
    },
  );

  it.each(['kubelet', 'containers', 'workloads', 'throttling'])(
    'is not known without %s where anything says that there is Kubernetes',
    (probe) => {
      const api = { nodeStatus: evidenceWith().probes.nodeStatus };
      const rest = Object.fromEntries(aroundNode.slice(1).map((name) => [name, notHere]));
      expect(judge({ ...rest, ...api, [probe]: missing })).toMatchObject({ needs: [probe] });
    },
  );

  it.each(aroundNode)(
    'is not known where %s is gone, and whoever asked knows of the rest that it is nowhere',
    (probe) => {
      const rest = Object.fromEntries(aroundNode.map((name) => [name, notHere]));

      expect(judge(rest).result).toBe('matches');
      expect(judge({ ...rest, [probe]: missing })).toMatchObject({ needs: [probe] });
    },
  );

  it('is not known of an examination without a word of the services, and is where there are none', () => {
    const services = ['kubelet', 'containers', 'sessions', 'timers', 'agents', 'oomKills', 'journal'];
    const without = (gap: unknown) =>
      judge(Object.fromEntries([...services, ...aroundNode].map((name) => [name, gap])));

    expect(without(undefined)).toMatchObject({
      result: 'insufficient-evidence',
      needs: ['sessions', 'agents', 'journal', 'oomKills'],
    });
    expect(without(missing).result).toBe('matches');
  });

  it('is not known where the kernel counts no stalls, or nobody watched, unless a census was told not to', () => {
    const notWatched = { status: 'missing', reason: 'not asked for' };

    expect(judge({ reclaim: reclaim({ allocstall: null }) })).toMatchObject({
      needs: ['reclaim.allocstall'],
    });
    expect(judge({ reclaim: notWatched })).toMatchObject({ needs: ['reclaim'] });
    expect(diagnose(census({ reclaim: missing }), thresholds).cause).toBe('inconclusive');
  });

  it('takes a good answer of the kubelet, and no condition that says nothing of memory or processes', () => {
    const conditions = [
      { type: 'Ready', status: 'True' },
      { type: 'DiskPressure', status: 'True' },
    ];
    const { result, findings } = judge({
      kubelet: kubelet({ healthz: 200 }),
      nodeStatus: nodeStatus({ conditions }),
    });

    expect(result).toBe('matches');
    expect(findings).toContainEqual(
      expect.objectContaining({ fact: 'health endpoint of the kubelet', value: 200, speaks: 'for' }),
    );
    expect(findings.map(({ fact }) => fact)).toContain('condition Ready');
    expect(findings.map(({ fact }) => fact)).not.toContain('condition DiskPressure');
  });

  it('can be told by a census, also one that watches no window', () => {
    expect(diagnose(census(), thresholds).cause).toBe('healthy');
    expect(
      diagnose(census({ reclaim: { status: 'missing', reason: 'not asked for' } }), thresholds).cause,
    ).toBe('healthy');
    expect(diagnose(census({ reclaim: failed }), thresholds).cause).toBe('inconclusive');
    expect(diagnose(census({ pressure: missing }), thresholds).cause).toBe('inconclusive');
    // Not to watch a window excuses no other gap.
    const unwatched = { reclaim: { status: 'missing', reason: 'not asked for' } };
    expect(diagnose(census({ ...unwatched, pressure: missing }), thresholds).cause).toBe('inconclusive');
    expect(diagnose(census({ ...unwatched, slices: missing }), thresholds).cause).toBe('inconclusive');
  });
});
