import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BreakerStore } from '../../../lambdas/adapters/breaker-store.ts';
import { closedBreaker, withCanary, withFailure } from '../../../lambdas/domain/gates/breaker.ts';
import { Gates } from '../../../lambdas/domain/settings/gates.ts';
import { type LocalDynamo, startDynamo } from './local-dynamo.ts';

const { breaker: settings } = Gates.parse({ breaker: { failures: 15 } });
const now = new Date('2026-11-21T06:00:00Z');
const failed = (incident: string) => ({
  incident,
  instanceId: 'i-0123456789abcdef0',
  treatment: 'reclaim',
  why: 'it did not help',
  harmed: false,
  at: now.toISOString(),
});

let dynamo: LocalDynamo;
let store: BreakerStore;
beforeAll(async () => {
  dynamo = await startDynamo();
  store = new BreakerStore(dynamo.client, 'state');
});
afterAll(() => dynamo.stop());

/** The table of a test answers one call after the other, and a busy machine slowly. */
const patience = 60_000;

describe('the breaker of a cluster', () => {
  it('that nobody has written is closed, and is not written where nothing changes', async () => {
    expect(await store.read('quiet')).toEqual(closedBreaker);
    await store.change('quiet', (state) => state);
    const { Item } = await dynamo.client.send(
      new GetItemCommand({ TableName: 'state', Key: marshall({ pk: 'BREAKER#quiet', sk: 'BREAKER' }) }),
    );
    expect(Item).toBeUndefined();
  });

  it('loses no failure of incidents that fail at the same time', async () => {
    const incidents = Array.from({ length: 15 }, (_, index) => `inc-${index}`);
    await Promise.all(
      incidents.map((incident) =>
        store.change('storm', (state) => withFailure(state, failed(incident), settings), undefined, patience),
      ),
    );

    const { failures, openedAt } = await store.read('storm');
    expect(failures.map(({ incident }) => incident).sort()).toEqual(incidents.sort());
    expect(openedAt).toBe(now.toISOString());
    expect((await store.read('quiet')).openedAt).toBeNull();
  });

  it('has one canary, however many want to be it', async () => {
    const later = new Date(now.getTime() + 2 * 3_600_000);
    const won = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const incident = `late-${index}`;
        const { before, after } = await store.change(
          'storm',
          (state) => withCanary(state, incident, settings, later, 600),
          undefined,
          patience,
        );
        return before !== after;
      }),
    );

    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await store.read('storm')).canary?.incident).toBe(`late-${won.indexOf(true)}`);
  });

  it.each(['no json', '{}', '{"version":2,"failures":[],"openedAt":null,"canary":null}'])(
    'that holds %o is an error, and no closed breaker',
    async (state) => {
      await dynamo.client.send(
        new PutItemCommand({
          TableName: 'state',
          Item: marshall({ pk: 'BREAKER#odd', sk: 'BREAKER', state, revision: 1 }),
        }),
      );
      await expect(store.read('odd')).rejects.toThrow();
    },
  );
});
