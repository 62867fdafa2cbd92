import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type * as z from 'zod';
import { ifHolds } from './dynamo.ts';
import { MedicError } from './medic-error.ts';

/** How long somebody tries who can ask again later: several of such changes fit into the time of one function. */
const patienceMs = 4000;
/** How long what would be lost otherwise is tried for. */
export const surelyMs = 9000;
/**
 * Pauses after a write that somebody else was faster with, a random part of each: every one is twice the one before, so that
 * however many try, soon few do so at the same moment, and whoever has waited long never waits longer than the last of them.
 */
const firstPauseMs = 50;
const longestPauseMs = 1600;

export type Revised<State> = {
  /** Kind of the item, and the first part of its key: `BREAKER`. */
  kind: string;
  /** What it is called in an error: `the breaker`. */
  name: string;
  schema: z.ZodType<State>;
  /** What a cluster has for which there is no item. */
  absent: State;
  /** Seconds after its last change for which the item is kept. Left out: for good. */
  keptSeconds?: number;
};

/** Others kept writing first. Nothing was changed, and to ask again is safe. */
export class KeptChangingError extends MedicError {
  override readonly name = 'KeptChangingError';
}

/** One item per cluster, or one for each name of its, changed as a whole by whoever read its last revision: of several at a time, one writes, and the others look again. */
export class RevisedItem<State> {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #what: Revised<State>;

  constructor(client: DynamoDBClient, table: string, what: Revised<State>) {
    this.#client = client;
    this.#table = table;
    this.#what = what;
  }

  /** @throws for an item that nobody can read: whoever asks must not take that for one that is not there */
  async read(cluster: string, name?: string): Promise<State> {
    return (await this.#item(cluster, name)).state;
  }

  /**
   * Changes the state by what `change` makes of it, and by nothing where that is the same or `undefined`. Tries again where
   * somebody else was faster.
   *
   * @param patience milliseconds after which it gives up
   * @throws KeptChangingError where others were faster for as long: whoever can should wait, and ask again
   */
  async change(
    cluster: string,
    change: (state: State) => State | undefined,
    name?: string,
    patience = patienceMs,
  ): Promise<{ before: State; after: State }> {
    const began = performance.now();
    for (let longest = firstPauseMs; ; longest = Math.min(2 * longest, longestPauseMs)) {
      const { state: before, revision } = await this.#item(cluster, name);
      const after = change(before);
      if (after === undefined || after === before) return { before, after: before };
      if (await this.#write(this.#keyOf(cluster, name), after, revision)) return { before, after };
      const pause = Math.random() * longest;
      if (performance.now() - began + pause > patience) break;
      await sleep(pause);
    }
    throw new KeptChangingError(
      `${this.#what.name} of ${cluster} could not be changed: others kept changing it`,
      { context: { cluster, patience } },
    );
  }

  async #item(cluster: string, name?: string): Promise<{ state: State; revision: number }> {
    const { Item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#table, Key: this.#keyOf(cluster, name), ConsistentRead: true }),
    );
    if (Item === undefined) return { state: this.#what.absent, revision: 0 };
    const { state, revision } = unmarshall(Item);
    return { state: this.#what.schema.parse(JSON.parse(String(state))), revision: Number(revision) };
  }

  async #write(Key: Record<string, AttributeValue>, state: State, revision: number): Promise<boolean> {
    const { keptSeconds } = this.#what;
    const ttl = keptSeconds === undefined ? {} : { ':ttl': Math.floor(Date.now() / 1000) + keptSeconds };
    const written = await ifHolds(
      this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key,
          ConditionExpression: revision === 0 ? 'attribute_not_exists(pk)' : '#revision = :read',
          UpdateExpression: `SET #state = :state, #revision = :next${keptSeconds === undefined ? '' : ', #ttl = :ttl'}`,
          ExpressionAttributeNames: {
            '#state': 'state',
            '#revision': 'revision',
            ...(keptSeconds === undefined ? {} : { '#ttl': 'ttl' }),
          },
          ExpressionAttributeValues: marshall({
            ':state': JSON.stringify(state),
            ':next': revision + 1,
            ...ttl,
            ...(revision === 0 ? {} : { ':read': revision }),
          }),
        }),
      ),
    );
    return written !== undefined;
  }

  #keyOf(cluster: string, name?: string): Record<string, AttributeValue> {
    const { kind } = this.#what;
    return marshall({ pk: `${kind}#${cluster}`, sk: name ?? kind });
  }
}
