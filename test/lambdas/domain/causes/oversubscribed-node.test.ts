import { describe, expect, it } from 'vitest';
import { oversubscribedNode } from '../../../../lambdas/domain/causes/oversubscribed-node.ts';
import { diagnose } from '../../../../lambdas/domain/diagnosis.ts';
import { cgroups, evidenceWith, missing } from '../sample-evidence.ts';
import { judged, kubelet, memory, nodeStatus, ok, pressure, thresholds, tried } from './judge.ts';

const judge = (probes: Parameters<typeof judged>[1]) => judged(oversubscribedNode, probes);
const asked = (limitsKb: number, requestsKb = 3_000_000, podsWithoutLimit = 0) => ({
  memory: { capacityKb: 8_000_000, allocatableKb: 7_000_000, requestsKb, limitsKb, podsWithoutLimit },
});
const pressed = [
  { type: 'Ready', status: 'True' },
  { type: 'MemoryPressure', status: 'True', sinceSeconds: 600 },
];
const overcommitted = nodeStatus(asked(14_000_000));
const config = (change: Record<string, unknown>) =>
  kubelet({
    config: {
      evictionHard: { 'memory.available': '100Mi' },
      kubeReserved: { memory: '574Mi' },
      systemReserved: { memory: '300Mi' },
      ...change,
    },
  });

describe('oversubscribed-node', () => {
  it('needs both: promises that are too large, and a node that is short', () => {
    const both = judge({
      nodeStatus: nodeStatus({ conditions: pressed, ...asked(14_000_000, 6_900_000, 5) }),
    });

    expect(both.result).toBe('matches');
    expect(both.confidence).toBe(0.83);
    expect(both.explanation).toContain('it reports MemoryPressure');
    expect(both.explanation).toContain('add up to 200 %');
    expect(both.explanation).toContain('5 pods have no memory limit');
    expect(both.finding('MemoryPressure of the node')?.source).toContain('10 minutes');
    expect(judge({ nodeStatus: overcommitted }).result).toBe('excluded');
    expect(
      judge({ nodeStatus: nodeStatus({ conditions: pressed, ...asked(5_000_000) }), kubelet: config({}) })
        .result,
    ).toBe('excluded');
  });

  it.each([
    ['100Mi', 204_800],
    ['5%', 800_000],
    ['200000k', 390_625],
    ['2e8', 390_625],
  ])('warns at twice the hard eviction threshold %s of this node', (threshold, kb) => {
    const at = (availableKb: number) =>
      judge({
        nodeStatus: overcommitted,
        memory: memory(availableKb),
        kubelet: config({ evictionHard: { 'memory.available': threshold } }),
      });
    const headroom = 'available memory, MiB, against the warning before hard eviction';

    expect(at(kb).finding(headroom)?.speaks).toBe('for');
    expect(at(kb).result).toBe('matches');
    expect(at(kb + 1).finding(headroom)?.speaks).toBe('against');
  });

  it('takes the default where no eviction is set, and none where others are', () => {
    const seen = (evictionHard: Record<string, string>) =>
      judge({
        nodeStatus: overcommitted,
        memory: memory(200_000),
        kubelet: config({ evictionHard }),
      }).finding('available memory, MiB, against the warning before hard eviction');

    expect(seen({})).toMatchObject({ speaks: 'for', threshold: 200 });
    expect(seen({ 'nodefs.available': '10%' })).toBeUndefined();
    for (const unread of ['plenty', '1e999', `${'9'.repeat(390)}%`]) {
      expect(seen({ 'memory.available': unread })).toBeUndefined();
    }
  });

  it('counts a kubelet that keeps nothing back, and says where to set it', () => {
    const { explanation, prevention } = judge({
      nodeStatus: nodeStatus({
        conditions: pressed,
        ...asked(5_000_000),
        pods: { allocatable: 110, running: 100, pending: 0 },
      }),
      kubelet: config({ kubeReserved: {}, systemReserved: {} }),
    });

    expect(explanation).toContain('nothing is reserved for Kubernetes');
    expect(prevention[0]).toMatchObject({
      what: 'kubeReserved.memory and systemReserved.memory of 1Gi together',
      where: expect.stringContaining('/etc/kubernetes/kubelet/config.json.d/'),
      because: expect.stringContaining('100 pods'),
    });
    expect(prevention.some(({ what }) => what.includes('maxPods'))).toBe(true);
  });

  it('does not take a node that is NotReady for one that is short of memory where it has plenty', () => {
    const conditions = [{ type: 'Ready', status: 'Unknown' }];
    const notReady = nodeStatus({ conditions, ...asked(14_000_000) });

    expect(judge({ nodeStatus: notReady }).result).toBe('excluded');
    // Alone it is no diagnosis where nobody saw the memory, either.
    expect(judge({ nodeStatus: notReady, memory: missing }).confidence).toBeLessThan(
      thresholds.leastConfidence,
    );
  });

  it('believes whoever has reserved memory, and was helped by it', () => {
    const notReady = {
      nodeStatus: ok({ conditions: [{ type: 'Ready', status: 'False' }] }),
      kubelet: kubelet({ config: { systemReserved: {} } }),
      memory: missing,
    };

    expect(judge({ ...notReady, observations: tried('reserve-memory', true) }).confidence).toBe(0.73);
    expect(judge({ ...notReady, observations: tried('reserve-memory', false) }).confidence).toBeLessThan(0.5);
  });

  it('stays open where the node is short and nobody knows what was promised', () => {
    expect(judge({ memory: memory(100_000), nodeStatus: missing, kubelet: missing })).toMatchObject({
      result: 'insufficient-evidence',
      needs: ['nodeStatus.memory', 'kubelet.config'],
    });
    expect(judge({ memory: missing, nodeStatus: missing })).toMatchObject({
      result: 'insufficient-evidence',
      needs: expect.arrayContaining(['memory']),
    });
  });

  it('comes before the pressure that it makes, and after a leak', () => {
    const short = {
      nodeStatus: nodeStatus({ conditions: pressed, ...asked(14_000_000) }),
      pressure: pressure(40),
    };
    const cause = (probes: Parameters<typeof evidenceWith>[0]) =>
      diagnose(evidenceWith(probes), thresholds).cause;

    expect(cause(short)).toBe('oversubscribed-node');
    expect(cause({ ...short, cgroups: cgroups(900, 2500) })).toBe('dying-memcgs');
  });

  it('does not count evictions of long ago as a node that is short now', () => {
    const kubeletMetrics = ok({ evictions: { 'memory.available': 4 } });

    expect(judge({ nodeStatus: overcommitted, kubeletMetrics }).result).toBe('excluded');
    expect(
      judge({ nodeStatus: overcommitted, podStatus: ok({ coveredSeconds: 3600, evicted: 3 }) }).result,
    ).toBe('matches');
  });
});
