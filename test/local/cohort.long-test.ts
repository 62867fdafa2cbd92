import { setTimeout as sleep } from 'node:timers/promises';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CohortStore } from '../../lambdas/adapters/cohort-store.ts';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import { type Cohort, noCohort } from '../../lambdas/domain/cohort/cohort.ts';
import { Message } from '../../lambdas/domain/message.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import { type LocalNode, openNode } from '../../local/local-node.ts';
import { localCohort } from '../../local/local-settings.ts';
import {
  clusters,
  startTestEngine,
  stateTable,
  type TestEngine,
  type TestIncident,
  testSettings,
} from './test-engine.ts';

// Many whole incidents at once, with other test files on the same cores.
vi.setConfig({ testTimeout: 480_000, hookTimeout: 240_000 });

/** All have come to their cohort by then, however slow this machine is. */
const longestMs = 200_000;

/** Clusters of this file alone, one for each test: a cohort is one of a cluster. */
const own = {
  waves: 'waves',
  stopped: 'cohort-stopped',
  denied: 'cohort-denied',
  dying: 'cohort-dying',
  orphaned: 'cohort-orphaned',
  automatic: 'cohort-automatic',
  single: 'cohort-single',
};

let test: TestEngine;
const told: Message[] = [];
beforeAll(async () => {
  const settings = testSettings();
  const { [clusters.approve]: approve } = settings.clusters;
  const together = {
    ...approve,
    // However slow this machine is: the tests say when all have come.
    approval: { onePersonTeam: true, expirySeconds: { low: 200, medium: 200, high: 200 } },
    gates: { ...approve?.gates, cohort: { gatherSeconds: 600, askAgainSeconds: 1 } },
  };
  const alone = { ...together, gates: { ...approve?.gates, cohort: localCohort } };
  test = await startTestEngine(
    Settings.parse({
      ...settings,
      // Twenty nodes are examined at the same moment.
      command: { ...settings.command, evidenceSeconds: 180 },
      clusters: {
        ...settings.clusters,
        ...Object.fromEntries(Object.values(own).map((name) => [name, together])),
        // The treatments of a cohort count at the gate of recurrence, and void nothing that was decided.
        [own.waves]: {
          ...together,
          gates: { ...together.gates, recurrence: { perNode: 1000, perImage: 1 } },
        },
        [own.single]: alone,
        // Restarts kubelets without asking.
        [own.automatic]: {
          ...alone,
          policy: { treatments: { 'restart-kubelet': 'auto' } },
          initialMode: 'auto',
        },
      },
    }),
  );
  test.engine.onPublished(({ message }) => told.push(Message.parse(JSON.parse(message))));
});
afterAll(() => test?.close());

type Run = Parameters<TestEngine['run']>[0];

function run(cluster: string, props: Partial<Run> = {}): Promise<TestIncident> {
  return test.run({ node: 'v2-zombies', cluster, ...props }, (incident) => {
    expect(verifyTrail(steps(incident), incident.publicKey)).toMatchObject({ ok: true });
    return incident;
  });
}

const steps = ({ auditLines }: TestIncident) => auditLines.map((line) => JSON.parse(line));
const entry = (incident: TestIncident, step: string) => steps(incident).find((one) => one.step === step);
const outcomes = (incidents: readonly TestIncident[]) => incidents.map(({ record }) => record.outcome);
const cards = (cluster: string) =>
  told.filter((one) => one.cluster === cluster && one.kind === 'approval-requested');

/** The cohorts of a cluster that somebody is in, or was until just now. */
async function cohortsOf(cluster: string): Promise<{ key: string; cohort: Cohort }[]> {
  const { Items = [] } = await test.engine.cloud.dynamo.send(
    new QueryCommand({
      TableName: stateTable(test.engine),
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: marshall({ ':pk': `COHORT#${cluster}` }),
      ConsistentRead: true,
    }),
  );
  return Items.map((item) => unmarshall(item)).map(({ sk, state }) => ({
    key: sk,
    cohort: JSON.parse(state),
  }));
}

/** Waits until the first cohort of the cluster is like this. */
async function until(
  cluster: string,
  isSo: (cohort: Cohort) => boolean,
): Promise<{ key: string; cohort: Cohort }> {
  const end = Date.now() + longestMs;
  for (;;) {
    const all = await cohortsOf(cluster);
    const found = all.find(({ cohort }) => isSo(cohort));
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`${cluster} did not come so far: ${JSON.stringify(all)}`);
    await sleep(200);
  }
}

/** Once as many have come, the leader waits for no more. */
async function gathered(cluster: string, count: number): Promise<void> {
  const { key } = await until(
    cluster,
    ({ phase, members }) => phase === 'gathers' && members.length === count,
  );
  const store = new CohortStore(test.engine.cloud.dynamo, stateTable(test.engine));
  await store.change(cluster, (cohort) => ({ ...cohort, gathersUntil: new Date().toISOString() }), key);
}

