import { describe, expect, it } from 'vitest';
import { deadContainers, exitedLimit } from '../../../../lambdas/domain/causes/dead-containers.ts';
import { clusterWith, evidenceWith, missing } from '../sample-evidence.ts';
import { kubelet, ok } from './judge.ts';
import { judged } from './judged.ts';

const containers = (running: number | null, exited: number | null, sandboxesNotReady: number | null = 0) =>
  ok({ running, exited, sandboxesNotReady });
const verdictWith = (probes: Parameters<typeof evidenceWith>[0]) =>
  judged(deadContainers, evidenceWith({ kubeletMetrics: missing, ...probes }));

describe('dead-containers', () => {
  it.each([
    [100, 499, 'excluded', 0],
    [100, 500, 'matches', 0.6],
    [50, 500, 'matches', 0.8],
    [5, 50, 'matches', 0.5],
    [4, 49, 'excluded', 0],
    [5, 49, 'excluded', 0],
    [6, 59, 'excluded', 0],
    [0, 50, 'matches', 0.5],
  ])('%d running and %d exited: %s', (running, exited, result, confidence) => {
    expect(verdictWith({ containers: containers(running, exited) })).toMatchObject({ result, confidence });
  });

  it('are also sandboxes, which the runtime lists just like containers', () => {
    const verdict = verdictWith({ containers: containers(20, 20, 800) });

    expect(verdict.result).toBe('matches');
    expect(verdict.explanation).toContain('800 sandboxes that are not ready');
    expect(verdict.prevention[0]?.what).toContain('ttlSecondsAfterFinished');
    expect(verdictWith({ containers: containers(20, 20, 499) }).result).toBe('excluded');
  });

  it('are proven by a list that was too large for gRPC, also where nobody could count them', () => {
    const journal = { cgroupDeleteFailed: 0, pleg: 3, criDeadline: 0, listTooLarge: 7 };
    const kubeletSaying = (said: typeof journal) => kubelet({ journal: said });
    const byJournal = verdictWith({ containers: missing, kubelet: kubeletSaying(journal) });
    const sample = '"GenericPLEG: Unable to retrieve pods" err="received message larger than max"';
    const reasons = [{ reason: 'ContainerGCFailed', count: 4, lastSecondsAgo: 5, sample }];
    const nodeEvents = ok({ coveredSeconds: 3600, reasons, sandboxNoSpace: 0, sandboxNoMemory: 0 });

    expect(byJournal).toMatchObject({ result: 'matches', confidence: 0.8 });
    expect(byJournal.explanation).toContain('how many was not seen');
    expect(byJournal.explanation).toContain('seen 7 times');
    expect(
      verdictWith({ containers: missing, kubelet: kubeletSaying({ ...journal, listTooLarge: 1 }) })
        .explanation,
    ).toContain('(seen once)');
    expect(verdictWith({ containers: missing, nodeEvents })).toMatchObject({
      result: 'matches',
      confidence: 0.8,
    });
  });

  it('are open where nobody counted them, or their sandboxes', () => {
    expect(verdictWith({ containers: missing }).needs).toEqual(['containers']);
    expect(verdictWith({ containers: containers(20, 20, null) }).needs).toEqual(['containers.sandboxes']);
    expect(verdictWith({ containers: containers(null, 60) }).result).toBe('excluded');
  });

  it('are counted by the kubelet where the runtime does not answer', () => {
    const kubeletMetrics = ok({ runningContainers: 10, exitedContainers: 900 });

    expect(verdictWith({ containers: missing, kubeletMetrics })).toMatchObject({ result: 'matches' });
  });

  it('have a limit of the kubelet as their prevention only where containers are what piles up', () => {
    const whats = verdictWith({ containers: containers(10, 900) }).prevention.map(({ what }) => what);

    expect(whats).toHaveLength(1);
    expect(whats[0]).toContain('--maximum-dead-containers=100');
  });
});

describe('exitedLimit', () => {
  const { thresholds } = clusterWith();

  it.each([
    [null, 500],
    [0, 50],
    [5, 50],
    [12, 120],
    [200, 500],
  ])('for %s running ones is %d', (running, limit) => {
    expect(exitedLimit(running, thresholds)).toBe(limit);
  });
});
