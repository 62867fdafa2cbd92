import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endStanding } from '../../lambdas/adapters/standing-end.ts';
import { readStanding } from '../../lambdas/adapters/standing-reader.ts';
import { beginStanding } from '../../lambdas/adapters/standing-writer.ts';
import { weekdays } from '../../lambdas/domain/gates/wall-clock.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import type { Standing } from '../../lambdas/domain/standing/standing.ts';
import { localSettings } from '../../local/local-settings.ts';
import { nodeGroup, type Raised, type StandingEngine, startStandingEngine } from './standing-engine.ts';
import { stateTable } from './test-engine.ts';

const cluster = 'leaking';
/** The same, with a window that is not open on any day of this test. */
const closed = 'leaking-by-day';
const today = new Date().getUTCDay();
const always = { days: [...weekdays], start: '00:00', end: '24:00', timeZone: 'Etc/UTC' };
const inThreeDays = weekdays[(today + 3) % 7] ?? 'SUN';

function clusterWith(open: (typeof always)[]) {
  return {
    ...localSettings({
      mode: 'approve',
      recorded: true,
      cluster: {
        verification: { windowSeconds: 2, samples: 5 },
        approval: { onePersonTeam: true, expirySeconds: { low: 30, medium: 30, high: 30 } },
        // Asks of every node that was treated before, and of none by a standing treatment.
        gates: { recurrence: { perNode: 1 }, windows: { open } },
      },
    }).clusters.local,
    standing: { cures: 1 },
  };
}
const settings = Settings.parse({
  ...localSettings({ mode: 'approve' }),
  clusters: {
    [cluster]: clusterWith([always]),
    [closed]: clusterWith([{ ...always, days: [inThreeDays] }]),
  },
});

let fleet: StandingEngine;

beforeAll(async () => {
  fleet = await startStandingEngine(settings);
}, 240_000);

afterAll(() => fleet?.close());

const incident = (name: string, instanceId: string) => fleet.incident(name, cluster, instanceId);
const census = (of = cluster) => fleet.census(of);
const table = () => stateTable(fleet.engine);

/** A node whose kubelet grows to 1,500 MB in ten hours, by the samples that the node has kept, and nobody else has its course. */
const attach = (name: string, of = cluster) =>
  fleet.attach(name, {
    recorded: 'kubelet-leak',
    cluster: of,
    change({ root = '', managed: { around: _, ...managed } }) {
      writeFileSync(join(root, 'proc/2231/status'), 'Name:\tkubelet\nVmRSS:\t 1536000 kB\n');
      const now = Math.floor(Date.now() / 1000);
      const lines = Array.from({ length: 41 }, (_, index) => {
        const at = now - (40 - index) * 900 - 120;
        return `5f0c7a52-93de-4c1a-8a3e-6b1d2f7c9e10 ${at} 120 18 0 4899640 88216 9144 ${900_000 + index * 15_900} 4100 12`;
      });
      mkdirSync(join(root, 'var/lib/cgroup-medic/evidence'), { recursive: true });
      writeFileSync(join(root, 'var/lib/cgroup-medic/evidence/history'), `${lines.join('\n')}\n`);
      return managed;
    },
  });

const restarts = (instances: readonly string[]) =>
  fleet.audit.filter(
    ({ step, treatment, instanceId }) =>
      step === 'treatment.intended' &&
      treatment === 'restart-kubelet' &&
      instances.includes(String(instanceId)),
  );

