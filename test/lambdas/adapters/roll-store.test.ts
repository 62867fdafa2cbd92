import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RollStore } from '../../../lambdas/adapters/roll-store.ts';
import { type Roll, type Told, withClosing, withOpen } from '../../../lambdas/domain/roll/roll.ts';
import { RollSettings } from '../../../lambdas/domain/settings/roll.ts';
import { type LocalDynamo, startDynamo } from './local-dynamo.ts';

const settings = RollSettings.parse({});
const incidents = Array.from({ length: 100 }, (_, index) => `inc-${index}`);

/** The table of a test answers one call after the other, and a busy machine slowly. */
const patience = 50_000;

let dynamo: LocalDynamo;
let store: RollStore;
beforeAll(async () => {
  dynamo = await startDynamo();
  store = new RollStore(dynamo.client, 'state');
});
afterAll(() => dynamo.stop());

it('of a hundred incidents that come and go at the same moment none is lost, and few are told of', async () => {
  const open = (incident: string) =>
    store.change(
      'racing',
      'session-churn',
      (roll) => withOpen(roll, incident, settings, new Date()),
      patience,
    );
  const opened = await Promise.all(incidents.map(open));
  expect(Math.max(...opened.map(({ after }) => after.open.length))).toBe(100);

  const close = async (incident: string): Promise<Told> => {
    let told: Told = 'later';
    const by = (roll: Roll): Roll => {
      const closing = { incident, instanceId: incident, outcome: 'cured', called: false } as const;
      const closed = withClosing(roll, closing, settings, new Date());
      told = closed.told;
      return closed.roll;
    };
    await store.change('racing', 'session-churn', by, patience);
    return told;
  };
  const told = await Promise.all(incidents.map(close));
  expect(told.filter((one) => one === 'singly')).toHaveLength(3);
  // 4, 8, 16, 32, 64 and the last.
  expect(told.filter((one) => one === 'summary')).toHaveLength(6);
  const { after } = await store.change('racing', 'session-churn', (roll) => roll);
  expect(after).toMatchObject({ closings: 100, outcomes: { cured: 100 }, open: [], untold: 0 });
}, 120_000);

it('each cause of each cluster has a roll of its own, and one that nobody can read is an error', async () => {
  await store.change('own', 'session-churn', (roll) => withOpen(roll, 'inc', settings, new Date()));
  const of = async (cluster: string, cause: string): Promise<number> =>
    (await store.change(cluster, cause, (roll) => roll)).after.open.length;
  expect([
    await of('own', 'session-churn'),
    await of('own', 'agent-leak'),
    await of('other', 'session-churn'),
  ]).toEqual([1, 0, 0]);
  const Item = marshall({ pk: 'ROLL#own#agent-leak', sk: 'ROLL', state: '{}', revision: 1 });
  await dynamo.client.send(new PutItemCommand({ TableName: 'state', Item }));
  await expect(of('own', 'agent-leak')).rejects.toThrow();
});