/** A node that is well once `isWell` says so. */
async function recovering(
  id: string,
  isWell: () => boolean,
): Promise<{ node: LocalNode; close(): Promise<void> }> {
  const directory = test.home;
  const ill = await openNode({ name: 'v2-zombies', id, directory });
  const well = await openNode({ name: 'healthy', id: `${id}-well`, directory });
  const node: LocalNode = {
    ...ill,
    managed: {
      ...ill.managed,
      instanceId: 'i-0aaaaaaaaaaaaaaaa',
      run: (...args) => (isWell() ? well : ill).managed.run(...args),
    },
  };
  return { node, close: async () => void (await Promise.all([ill.close(), well.close()])) };
}

describe('nodes with the same cause', () => {
  it.concurrent('are decided on with one card, and treated one first, then in waves; who recovers drops out, who is late joins', async () => {
    const cluster = own.waves;
    let decided = false;
    let late: Promise<TestIncident> | undefined;
    const ill = await recovering('recovering', () => decided);
    const approve: Run['approve'] = async () => {
      late = run(cluster);
      await until(cluster, ({ members }) => members.length === 6);
      decided = true;
      return { decision: 'approve' };
    };
    const [, ...early] = await Promise.all([
      gathered(cluster, 5),
      ...Array.from({ length: 4 }, () => run(cluster, { approve })),
      run(cluster, {
        node: ill.node,
        approve,
        before: async () => void (await until(cluster, ({ members }) => members.length > 0)),
      }),
    ]);
    const all = [...early, await late] as TestIncident[];
    await ill.close();

    expect(outcomes(all).sort()).toEqual(['cured', 'cured', 'cured', 'cured', 'cured', 'observed']);
    expect(all[4]?.record).toMatchObject({ outcome: 'observed', diagnosis: { cause: 'healthy' } });
    const [card, ...others] = cards(cluster);
    expect(others).toEqual([]);
    expect(card?.title).toBe('Approve reclaim on 5 nodes (waves)?');
    expect(card?.text).toContain('One decision for 5 nodes: exactly this treatment');
    for (const { instanceId } of early) expect(card?.text).toContain(instanceId);
    // One first; nobody begins before all of the wave before have been seen to be well.
    const treated = all.filter((one) => entry(one, 'treatment.intended') !== undefined);
    const began = (one: TestIncident) => Date.parse(entry(one, 'treatment.intended').at);
    const seen = (one: TestIncident) => Date.parse(entry(one, 'verified').at);
    const order = treated.toSorted((a, b) => began(a) - began(b));
    const [canary, two, three, four, five] = order as [TestIncident, ...TestIncident[]] & TestIncident[];
    expect(canary?.id).toBe(card?.incident);
    for (const one of [two, three]) expect(began(one as TestIncident)).toBeGreaterThan(seen(canary));
    for (const one of [four, five])
      expect(began(one as TestIncident)).toBeGreaterThan(
        Math.max(seen(two as TestIncident), seen(three as TestIncident)),
      );
    // Each trail says who has decided, by which approval, and that its own node was looked at again.
    for (const one of treated.filter(({ id }) => id !== canary.id)) {
      expect(entry(one, 'treatment.intended').actor).toMatchObject({ kind: 'person' });
      const gated = steps(one).filter(({ step }) => step === 'gated');
      expect(gated.at(-1)).toMatchObject({ outcome: 'pass', details: { approvalId: card?.approvalId } });
      expect(steps(one).filter(({ step }) => step === 'diagnosed')).toHaveLength(2);
    }
    expect((await cohortsOf(cluster))[0]?.cohort).toMatchObject({
      phase: 'goes',
      members: [],
      tally: { helped: 5, failed: 0, left: 1 },
    });
  });

  it.concurrent('end as denied by one denial, with who denied it and why', async () => {
    const cluster = own.denied;
    const approve: Run['approve'] = async () => ({ decision: 'deny', reason: 'a release is going on' });
    const [, ...all] = await Promise.all([
      gathered(cluster, 2),
      ...Array.from({ length: 2 }, () => run(cluster, { approve })),
    ]);

    expect(outcomes(all)).toEqual(['denied', 'denied']);
    expect(cards(cluster)).toHaveLength(1);
    for (const one of all) {
      expect(one.record.reason).toBe('a release is going on');
      expect(one.record.rungs[0]?.approval).toMatchObject({
        id: cards(cluster)[0]?.approvalId,
        status: 'denied',
      });
      expect(entry(one, 'treatment.intended')).toBeUndefined();
    }
  });

  it.concurrent('are treated one first, and then in waves, where nobody is asked', async () => {
    const cluster = own.automatic;
    const both = await Promise.all([1, 2].map(() => run(cluster, { node: 'kubelet-leak' })));

    expect(outcomes(both)).toEqual(['cured', 'cured']);
    expect(cards(cluster)).toEqual([]);
    const [first, second] = both.toSorted(
      (a, b) => Date.parse(entry(a, 'treatment.intended').at) - Date.parse(entry(b, 'treatment.intended').at),
    ) as [TestIncident, TestIncident];
    expect(Date.parse(entry(second, 'treatment.intended').at)).toBeGreaterThan(
      Date.parse(entry(first, 'verified').at),
    );
    expect(entry(second, 'gated')).toMatchObject({ outcome: 'wait', actor: { id: 'gate:cohort' } });
    expect(entry(second, 'treatment.intended').actor).toMatchObject({ kind: 'rule' });
  });

  it.concurrent('have a card that speaks of one where there is one, and leave no cohort behind', async () => {
    const incident = await run(own.single, { approve: 'yes' });
    expect(incident.record.outcome).toBe('cured');
    const [card] = cards(own.single);
    expect(card?.title).toBe(`Approve reclaim on ${incident.instanceId} (${own.single})?`);
    expect(card?.card?.cohort).toBeUndefined();
    expect((await cohortsOf(own.single)).map(({ cohort }) => cohort)).toEqual([noCohort]);
  });
});

