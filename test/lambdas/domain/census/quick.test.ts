import { describe, expect, it } from 'vitest';
import { clusterFigures } from '../../../../lambdas/domain/census/cluster-figures.ts';
import { nodesAsked } from '../../../../lambdas/domain/census/node.ts';
import { figuresOf, quickSeries } from '../../../../lambdas/domain/census/node-figures.ts';
import { Raised, raisedMessage } from '../../../../lambdas/domain/census/raise.ts';
import { givesUpAfterSeconds } from '../../../../lambdas/domain/census/run.ts';
import { emptyTally, mostCandidates, type Tally, withNode } from '../../../../lambdas/domain/census/tally.ts';
import { verdictOf } from '../../../../lambdas/domain/census/verdict.ts';
import type { Evidence } from '../../../../lambdas/domain/evidence/evidence.ts';
import { cgroups, clusterWith, evidenceWith, missing } from '../sample-evidence.ts';

const cluster = clusterWith();
const idOf = (index: number) => `i-${String(index).padStart(17, '0')}`;

/** Only what the quick profile asks for. */
function quick(probes: Parameters<typeof evidenceWith>[0] = {}): Evidence {
  const { host, hierarchy, cgroups, slices, memory, pressure, reclaim, history } =
    evidenceWith(probes).probes;
  const nothing = Object.fromEntries(Object.keys(evidenceWith().probes).map((name) => [name, undefined]));
  const asked = { host, hierarchy, cgroups, slices, memory, pressure, reclaim, history };
  return { ...evidenceWith({ ...nothing, ...asked }), profile: 'quick' };
}

const leaking = (dying: number) => quick({ cgroups: cgroups(100, dying) });
const between = quick({ cgroups: cgroups(2000, 900) });

describe('the figures of a node', () => {
  it('are in the unit of their metric', () => {
    expect(figuresOf(quick(), quickSeries)).toEqual([
      { metric: 'DyingCgroups', unit: 'Count', value: 18 },
      { metric: 'LiveCgroups', unit: 'Count', value: 120 },
      { metric: 'MemoryAvailable', unit: 'Bytes', value: 5_000_000 * 1024 },
      { metric: 'SlabUnreclaimable', unit: 'Bytes', value: 1024 },
      { metric: 'Percpu', unit: 'Bytes', value: 1024 },
    ]);
  });

  it('are those that the settings pay for', () => {
    expect(figuresOf(quick(), ['percpuKb', 'dying']).map(({ metric }) => metric)).toEqual([
      'DyingCgroups',
      'Percpu',
    ]);
    expect(figuresOf(quick(), [])).toEqual([]);
  });

  it('are left out where they were not read, and are no zeros', () => {
    expect(figuresOf(quick({ cgroups: missing }), ['dying', 'availableKb'])).toEqual([
      { metric: 'MemoryAvailable', unit: 'Bytes', value: 5_000_000 * 1024 },
    ]);
  });
});

describe('a quick look at a node', () => {
  it('finds a fault by the thresholds of its cluster', () => {
    expect(verdictOf(leaking(5000), cluster)).toMatchObject({ is: 'fault', cause: 'dying-memcgs' });
    expect(verdictOf(leaking(5000), clusterWith({ thresholds: { dyingCount: 6000 } }))).toEqual({
      is: 'unclear',
    });
  });

  it('calls a node healthy that told everything that it was asked', () => {
    expect(verdictOf(quick(), cluster)).toEqual({ is: 'healthy' });
  });

  it('calls none healthy that lost an answer, or is between the floor and the threshold', () => {
    for (const probe of ['cgroups', 'memory', 'pressure', 'reclaim', 'slices', 'host']) {
      expect(verdictOf(quick({ [probe]: missing }), cluster), probe).toEqual({ is: 'unclear' });
    }
    expect(verdictOf(between, cluster)).toEqual({ is: 'unclear' });
  });

  it('raises nothing by a rule that only watches', () => {
    const shadowed = clusterWith({ diagnosis: { shadow: ['dying-memcgs'] } });

    expect(verdictOf(leaking(5000), shadowed).is).not.toBe('fault');
  });
});

function tallyOf(nodes: readonly Evidence[]): Tally {
  return nodes.reduce(
    (tally, evidence, index) => withNode(tally, idOf(index), evidence, cluster),
    emptyTally,
  );
}

