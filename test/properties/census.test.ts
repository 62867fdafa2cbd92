import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addBurdens, Burdens, noBurdens } from '../../lambdas/domain/census/burdens.ts';
import { fleetReport } from '../../lambdas/domain/census/fleet-report.ts';
import { figuresOf, quickSeries } from '../../lambdas/domain/census/node-figures.ts';
import { CensusRun, mostNodes } from '../../lambdas/domain/census/run.ts';
import { mostSecondLooks } from '../../lambdas/domain/census/second-look.ts';
import { emptyTally, mostCandidates, Tally, withNode } from '../../lambdas/domain/census/tally.ts';
import { verdictOf } from '../../lambdas/domain/census/verdict.ts';
import { diagnose } from '../../lambdas/domain/diagnosis.ts';
import type { Evidence } from '../../lambdas/domain/evidence/evidence.ts';
import { clusterWith } from '../lambdas/domain/sample-evidence.ts';
import { anyEvidence } from './arbitrary-evidence.ts';
import { runs } from './runs.ts';

const cluster = clusterWith();
const idOf = (index: number) => `i-${String(index).padStart(17, '0')}`;
const fleet = fc.array(anyEvidence, { maxLength: 6 });

function tallyOf(nodes: readonly (readonly [string, Evidence])[]): Tally {
  return nodes.reduce((tally, [id, evidence]) => withNode(tally, id, evidence, cluster), emptyTally);
}

describe('the census, for any evidence', () => {
  it('counts a node as healthy only where its diagnosis is that it is', () => {
    fc.assert(
      fc.property(anyEvidence, (evidence) => {
        const { is } = verdictOf(evidence, cluster);
        const { cause } = diagnose(evidence, cluster.thresholds);

        expect(is === 'healthy').toBe(cause === 'healthy');
        expect(is === 'unclear').toBe(cause === 'inconclusive');
      }),
      runs(200),
    );
  });

  it('publishes finite figures, of what was read only', () => {
    fc.assert(
      fc.property(anyEvidence, (evidence) => {
        const figures = figuresOf(evidence, quickSeries);
        const { cgroups, memory } = evidence.probes;

        for (const { value } of figures) expect(Number.isFinite(value) && value >= 0).toBe(true);
        expect(figures).toHaveLength((cgroups.status === 'ok' ? 2 : 0) + (memory.status === 'ok' ? 3 : 0));
      }),
      runs(200),
    );
  });

  it('comes to the same tally in whatever order nodes answer, and to no more nodes than there are', () => {
    fc.assert(
      fc.property(fleet, (all) => {
        const nodes = all.map((evidence, index) => [idOf(index), evidence] as const);
        const tally = tallyOf(nodes);

        expect(tallyOf(nodes.toReversed())).toEqual(tally);
        expect(Tally.safeParse(tally).error).toBeUndefined();
        expect(tally.overThreshold + tally.unclear).toBeLessThanOrEqual(all.length);
        expect(tally.candidates).toHaveLength(tally.overThreshold);
      }),
      runs(60),
    );
  });

  it('reports in plain words, and calls nothing sound of which a part was not told', () => {
    fc.assert(
      fc.property(fleet, (all) => {
        const burdens = all.reduce((known, node, index) => addBurdens(known, idOf(index), node), noBurdens);
        const { text, findings } = fleetReport('prod', all.length + 1, burdens);

        expect(Burdens.safeParse(burdens).error).toBeUndefined();
        expect(text).not.toMatch(/undefined|NaN|\[object/);
        expect(text).toContain('Of the other 1 nothing is known');
        const untold = all.some(
          ({ probes }) => probes.agents.status !== 'ok' || probes.kubelet.status !== 'ok',
        );
        if (untold || findings > 0) expect(text).not.toContain('Nothing that can be told was found');
      }),
      runs(60),
    );
  });

  it('fits into a message, however large the cluster and whatever its nodes are called', () => {
    const ids = Array.from({ length: mostNodes }, (_, index) => idOf(index));
    const base = {
      version: 1,
      id: `census-${'c'.repeat(100)}-quick-2026-11-21T06:30:00.000Z`,
      cluster: 'c'.repeat(100),
      startedAt: '2026-11-21T06:30:00.000Z',
      commands: { evidence: 'x'.repeat(36), services: 'x'.repeat(36) },
      answered: ids,
      unread: [],
    } as const;
    const worst = {
      kind: 'reservation',
      subject: '"'.repeat(120),
      value: '\\'.repeat(120),
      nodes: mostNodes,
      examples: ids.slice(0, 3),
    } as const;
    const quick = CensusRun.parse({
      ...base,
      profile: 'quick',
      tally: {
        ...emptyTally,
        candidates: ids.slice(0, mostCandidates).map((instanceId) => ({
          instanceId,
          cause: 'cpu-quota-throttling',
          confidence: 0.123456789012345,
          dying: 400_000_000,
        })),
        secondLooks: ids.slice(0, mostSecondLooks).map((instanceId) => ({
          instanceId,
          due: {
            at: '2026-11-21T06:30:00.000Z',
            cause: 'cpu-quota-throttling',
            treatment: 'contain-sessions',
            signal: 'exitedContainers',
            level: 400_000_000,
            atMost: 400_000_000,
            incident: 'i'.repeat(100),
          },
          result: 'came-back',
          reason: '"'.repeat(300),
        })),
      },
    });
    const full = CensusRun.parse({
      ...base,
      profile: 'full',
      tally: {
        ...emptyTally,
        burdens: { nodes: mostNodes, omitted: 9_999_999, entries: Array.from({ length: 200 }, () => worst) },
      },
    });

    for (const run of [quick, full]) {
      expect(Buffer.byteLength(JSON.stringify(run))).toBeLessThanOrEqual(256 * 1024);
    }
    expect(Burdens.safeParse({ ...full.tally.burdens, entries: Array(201).fill(worst) }).success).toBe(false);
  });
});
