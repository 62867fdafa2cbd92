import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { ifHolds } from './dynamo.ts';

const Posted = z.object({ channel: z.string(), ts: z.string() });
/** A message in Slack. */
export type Posted = z.infer<typeof Posted>;

const cardPlaces = ['1', '2'] as const;
const monthSeconds = 30 * 86_400;

/** Where the messages of approvals and incidents are in Slack, and which requests of Slack were taken already. */
export class SlackStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** Takes a request once. @returns whether it is the first time */
  async takeRequest(name: string, now: Date): Promise<boolean> {
    const written = await ifHolds(
      this.#client.send(
        new PutItemCommand({
          TableName: this.#table,
          ConditionExpression: 'attribute_not_exists(pk)',
          // Longer than its time is accepted, to either side.
          Item: marshall({ pk: `SLACK#${name}`, sk: 'SEEN', ttl: Math.floor(now.getTime() / 1000) + 1200 }),
        }),
      ),
    );
    return written !== undefined;
  }

  /** Where the card of an approval is: in the channel of its cluster, and in that of the second group. */
  async cardsOf(approvalId: string): Promise<Posted[]> {
    const places = await Promise.all(
      cardPlaces.map((place) => this.#get(`APPROVAL#${approvalId}`, `SLACK#${place}`)),
    );
    return places.filter((place) => place !== undefined);
  }

  /** The first message of an incident: what follows is its thread. */
  threadOf(incident: string): Promise<Posted | undefined> {
    return this.#get(`INCIDENT#${incident}`, 'SLACK');
  }

  /**
   * Whether this message went out already. Where the function ends between Slack's answer and its note of it, the queue
   * delivers again and the message goes out twice: Slack has no key by which it would take one once.
   */
  async wasTold(messageId: string): Promise<boolean> {
    return (await this.#get(`SLACK#${messageId}`, 'TOLD')) !== undefined;
  }

  async setTold(messageId: string, now: Date): Promise<void> {
    await this.#put(`SLACK#${messageId}`, 'TOLD', { channel: '-', ts: '-' }, now);
  }

  /** @param of `approvalId` where the message is the card of an approval */
  async remember(
    posted: Posted,
    of: { incident: string; approvalId: string | undefined },
    now: Date,
  ): Promise<void> {
    await this.#put(`INCIDENT#${of.incident}`, 'SLACK', posted, now);
    if (of.approvalId === undefined) return;
    for (const place of cardPlaces) {
      if (await this.#put(`APPROVAL#${of.approvalId}`, `SLACK#${place}`, posted, now)) return;
    }
  }

  /** What is there already stays. @returns whether it was written */
  async #put(pk: string, sk: string, posted: Posted, now: Date): Promise<boolean> {
    const written = await ifHolds(
      this.#client.send(
        new PutItemCommand({
          TableName: this.#table,
          ConditionExpression: 'attribute_not_exists(pk)',
          Item: marshall({ pk, sk, ...posted, ttl: Math.floor(now.getTime() / 1000) + monthSeconds }),
        }),
      ),
    );
    return written !== undefined;
  }

  async #get(pk: string, sk: string): Promise<Posted | undefined> {
    const { Item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#table, Key: marshall({ pk, sk }), ConsistentRead: true }),
    );
    return Item === undefined ? undefined : Posted.parse(unmarshall(Item));
  }
}
