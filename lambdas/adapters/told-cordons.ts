import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import type { CordonedNode } from '../domain/replacement/forgotten-cordon.ts';
import { RevisedItem } from './revised-item.ts';

const Told = z.object({ told: z.array(z.string()) });

/** The forgotten cordons of a cluster of which people were told, so that each is told once and not at every sweep. */
export class ToldCordons {
  readonly #item: RevisedItem<z.infer<typeof Told>>;

  constructor(client: DynamoDBClient, table: string) {
    this.#item = new RevisedItem(client, table, {
      kind: 'FORGOTTEN',
      name: 'the list of forgotten cordons',
      schema: Told,
      absent: { told: [] },
    });
  }

  /** Of these, those that nobody was told of. */
  async untold<T extends CordonedNode>(cluster: string, cordons: readonly T[]): Promise<T[]> {
    const { told } = await this.#item.read(cluster);
    return cordons.filter((one) => !told.includes(keyOf(one)));
  }

  /** From now on people know of these, and of no others: one that comes back is told again. */
  async remember(cluster: string, cordons: readonly CordonedNode[]): Promise<void> {
    const told = cordons.map(keyOf).toSorted();
    await this.#item.change(cluster, (before) =>
      JSON.stringify(before.told) === JSON.stringify(told) ? undefined : { told },
    );
  }
}

function keyOf({ node, incident }: CordonedNode): string {
  return `${node} ${incident.slice(0, 200)}`;
}
