import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { endStanding } from '../../lambdas/adapters/standing-end.ts';
import { readStanding } from '../../lambdas/adapters/standing-reader.ts';
import { beginStanding } from '../../lambdas/adapters/standing-writer.ts';
import { type BreakerState, closedBreaker } from '../../lambdas/domain/gates/breaker.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import type { Standing } from '../../lambdas/domain/standing/standing.ts';
import { localSettings } from '../../local/local-settings.ts';
import { nodeGroup, type StandingEngine, startStandingEngine } from './standing-engine.ts';
import { stateTable } from './test-engine.ts';

const cluster = 'churning';
const settings = Settings.parse({
  ...localSettings({ mode: 'approve' }),
  clusters: {
    [cluster]: {
      ...localSettings({
        mode: 'approve',
        recorded: true,
        cluster: {
          verification: { windowSeconds: 2, samples: 5 },
          approval: { onePersonTeam: true, expirySeconds: { low: 30, medium: 30, high: 30 } },
          // Asks of every node that was treated before, and of none by a standing treatment.
          gates: { recurrence: { perNode: 1 } },
        },
      }).clusters.local,
      // What a recorded node has is a fault here, also for a quick look.
      thresholds: { dyingCount: 300, dyingFloor: 100 },
      standing: { cures: 1, nodesAtOnce: 1 },
    },
  },
});

let fleet: StandingEngine;

beforeAll(async () => {
  fleet = await startStandingEngine(settings);
}, 240_000);

afterAll(() => fleet?.close());

const attach = (name: string) => fleet.attach(name, { recorded: 'v2-zombies', cluster });
const incident = (name: string, instanceId: string) => fleet.incident(name, cluster, instanceId);
const census = (fails?: RegExp) => fleet.census(cluster, fails);
const closed = (name: string) => fleet.closed(name);
const table = () => stateTable(fleet.engine);