describe('the tally of a run', () => {
  it('has the worst first, and counts all', () => {
    const tally = tallyOf([leaking(3000), quick(), leaking(9000), between]);

    expect(tally).toMatchObject({
      dying: { nodes: 4, sum: 3000 + 18 + 9000 + 900, min: 18, max: 9000 },
      overThreshold: 2,
      unclear: 1,
    });
    expect(tally.candidates.map(({ instanceId, dying }) => [instanceId, dying])).toEqual([
      [idOf(2), 9000],
      [idOf(0), 3000],
    ]);
  });

  it('does not count as a zero what was not counted', () => {
    expect(tallyOf([quick({ cgroups: missing })])).toMatchObject({
      dying: { nodes: 0 },
      overThreshold: 0,
      unclear: 1,
    });
  });

  it('keeps no more candidates than travel in a message, the worst of them, and counts the others', () => {
    const full: Tally = {
      ...emptyTally,
      overThreshold: mostCandidates,
      candidates: Array.from({ length: mostCandidates }, (_, index) => ({
        instanceId: idOf(index),
        cause: 'dying-memcgs',
        confidence: 0.9,
        dying: 4000,
      })),
    };
    const worse = withNode(full, idOf(5000), leaking(9000), cluster);
    const milder = withNode(full, idOf(5000), leaking(3000), cluster);

    expect(worse.candidates).toHaveLength(mostCandidates);
    expect(worse.candidates[0]).toMatchObject({ instanceId: idOf(5000) });
    expect(milder.candidates).toEqual(full.candidates);
    expect(milder.overThreshold).toBe(mostCandidates + 1);
  });
});

describe('the nodes that a run is about', () => {
  const startedAt = new Date('2026-11-21T06:30:00Z');
  const node = (index: number, minutesOld: number) => ({
    instanceId: idOf(index),
    launchedAt: new Date(startedAt.getTime() - minutesOld * 60_000),
  });

  it('are all that run and had time to register, whether or not SSM has heard of them', () => {
    const { asked, silent } = nodesAsked([node(1, 60), node(2, 60), node(3, 60)], [idOf(2)], startedAt);

    expect(asked).toHaveLength(3);
    expect(silent.map(({ instanceId }) => instanceId)).toEqual([idOf(1), idOf(3)]);
  });

  it('are not those that have only just begun, unless they have answered', () => {
    const { asked, silent } = nodesAsked([node(1, 9), node(2, 9), node(3, 11)], [idOf(2)], startedAt);

    expect(asked.map(({ instanceId }) => instanceId)).toEqual([idOf(2), idOf(3)]);
    expect(silent.map(({ instanceId }) => instanceId)).toEqual([idOf(3)]);
  });

  it('are not those that answered and are gone', () => {
    expect(nodesAsked([], [idOf(1)], startedAt)).toEqual({ asked: [], silent: [] });
  });
});

describe('the figures of a cluster', () => {
  it('say nothing of thresholds where nobody answered', () => {
    expect(clusterFigures(emptyTally, { nodes: 7, answered: 0, raised: 0, heldBack: 0 })).toEqual({
      counts: { CensusRuns: 1, Nodes: 7, NodesAnswered: 0 },
    });
  });

  it('are what the tally came to', () => {
    const tally = tallyOf([leaking(3000), quick(), between]);

    expect(clusterFigures(tally, { nodes: 4, answered: 3, raised: 1, heldBack: 0 })).toEqual({
      counts: {
        CensusRuns: 1,
        Nodes: 4,
        NodesAnswered: 3,
        NodesOverThreshold: 1,
        NodesUnclear: 1,
        NodesRaised: 1,
        NodesHeldBack: 0,
      },
      dying: tally.dying,
    });
  });
});

describe('what the intake gets', () => {
  const run = { cluster: 'prod', startedAt: '2026-11-21T06:30:00.000Z' };
  const candidate = { instanceId: idOf(1), cause: 'dying-memcgs', confidence: 0.95, dying: 5000 } as const;
  const now = new Date('2026-11-21T06:31:00Z');

  it('names the node, the cause and the run, and says the same for every delivery of it', () => {
    const message = raisedMessage(run, candidate, 'ip-10-0-0-1.ec2.internal', now);

    expect(Raised.parse(message)).toEqual({
      source: 'census',
      received: '2026-11-21T06:31:00.000Z',
      payload: {
        cluster: 'prod',
        instanceId: idOf(1),
        nodeName: 'ip-10-0-0-1.ec2.internal',
        at: run.startedAt,
        cause: 'dying-memcgs',
        reason: 'a quick look of the census found dying-memcgs (confidence 0.95): 5000 dying memory cgroups',
      },
    });
    const later = raisedMessage(run, candidate, undefined, new Date('2026-11-21T06:40:00Z'));
    expect(later.payload.at).toBe(message.payload.at);
    expect(later.payload).not.toHaveProperty('nodeName');
  });

  it('says where they were not counted', () => {
    expect(raisedMessage(run, { ...candidate, dying: null }, undefined, now).payload.reason).toMatch(
      /were not counted$/,
    );
  });
});

describe('a run', () => {
  it.each([
    ['quick', 5, 240],
    ['quick', 15, 600],
    ['quick', 1440, 600],
    ['full', 15, 1800],
  ] as const)(
    '%s every %i minutes gives up after %i s, before the next begins',
    (profile, every, seconds) => {
      expect(givesUpAfterSeconds(profile, every)).toBe(seconds);
      if (profile === 'quick') expect(seconds).toBeLessThan(every * 60);
    },
  );
});