/** Walks that follow one another: what one begins, the next one goes by. */
describe.sequential('a group of nodes whose kubelets leak again and again', () => {
  let id = '';
  let approval = '';
  let left: string[] = [];
  let raised: Raised[] = [];

  it('is asked about once, after a restart has helped on one of its nodes', async () => {
    const first = await incident('first', await attach('one'));
    expect(first.treatments).toEqual(['restart-kubelet']);
    const second = await incident('second', await attach('two'));
    expect(second.treatments).toEqual(['restart-kubelet', 'standing-restart']);
    approval = second.approvals[1] ?? '';
    expect(await fleet.closed('second')).toMatchObject({
      outcome: 'cured',
      what: expect.stringContaining(`standing-restart of group ${nodeGroup} until`),
    });
    const read = await readStanding(fleet.engine.cloud.dynamo, table(), {
      cluster,
      nodeGroup,
      treatment: 'standing-restart',
    });
    expect(read).toMatchObject({ standing: { incident: 'second', approvedBy: 'ana', approval } });
    id = read?.standing.id ?? '';
  }, 240_000);

  it('is left alone while somebody has paused the cluster', async () => {
    left = [await attach('three'), await attach('four')];
    await fleet.put({ pk: `PAUSE#${cluster}`, sk: 'unreadable', pause: 'nobody knows' });
    expect(await census()).toEqual([]);
    await fleet.remove(`PAUSE#${cluster}`, 'unreadable');
  }, 120_000);

  it('then has one kubelet restarted before it is full, of two that leak, without a question', async () => {
    raised = await census();
    expect(raised).toHaveLength(1);
    expect(raised[0]).toMatchObject({
      payload: { standing: id, cause: 'kubelet-leak', reason: expect.stringContaining('grows by') },
    });
    expect(left).toContain(raised[0]?.payload.instanceId);
    fleet.messages.length = 0;
    const [acted = ''] = await fleet.take(raised);
    expect(await fleet.closed(acted)).toMatchObject({ outcome: 'cured' });
    expect(fleet.messages.filter(({ kind }) => kind === 'approval-requested')).toEqual([]);
    const line = (step: string) => fleet.audit.find((one) => one.incident === acted && one.step === step);
    expect(line('treatment.intended')).toMatchObject({
      treatment: 'restart-kubelet',
      actor: { kind: 'person', id: 'ana' },
    });
    expect(JSON.stringify(line('gated')?.details)).toContain(approval);
    expect(restarts(left)).toHaveLength(1);
  }, 240_000);

  it('is not restarted twice: of a kubelet that was just started no course is known', async () => {
    const [done] = raised.map(({ payload }) => payload.instanceId);
    const again = { ...raised[0], payload: { ...raised[0]?.payload, at: new Date().toISOString() } };
    const [refused = ''] = await fleet.take([again]);
    await fleet.closed(refused);
    expect(restarts([String(done)])).toHaveLength(1);
  }, 120_000);

  it('does nothing more once that has ended, whatever is in the queue', async () => {
    const [next = { source: '', payload: {} }, ...more] = await census();
    expect(more).toEqual([]);
    expect(next.payload).toMatchObject({ standing: id });
    expect(left).toContain(next.payload.instanceId);
    await endStanding(fleet.engine.cloud.dynamo, table(), cluster, {
      version: 1,
      id,
      at: new Date().toISOString(),
      by: 'bob',
      reason: 'there is a new AMI',
    });
    const [refused = ''] = await fleet.take([next]);
    expect(await fleet.closed(refused)).toMatchObject({
      outcome: 'refused',
      what: expect.stringContaining('bob ended it at'),
    });
    expect(restarts(left)).toHaveLength(1);
    await attach('five');
    expect((await census()).map(({ payload }) => payload.standing)).not.toContain(id);
  }, 240_000);
});

describe('a group whose maintenance window is closed', () => {
  it('is not raised, and what comes all the same is refused', async () => {
    const instanceId = await attach('six', closed);
    const days = (count: number) => new Date(Date.now() + count * 86_400_000).toISOString();
    const standing: Standing = {
      version: 1,
      id: 'another-r1',
      cluster: closed,
      nodeGroup,
      treatment: 'standing-restart',
      cause: 'kubelet-leak',
      threshold: 2048,
      incident: 'another',
      approvedBy: 'ana',
      approval: 'another-r1-v0',
      from: days(-1),
      until: days(6),
    };
    expect(await beginStanding(fleet.engine.cloud.dynamo, table(), standing, new Date())).toBeUndefined();
    expect(await census(closed)).toEqual([]);
    const payload = {
      cluster: closed,
      instanceId,
      at: new Date().toISOString(),
      cause: 'kubelet-leak',
      reason: 'somebody who can write into the queue',
      standing: 'another-r1',
    };
    const [refused = ''] = await fleet.take([{ source: 'census', received: payload.at, payload }]);
    expect(await fleet.closed(refused)).toMatchObject({ outcome: 'refused' });
    const gated = fleet.audit.find(({ incident: of, step }) => of === refused && step === 'gated');
    expect(JSON.stringify(gated)).toContain('no maintenance window is open');
    expect(restarts([instanceId])).toEqual([]);
  }, 240_000);
});