/** Walks that follow one another: what one begins, the next one goes by. */
describe.sequential('a group of nodes that reclaim cures again and again', () => {
  let id = '';
  let approval = '';

  it('is asked about once, after one of its nodes is cured', async () => {
    const first = await incident('first', await attach('one'));
    expect(first.treatments).toEqual(['reclaim']);
    const second = await incident('second', await attach('two'));
    expect(second.treatments).toEqual(['reclaim', 'standing-reclaim']);
    approval = second.approvals[1] ?? '';
    expect(await closed('second')).toMatchObject({
      outcome: 'cured',
      what: expect.stringContaining(`standing-reclaim of group ${nodeGroup} until`),
    });
    const read = await readStanding(fleet.engine.cloud.dynamo, table(), {
      cluster,
      nodeGroup,
      treatment: 'standing-reclaim',
    });
    expect(read).toMatchObject({ standing: { incident: 'second', approvedBy: 'ana', approval } });
    id = read?.standing.id ?? '';
  }, 240_000);

  it('is then treated by the census without a question, one node at a time', async () => {
    const left = [await attach('three'), await attach('four')];
    const raised = await census();
    expect(raised).toHaveLength(1);
    expect(raised[0]).toMatchObject({ payload: { standing: id } });
    expect(left).toContain(raised[0]?.payload.instanceId);
    fleet.messages.length = 0;
    const [acted = ''] = await fleet.take(raised);
    expect(await closed(acted)).toMatchObject({ outcome: 'cured' });
    expect(fleet.messages.filter(({ kind }) => kind === 'approval-requested')).toEqual([]);
    const line = (step: string) => fleet.audit.find((one) => one.incident === acted && one.step === step);
    expect(line('treatment.intended')).toMatchObject({
      treatment: 'reclaim',
      actor: { kind: 'person', id: 'ana' },
    });
    expect(JSON.stringify(line('gated')?.details)).toContain(approval);
  }, 240_000);

  it('is left alone while somebody has paused the cluster', async () => {
    await fleet.put({ pk: `PAUSE#${cluster}`, sk: 'unreadable', pause: 'nobody knows' });
    expect(await census()).toEqual([]);
    await fleet.remove(`PAUSE#${cluster}`, 'unreadable');
  }, 120_000);

  it('is asked about node by node again once that has ended, and what is late does nothing', async () => {
    await endStanding(fleet.engine.cloud.dynamo, table(), cluster, {
      version: 1,
      id,
      at: new Date().toISOString(),
      by: 'bob',
      reason: 'the producer is gone',
    });
    const [other = { payload: {} }, ...more] = await census();
    expect(more).toEqual([]);
    expect(other.payload).toHaveProperty('instanceId');
    expect(other.payload).not.toHaveProperty('standing');
    // What was put into the queue before the end.
    const late = { ...other, payload: { ...other.payload, standing: id, cause: 'session-churn' } };
    const [refused = ''] = await fleet.take([late]);
    expect(await closed(refused)).toMatchObject({
      outcome: 'refused',
      what: expect.stringContaining('bob ended it at'),
    });
    const [asking = ''] = await fleet.take([other]);
    await vi.waitFor(
      () =>
        expect(
          fleet.messages.find(({ incident: of, kind }) => of === asking && kind === 'approval-requested'),
        ).toMatchObject({
          card: { treatment: 'reclaim' },
        }),
      { timeout: 60_000, interval: 200 },
    );
  }, 240_000);

  it('tells people after a week that it falls behind, and ends when the breaker opens', async () => {
    await attach('five');
    await attach('six');
    const days = (count: number) => new Date(Date.now() + count * 86_400_000).toISOString();
    const standing: Standing = {
      version: 1,
      id: 'another-r1',
      cluster,
      nodeGroup,
      treatment: 'standing-reclaim',
      cause: 'dying-memcgs',
      threshold: 300,
      incident: 'another',
      approvedBy: 'ana',
      approval: 'another-r1-v0',
      from: days(-8),
      until: days(6),
    };
    expect(await beginStanding(fleet.engine.cloud.dynamo, table(), standing, new Date())).toBeUndefined();
    // One of another group of which nobody can read how it goes.
    const lost = { ...standing, id: 'lost-r1', nodeGroup: 'a-lost-group', incident: 'lost' };
    expect(await beginStanding(fleet.engine.cloud.dynamo, table(), lost, new Date())).toBeUndefined();
    const course = [`STANDING-COURSE#${cluster}#standing-reclaim#a-lost-group`, 'STANDING-COURSE'] as const;
    await fleet.put({ pk: course[0], sk: course[1], state: '{}', revision: 1 });
    fleet.messages.length = 0;
    const raised = await census(/standing treatments broke in this run: lost-r1: /);
    await fleet.remove(...course);
    expect(raised.map(({ payload }) => payload.standing)).toEqual(['another-r1']);
    expect(fleet.messages.filter(({ incident: of }) => of === 'another')).toMatchObject([
      { kind: 'call-a-person', title: expect.stringContaining('it does not keep up') },
    ]);

    const failure = {
      incident: 'i',
      instanceId: fleet.instanceIdOf('one'),
      treatment: 'reclaim',
      why: 'x',
      harmed: false,
    };
    const at = new Date().toISOString();
    const breaker: BreakerState = { ...closedBreaker, openedAt: at, failures: [{ ...failure, at }] };
    await fleet.put({ pk: `BREAKER#${cluster}`, sk: 'BREAKER', state: JSON.stringify(breaker), revision: 1 });
    fleet.messages.length = 0;
    await census();
    expect(fleet.messages.filter(({ incident: of }) => of === 'another')).toMatchObject([
      { title: expect.stringContaining('has ended itself') },
    ]);
    expect(await readStanding(fleet.engine.cloud.dynamo, table(), standing)).toMatchObject({
      end: { by: 'rule standing', reason: `the breaker of the cluster opened at ${at}` },
    });
  }, 120_000);
});
