import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { Approval, type ApprovalStatus } from '../domain/approval/approval.ts';
import { ifHolds } from './dynamo.ts';

/** Approvals, and beside each, never in it, the task token that wakes its execution. */
export class ApprovalStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** Stores a new approval with its token. Repeating it with the same id changes only the token. */
  async request(approval: Approval, taskToken: string): Promise<void> {
    await ifHolds(
      this.#client.send(
        new PutItemCommand({
          TableName: this.#table,
          Item: marshall({
            ...keyOf(approval.id),
            status: approval.status,
            record: JSON.stringify(approval),
            ttl: expiryOf(approval),
          }),
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );
    await this.#client.send(
      new PutItemCommand({
        TableName: this.#table,
        Item: marshall({
          pk: `APPROVAL#${approval.id}`,
          sk: 'TOKEN',
          token: taskToken,
          ttl: expiryOf(approval),
        }),
      }),
    );
  }

  async get(id: string): Promise<Approval | undefined> {
    const item = await this.#get(id, 'APPROVAL');
    return item === undefined ? undefined : Approval.parse(JSON.parse(String(item.record)));
  }

  async token(id: string): Promise<string | undefined> {
    const item = await this.#get(id, 'TOKEN');
    return item === undefined ? undefined : String(item.token);
  }

  /**
   * Replaces the record if its status is still `from`. This one write decides every race.
   *
   * @returns whether this caller won
   */
  async settle(approval: Approval, from: ApprovalStatus): Promise<boolean> {
    const settled = await ifHolds(
      this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: marshall(keyOf(approval.id)),
          ConditionExpression: '#status = :from',
          UpdateExpression: 'SET #status = :to, #record = :record',
          ExpressionAttributeNames: { '#status': 'status', '#record': 'record' },
          ExpressionAttributeValues: marshall({
            ':from': from,
            ':to': approval.status,
            ':record': JSON.stringify(approval),
          }),
        }),
      ),
    );
    return settled !== undefined;
  }

  async #get(id: string, sk: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await this.#client.send(
      new GetItemCommand({
        TableName: this.#table,
        Key: marshall({ pk: `APPROVAL#${id}`, sk }),
        ConsistentRead: true,
      }),
    );
    return Item === undefined ? undefined : unmarshall(Item);
  }
}

function keyOf(id: string): { pk: string; sk: string } {
  return { pk: `APPROVAL#${id}`, sk: 'APPROVAL' };
}

/** Kept for thirty days after its end, for late clicks to be answered with what happened. */
function expiryOf(approval: Approval): number {
  return Math.floor(Date.parse(approval.expiresAt) / 1000) + 30 * 86_400;
}
