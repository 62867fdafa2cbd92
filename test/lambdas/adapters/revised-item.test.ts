import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { KeptChangingError, RevisedItem } from '../../../lambdas/adapters/revised-item.ts';
import { failingClient, somebodyWasFaster } from './failing-client.ts';
import { type LocalDynamo, startDynamo } from './local-dynamo.ts';

const count = { kind: 'COUNT', name: 'the count', schema: z.number(), absent: 0 };

let dynamo: LocalDynamo;
let items: RevisedItem<number>;
beforeAll(async () => {
  dynamo = await startDynamo();
  items = new RevisedItem(dynamo.client, 'state', count);
});
afterAll(() => dynamo.stop());

describe('one item that many change at the same moment', () => {
  it('has all their changes, each once, without any of them having asked often', async () => {
    const takers = 60;
    let reads = 0;
    await Promise.all(
      Array.from({ length: takers }, () =>
        items.change(
          'crowd',
          (present) => {
            reads += 1;
            return present + 1;
          },
          undefined,
          100_000,
        ),
      ),
    );
    expect(await items.read('crowd')).toBe(takers);
    expect(reads / takers).toBeLessThan(12);
  }, 120_000);

  it('keeps nobody for longer than they can wait, asks some times in it, and changes nothing then', async () => {
    const asked: number[] = [];
    const began = performance.now();
    const late = new RevisedItem(failingClient(dynamo.client, somebodyWasFaster), 'state', count);
    const change = late.change(
      'busy',
      (present) => {
        asked.push(performance.now());
        return present + 1;
      },
      undefined,
      1500,
    );
    await expect(change).rejects.toThrow(KeptChangingError);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.length).toBeLessThan(30);
    expect(await items.read('busy')).toBe(0);
  }, 20_000);
});
