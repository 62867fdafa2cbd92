import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CohortStore } from '../../../lambdas/adapters/cohort-store.ts';
import { KeptChangingError } from '../../../lambdas/adapters/revised-item.ts';
import { type Cohort, inFlight, memberOf, noCohort } from '../../../lambdas/domain/cohort/cohort.ts';
import { askedBy, begins, comeTo, decided, leaves } from '../../../lambdas/domain/cohort/steps.ts';
import { cohortGate } from '../../../lambdas/domain/gates/cohort-gate.ts';
import { CohortSettings } from '../../../lambdas/domain/settings/cohort.ts';
import { joining } from '../domain/cohort/samples.ts';
import { type LocalDynamo, startDynamo } from './local-dynamo.ts';

const settings = CohortSettings.parse({ gatherSeconds: 0 });
const key = 'one-cause';

let dynamo: LocalDynamo;
let store: CohortStore;
beforeAll(async () => {
  dynamo = await startDynamo();
  store = new CohortStore(dynamo.client, 'state');
});
afterAll(() => dynamo.stop());

const nowAt = () => {
  const now = new Date();
  return { now, settings, until: new Date(now.getTime() + 60_000) };
};

/** A change that is asked for again while others are faster, as the functions do. */
async function change(cluster: string, by: (cohort: Cohort) => Cohort | undefined): Promise<Cohort> {
  for (;;) {
    try {
      return (await store.change(cluster, by, key)).after;
    } catch (error) {
      if (!(error instanceof KeptChangingError)) throw error;
    }
  }
}

type Fleet = { cards: string[]; treated: string[]; most: number; acting: Set<string> };

/** One incident from its first question to its end; some die on the way, and the janitor takes them out. */
async function live(cluster: string, name: string, dies: string | undefined, fleet: Fleet): Promise<string> {
  const leave = (came: 'helped' | 'left' | 'died') =>
    change(cluster, (cohort) => leaves(cohort, name, { came, why: came }, nowAt()));
  for (;;) {
    const at = nowAt();
    const cohort = await change(cluster, (present) => comeTo(present, joining(name), at));
    const { role } = cohortGate(cohort, { incident: name, settings, now: at.now });
    if (role === dies) {
      await leave('died');
      return 'dead';
    }
    if (role === 'asks') {
      const approvalId = `${name}-r0`;
      const asks = await change(cluster, (present) =>
        askedBy(present, name, approvalId, new Date(Date.now() + 60_000), settings),
      );
      if (asks.asked?.approvalId !== approvalId) continue;
      fleet.cards.push(name);
      // Long enough for all to have come.
      await new Promise((done) => setTimeout(done, 300));
      const after = await change(cluster, (present) =>
        decided(present, { approvalId, status: 'approved', by: 'ana' }, nowAt()),
      );
      if (memberOf(after, name) === undefined) return 'alone';
    } else if (role === 'turn') {
      const begun = await change(cluster, (present) => begins(present, name, new Date(Date.now() + 60_000)));
      if (memberOf(begun, name)?.is !== 'acts') continue;
      fleet.treated.push(name);
      fleet.acting.add(name);
      fleet.most = Math.max(fleet.most, fleet.acting.size - begun.wave.size);
      expect(inFlight(begun).length).toBeLessThanOrEqual(begun.wave.size);
      fleet.acting.delete(name);
      await leave('helped');
      return 'helped';
    } else if (role !== 'waits') {
      await leave('left');
      return role;
    } else await new Promise((done) => setTimeout(done, 20 + Math.random() * 40));
  }
}

describe('the cohort of one cause and act in a cluster', () => {
  it('has one leader and one card, however many come at the same moment, and treats each once', async () => {
    const fleet: Fleet = { cards: [], treated: [], most: 0, acting: new Set() };
    const names = Array.from({ length: 40 }, (_, index) => `inc-${index}`);
    // Those that come before people are asked belong to one card; the first of them asks it.
    await Promise.all(
      names.map((name) => change('crowd', (present) => comeTo(present, joining(name), nowAt()))),
    );
    const ends = await Promise.all(names.map((name) => live('crowd', name, undefined, fleet)));

    expect(fleet.cards).toHaveLength(1);
    expect(ends).toEqual(names.map(() => 'helped'));
    expect([...fleet.treated].sort()).toEqual([...names].sort());
    expect(fleet.most).toBeLessThanOrEqual(0);
    expect((await store.read('crowd', key)).members).toEqual([]);
  }, 120_000);

  it('goes on when those die that lead it, or whose turn it is, and asks with one card at a time', async () => {
    const fleet: Fleet = { cards: [], treated: [], most: 0, acting: new Set() };
    const names = Array.from({ length: 30 }, (_, index) => `inc-${index}`);
    await Promise.all(
      names.map((name) => change('dying', (present) => comeTo(present, joining(name), nowAt()))),
    );
    const dies = (index: number) => (index % 5 === 0 ? 'asks' : index % 5 === 1 ? 'turn' : undefined);
    const ends = await Promise.all(names.map((name, index) => live('dying', name, dies(index), fleet)));

    expect(fleet.cards).toHaveLength(1);
    expect(new Set(fleet.treated).size).toBe(fleet.treated.length);
    for (const [index, end] of ends.entries()) {
      if (dies(index) === undefined) expect(end).toBe('helped');
      if (dies(index) === 'turn') expect(end).toBe('dead');
    }
  }, 120_000);

  it('is one for each act, and is kept for a week', async () => {
    await store.change('two', (present) => comeTo(present, joining('a'), nowAt()), 'restart');
    await store.change('two', (present) => comeTo(present, joining('b'), nowAt()), 'drop');
    expect((await store.read('two', 'restart')).leader).toBe('a');
    expect((await store.read('two', 'drop')).leader).toBe('b');
    expect(await store.read('two', 'other')).toEqual(noCohort);
    const Key = marshall({ pk: 'COHORT#two', sk: 'restart' });
    const { Item } = await dynamo.client.send(new GetItemCommand({ TableName: 'state', Key }));
    const days = (unmarshall(Item ?? {}).ttl - Date.now() / 1000) / 86_400;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThanOrEqual(7);
  });

  it.each(['no json', '{}', JSON.stringify({ ...noCohort, version: 2 })])(
    'that holds %o is an error, and no cohort of nobody',
    async (state) => {
      const Item = marshall({ pk: 'COHORT#odd', sk: key, state, revision: 1 });
      await dynamo.client.send(new PutItemCommand({ TableName: 'state', Item }));
      await expect(store.read('odd', key)).rejects.toThrow();
    },
  );
});
