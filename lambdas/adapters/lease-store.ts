import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Renewal } from '../domain/gates/lease-gate.ts';
import { ifHolds } from './dynamo.ts';

export type Taken =
  | { status: 'ours'; fencing: number; until: string }
  | { status: 'held'; holder: string; until: string };

/**
 * One lease per node. It expires, so that a dead incident does not hold a node for ever, and it carries a fencing
 * number that grows with every new holder, so that a holder who slept through its expiry can be told.
 */
export class LeaseStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** Takes the lease if it is free, expired or already this holder's. */
  async take(instanceId: string, holder: string, seconds: number, now: Date): Promise<Taken> {
    const until = after(now, seconds);
    const taken = await ifHolds(
      this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: keyOf(instanceId),
          ConditionExpression: 'attribute_not_exists(holder) OR expiresAt < :now OR holder = :me',
          UpdateExpression: 'SET holder = :me, expiresAt = :until ADD fencing :one',
          ExpressionAttributeValues: marshall({
            ':me': holder,
            ':now': now.toISOString(),
            ':until': until,
            ':one': 1,
          }),
          ReturnValues: 'ALL_NEW',
        }),
      ),
    );
    if (taken === undefined) return { status: 'held', ...(await this.#holder(instanceId)) };
    return { status: 'ours', fencing: Number(unmarshall(taken.Attributes ?? {}).fencing), until };
  }

  /** Moves the expiry of a lease that is still this holder's, under this fencing number. */
  async renew(
    instanceId: string,
    holder: string,
    fencing: number,
    seconds: number,
    now: Date,
  ): Promise<Renewal> {
    const until = after(now, seconds);
    const renewed = await ifHolds(
      this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: keyOf(instanceId),
          ConditionExpression: 'holder = :me AND fencing = :fencing',
          UpdateExpression: 'SET expiresAt = :until',
          ExpressionAttributeValues: marshall({ ':me': holder, ':fencing': fencing, ':until': until }),
        }),
      ),
    );
    if (renewed !== undefined) return { status: 'ours', until };
    return { status: 'lost', holder: (await this.#holder(instanceId)).holder };
  }

  /**
   * Gives the lease back, if it is this holder's. The item stays, because the fencing number must never start again.
   *
   * @returns whether it was this holder's
   */
  async release(instanceId: string, holder: string): Promise<boolean> {
    const released = await ifHolds(
      this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: keyOf(instanceId),
          ConditionExpression: 'holder = :me',
          UpdateExpression: 'REMOVE holder, expiresAt',
          ExpressionAttributeValues: marshall({ ':me': holder }),
        }),
      ),
    );
    return released !== undefined;
  }

  /** Who has the lease, also where it has expired; `undefined` where nobody has. */
  async read(instanceId: string): Promise<{ holder: string; expiresAt: string } | undefined> {
    const { Item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#table, Key: keyOf(instanceId), ConsistentRead: true }),
    );
    const { holder, expiresAt } = Item === undefined ? {} : unmarshall(Item);
    return holder === undefined ? undefined : { holder: String(holder), expiresAt: String(expiresAt) };
  }

  async #holder(instanceId: string): Promise<{ holder: string; until: string }> {
    const { holder, expiresAt } = (await this.read(instanceId)) ?? {};
    return { holder: holder ?? 'nobody', until: expiresAt ?? 'unknown' };
  }
}

function keyOf(instanceId: string) {
  return marshall({ pk: `LEASE#${instanceId}`, sk: 'LEASE' });
}

function after(now: Date, seconds: number): string {
  return new Date(now.getTime() + seconds * 1000).toISOString();
}
