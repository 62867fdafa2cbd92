import { setTimeout as sleep } from 'node:timers/promises';
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BudgetStore } from '../../../lambdas/adapters/budget-store.ts';
import {
  type BudgetState,
  holdersAt,
  inLineFor,
  nobodyDisrupted,
  withoutIncident,
  withPlace,
} from '../../../lambdas/domain/gates/budget.ts';
import { Gates } from '../../../lambdas/domain/settings/gates.ts';
import { type LocalDynamo, startDynamo } from './local-dynamo.ts';

const takers = 50;
/** However slow this machine is: nobody gives up. */
const patience = 120_000;
const { budget: settings } = Gates.parse({ budget: { perZone: 2 } });
// Four of the cluster, two of each group, two of each zone.
const nodes = { cluster: 40, nodeGroup: 20 };

let dynamo: LocalDynamo;
let store: BudgetStore;
beforeAll(async () => {
  dynamo = await startDynamo();
  store = new BudgetStore(dynamo.client, 'state');
});
afterAll(() => dynamo.stop());

type Spot = { nodeGroup: string; zone: string };
const spots = fc.array(
  fc.record({
    nodeGroup: fc.constantFrom('web', 'db', 'jobs', 'unknown'),
    zone: fc.constantFrom('a', 'b', 'c', 'unknown'),
  }),
  { minLength: takers, maxLength: takers },
);
const nodeOf = (index: number, { nodeGroup, zone }: Spot) => ({
  incident: `inc-${index}`,
  instanceId: `i-${index}`,
  treatment: 'restart-kubelet',
  nodeGroup,
  zone,
  nodes,
});
const in10 = (now: Date) => new Date(now.getTime() + 600_000);

/** Takes a place, or stands in line; says whether it has a place. */
async function ask(
  cluster: string,
  me: ReturnType<typeof nodeOf>,
  now = new Date(),
  until = in10(now),
): Promise<boolean> {
  const { after } = await store.change(
    cluster,
    (state) => withPlace(state, me, settings, now, until) ?? inLineFor(state, me, now, in10(now)),
    undefined,
    patience,
  );
  return holdersAt(after, now).some(({ incident }) => incident === me.incident);
}

const most = (all: readonly Spot[], by: keyof Spot): number =>
  Math.max(0, ...all.map((one) => all.filter((other) => other[by] === one[by]).length));

function expectWithin(all: readonly Spot[]): void {
  expect(all.length).toBeLessThanOrEqual(4);
  expect(most(all, 'nodeGroup')).toBeLessThanOrEqual(2);
  expect(most(all, 'zone')).toBeLessThanOrEqual(2);
}

let runs = 0;
const freshCluster = () => {
  runs += 1;
  return `fleet-${runs}`;
};

describe('the budget of a cluster', () => {
  it('that nobody has written has all its places, and is not written where nothing changes', async () => {
    expect(await store.read('quiet')).toEqual(nobodyDisrupted);
    await store.change('quiet', (state) => withoutIncident(state, 'nobody'));
    const { Item } = await dynamo.client.send(
      new GetItemCommand({ TableName: 'state', Key: marshall({ pk: 'BUDGET#quiet', sk: 'BUDGET' }) }),
    );
    expect(Item).toBeUndefined();
  });

  it('is never spent twice, by fifty that ask at the same moment', async () => {
    const property = fc.asyncProperty(spots, async (all) => {
      const cluster = freshCluster();
      const asked = await Promise.all(all.map((spot, index) => ask(cluster, nodeOf(index, spot))));
      const won = all.filter((_, index) => asked[index]);
      expectWithin(won);
      const { holders, waiting } = await store.read(cluster);
      expect(holders.map(({ incident }) => incident).sort()).toEqual(
        all.flatMap((_, index) => (asked[index] ? [`inc-${index}`] : [])).sort(),
      );
      // Nobody is lost: who has no place stands in line.
      expect(holders.length + waiting.length).toBe(takers);
      expect(holders.length).toBeGreaterThan(0);
    });
    await fc.assert(property, { numRuns: 3 });
  }, 240_000);

  it('lets all fifty act one after the other, some of which die while they do', async () => {
    const property = fc.asyncProperty(spots, async (all) => {
      const cluster = freshCluster();
      const acting = new Set<number>();
      const done = new Set<number>();
      await Promise.all(
        all.map(async (spot, index) => {
          const me = nodeOf(index, spot);
          const dies = index % 10 === 0;
          const until = () => new Date(Date.now() + (dies ? 100 : 600_000));
          while (!(await ask(cluster, me, new Date(), until()))) await sleep(50 + Math.random() * 100);
          // Whoever dies is not in anybody's way any more once its time is over.
          if (!dies) acting.add(index);
          expectWithin(all.filter((_, other) => acting.has(other)));
          await sleep(Math.random() * 10);
          acting.delete(index);
          done.add(index);
          if (!dies) {
            await store.change(cluster, (state) => withoutIncident(state, me.incident), undefined, patience);
          }
        }),
      );
      expect(done.size).toBe(takers);
      await sleep(100);
      const { holders, waiting } = await store.read(cluster);
      expect(holdersAt({ ...nobodyDisrupted, holders }, new Date())).toEqual([]);
      expect(waiting).toEqual([]);
    });
    await fc.assert(property, { numRuns: 1 });
  }, 240_000);

  it.each([
    'no json',
    '{}',
    JSON.stringify({ ...nobodyDisrupted, version: 2 } satisfies Omit<BudgetState, 'version'> & {
      version: number;
    }),
  ])('that holds %o is an error, and no free place', async (state) => {
    await dynamo.client.send(
      new PutItemCommand({
        TableName: 'state',
        Item: marshall({ pk: 'BUDGET#odd', sk: 'BUDGET', state, revision: 1 }),
      }),
    );
    await expect(store.read('odd')).rejects.toThrow();
  });
});
