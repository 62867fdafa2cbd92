import { describe, expect, it } from 'vitest';
import {
  type DueLook,
  judgeAgain,
  mostSecondLooks,
  secondLookMessage,
} from '../../../../lambdas/domain/census/second-look.ts';
import { emptyTally, withSecondLook } from '../../../../lambdas/domain/census/tally.ts';
import { cgroups, clusterWith, evidenceWith, missing } from '../sample-evidence.ts';

const cluster = clusterWith();
const instanceId = 'i-0123456789abcdef0';
/** Due at the moment of the sample evidence: cured a day before it. */
const due: DueLook = {
  at: '2026-11-21T06:30:00.000Z',
  cause: 'dying-memcgs',
  treatment: 'reclaim',
  signal: 'dying',
  level: 250,
  atMost: 300,
  incident: 'inc-1',
};
const running = {
  status: 'ok',
  value: { kernel: '6.1.0', os: 'x', bootId: 'b', uptimeSeconds: 200_000, cpus: 2 },
};
const look = (dying: number, change: Partial<DueLook> = {}) =>
  judgeAgain(
    { ...due, ...change },
    evidenceWith({ host: running, cgroups: cgroups(100, dying) }),
    cluster.thresholds,
  );

describe('the second look at a provisional cure', () => {
  it('finds it to hold where the level stayed where it was promised', () => {
    expect(look(280)).toEqual({ result: 'held', reason: '280 dying memory cgroups' });
    expect(look(300).result).toBe('held');
  });

  it('finds it to come back beyond what was promised, or beyond what is healthy where nothing was', () => {
    expect(look(301)).toEqual({
      result: 'came-back',
      reason: '301 dying memory cgroups, where at most 300 was healthy',
    });
    const { atMost: _, ...unpromised } = due;
    const evidence = evidenceWith({ host: running, cgroups: cgroups(100, 301) });
    expect(judgeAgain(unpromised, evidence, cluster.thresholds).result).toBe('came-back');
  });

  it('finds it to come back by its growth, though the level is still within bounds', () => {
    // 60 an hour for a day are healthy.
    expect(look(250 + 1440, { atMost: 5000 }).result).toBe('held');
    expect(look(250 + 1441, { atMost: 5000 })).toEqual({
      result: 'came-back',
      reason:
        '1691 dying memory cgroups, 1441 more than after the treatment, where 1440 more would be healthy (settings thresholds.dyingPerHour)',
    });
  });

  it('reads the other way round where more is better', () => {
    const available = (atLeast: number) =>
      judgeAgain(
        { ...due, signal: 'availablePercent', level: 60, atLeast, atMost: undefined },
        evidenceWith({ host: running }),
        cluster.thresholds,
      ).result;

    expect(available(62)).toBe('held');
    expect(available(63)).toBe('came-back');
  });

  it('says what it cannot see, and never that it holds', () => {
    expect(look(280, { signal: 'kubeletRssKb' }).result).toBe('unseen');
    const blind = evidenceWith({ host: running, cgroups: missing });
    expect(judgeAgain(due, blind, cluster.thresholds).result).toBe('unseen');
  });

  it('concludes nothing from a node that was started again since', () => {
    const host = { ...running, value: { ...running.value, uptimeSeconds: 86_399 } };
    const evidence = evidenceWith({ host, cgroups: cgroups(100, 20) });

    expect(judgeAgain(due, evidence, cluster.thresholds).result).toBe('restarted');
  });

  it('is remembered for as many nodes as travel in a message, and the others wait', () => {
    const evidence = evidenceWith({ host: running });
    let tally = emptyTally;
    for (let index = 0; index < mostSecondLooks + 3; index += 1) {
      tally = withSecondLook(tally, instanceId, due, evidence, cluster);
    }

    expect(tally.secondLooks).toHaveLength(mostSecondLooks);
    expect(tally.secondLooks[0]).toMatchObject({ instanceId, due, result: 'held' });
  });

  it('tells people which incident it was about', () => {
    const { title, text } = secondLookMessage('prod', {
      instanceId,
      due,
      reason: '900 dying memory cgroups',
    });

    expect(title).toBe(`${instanceId} in prod: the cure of dying-memcgs by reclaim is in doubt`);
    expect(text).toContain('inc-1');
    expect(text).toContain('900 dying memory cgroups');
  });
});