describe('nodes with the same cause, where something goes wrong,', () => {
  it.concurrent('are left alone once the first was not helped, and people are told why', async () => {
    const cluster = own.stopped;
    const approve: Run['approve'] = async ({ card }) =>
      card.treatment === 'reclaim' ? { decision: 'approve' } : { decision: 'deny', reason: 'not now' };
    const others = {
      before: async () => void (await until(cluster, ({ members }) => members.length > 0)),
      approve,
    };
    const [, canary, ...rest] = await Promise.all([
      gathered(cluster, 3).then(() => gathered(cluster, 1)),
      run(cluster, { node: 'v2-nothing', approve }),
      ...Array.from({ length: 2 }, () => run(cluster, others)),
    ]);

    expect(canary?.record.rungs[0]).toMatchObject({ treatment: 'reclaim', verification: { cured: false } });
    expect(outcomes(rest)).toEqual(['refused', 'refused']);
    for (const one of rest) {
      expect(one.record.reason).toContain('the cohort of reclaim is stopped after 0 helped and 1 did not');
      expect(one.record.reason).toContain(canary.instanceId);
      expect(entry(one, 'treatment.intended')).toBeUndefined();
    }
    const stops = told.filter(({ cluster: name, title }) => name === cluster && title.endsWith('is stopped'));
    expect(stops).toMatchObject([{ kind: 'call-a-person', incident: canary.id }]);
  });

  it.concurrent('are asked about by the next where the one that asks is killed before anybody has decided', async () => {
    const cluster = own.dying;
    const abort = new Map<string, AbortController>();
    let asked = 0;
    const one = () => {
      const kill = new AbortController();
      const approve: Run['approve'] = async ({ incident }) => {
        asked += 1;
        if (asked > 1) return { decision: 'approve' };
        abort.get(incident)?.abort();
        return new Promise(() => {});
      };
      return run(cluster, {
        approve,
        signal: kill.signal,
        before: async (_, id) => void abort.set(id, kill),
      });
    };
    const [, ...all] = await Promise.all([gathered(cluster, 3), one(), one(), one()]);

    const [first, second, ...more] = cards(cluster);
    expect(more).toEqual([]);
    expect(first?.title).toBe('Approve reclaim on 3 nodes (cohort-dying)?');
    expect(second?.title).toBe('Approve reclaim on 2 nodes (cohort-dying)?');
    const dead = all.find(({ id }) => id === first?.incident);
    expect(dead?.execution.status).toBe('ABORTED');
    expect(outcomes(all.filter((incident) => incident !== dead))).toEqual(['cured', 'cured']);
  });

  it.concurrent('are treated by what was decided, where the one that asked is killed after it', async () => {
    const cluster = own.orphaned;
    const kills = new Map<string, AbortController>();
    const one = () => {
      const kill = new AbortController();
      return run(cluster, {
        approve: 'yes',
        signal: kill.signal,
        before: async (_, id) => void kills.set(id, kill),
        onEvent({ type, state }) {
          if (type === 'StateEntered' && state?.name === 'SendRecheck') kill.abort();
        },
      });
    };
    const [, ...all] = await Promise.all([gathered(cluster, 3), one(), one(), one()]);

    expect(cards(cluster)).toHaveLength(1);
    const dead = all.find(({ id }) => id === cards(cluster)[0]?.incident);
    expect(dead?.execution.status).toBe('ABORTED');
    expect(outcomes(all.filter((incident) => incident !== dead))).toEqual(['cured', 'cured']);
    expect((await cohortsOf(cluster))[0]?.cohort).toMatchObject({ tally: { helped: 2, failed: 0, left: 1 } });
  });
});
