import { setTimeout as sleep } from 'node:timers/promises';
import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { BreakerState, closedBreaker } from '../domain/gates/breaker.ts';
import { ifHolds } from './dynamo.ts';
import { MedicError } from './medic-error.ts';

/** A storm of incidents that end in the same second gets through in far fewer. */
const mostRounds = 40;
const longestPauseMs = 200;

/** The breaker of each cluster: one item, changed by whoever read its last revision. One that is not there is closed. */
export class BreakerStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** @throws for an item that nobody can read: whoever asks must not take that for a closed breaker */
  async read(cluster: string): Promise<BreakerState> {
    return (await this.#item(cluster)).state;
  }

  /**
   * Changes the state by what `change` makes of it, and by nothing where that is the same or `undefined`. Tries again where
   * somebody else was faster.
   */
  async change(
    cluster: string,
    change: (state: BreakerState) => BreakerState | undefined,
  ): Promise<{ before: BreakerState; after: BreakerState }> {
    for (let round = 0; round < mostRounds; round += 1) {
      const { state: before, revision } = await this.#item(cluster);
      const after = change(before);
      if (after === undefined || after === before) return { before, after: before };
      if (await this.#write(cluster, after, revision)) return { before, after };
      await sleep(Math.random() * longestPauseMs);
    }
    throw new MedicError(`the breaker of ${cluster} could not be changed: others kept changing it`, {
      context: { cluster, rounds: mostRounds },
    });
  }

  async #item(cluster: string): Promise<{ state: BreakerState; revision: number }> {
    const { Item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#table, Key: keyOf(cluster), ConsistentRead: true }),
    );
    if (Item === undefined) return { state: closedBreaker, revision: 0 };
    const { state, revision } = unmarshall(Item);
    return { state: BreakerState.parse(JSON.parse(String(state))), revision: Number(revision) };
  }

  async #write(cluster: string, state: BreakerState, revision: number): Promise<boolean> {
    const written = await ifHolds(
      this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: keyOf(cluster),
          ConditionExpression: revision === 0 ? 'attribute_not_exists(pk)' : '#revision = :read',
          UpdateExpression: 'SET #state = :state, #revision = :next',
          ExpressionAttributeNames: { '#state': 'state', '#revision': 'revision' },
          ExpressionAttributeValues: marshall({
            ':state': JSON.stringify(state),
            ':next': revision + 1,
            ...(revision === 0 ? {} : { ':read': revision }),
          }),
        }),
      ),
    );
    return written !== undefined;
  }
}

function keyOf(cluster: string) {
  return marshall({ pk: `BREAKER#${cluster}`, sk: 'BREAKER' });
}
