import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HistoryStore } from '../../../lambdas/adapters/history-store.ts';
import { samplePast } from '../domain/history/sample-past.ts';
import { type LocalDynamo, startDynamo } from './local-dynamo.ts';

let dynamo: LocalDynamo;
let store: HistoryStore;
beforeAll(async () => {
  dynamo = await startDynamo();
  store = new HistoryStore(dynamo.client, 'state');
});
afterAll(() => dynamo.stop());

const now = new Date('2026-11-21T06:00:00Z');
const { instanceId, imageId } = samplePast();
const where = { instanceId, imageId };

describe('the history of a node and its machine image', () => {
  it('is empty at first', async () => {
    expect(await store.read('new', where, 7, now)).toEqual({
      days: 7,
      node: [],
      image: { id: imageId, pasts: [] },
    });
  });

  it('keeps all incidents that end at once, each once, and those of other nodes with the image only', async () => {
    const other = 'i-0fedcba9876543210';
    const all = Array.from({ length: 30 }, (_, index) =>
      samplePast({ incident: `inc-${index}`, ...(index < 10 ? {} : { instanceId: other }) }),
    );
    await Promise.all([...all, ...all].map((past) => store.remember('storm', past)));

    const { node, image } = await store.read('storm', where, 7, now);
    expect(node.map(({ incident }) => incident).sort()).toEqual(
      all
        .slice(0, 10)
        .map(({ incident }) => incident)
        .sort(),
    );
    expect(image?.pasts).toHaveLength(30);
    expect((await store.read('calm', where, 7, now)).node).toEqual([]);
  });

  it('begins so many days ago, to the second', async () => {
    const from = new Date(now.getTime() - 7 * 86_400_000);
    const before = new Date(from.getTime() - 1000);
    await store.remember('long', samplePast({ incident: 'in', closedAt: from.toISOString() }));
    await store.remember('long', samplePast({ incident: 'out', closedAt: before.toISOString() }));
    await store.remember('long', samplePast({ incident: 'today', closedAt: now.toISOString() }));

    const { node } = await store.read('long', where, 7, now);
    expect(node.map(({ incident }) => incident)).toEqual(['in', 'today']);
  });

  it('is remembered without an image where that is not known', async () => {
    await store.remember('none', samplePast({ imageId: null }));

    expect(await store.read('none', { instanceId, imageId: null }, 7, now)).toMatchObject({
      node: [{ incident: 'inc-1' }],
      image: null,
    });
  });

  it('that nobody can read is an error, and not a node that was never ill', async () => {
    const Item = marshall({
      pk: `HISTORY#broken#${instanceId}`,
      sk: '2026-11-20',
      'incident#a': '{"version":9}',
    });
    await dynamo.client.send(new PutItemCommand({ TableName: 'state', Item }));

    await expect(store.read('broken', where, 7, now)).rejects.toThrow();
  });
});
