import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { Approval } from '../domain/approval/approval.ts';
import { Card } from '../domain/approval/card.ts';

/** Approvals, for those who only look at them. */
export class ApprovalReader {
  protected readonly client: DynamoDBClient;
  protected readonly table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.client = client;
    this.table = table;
  }

  async get(id: string): Promise<Approval | undefined> {
    const item = await this.item(id, 'APPROVAL');
    return item === undefined ? undefined : Approval.parse(JSON.parse(String(item.record)));
  }

  /** What people were shown. */
  async card(id: string): Promise<Card | undefined> {
    const item = await this.item(id, 'CARD');
    return item === undefined ? undefined : Card.parse(JSON.parse(String(item.card)));
  }

  protected async item(id: string, sk: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await this.client.send(
      new GetItemCommand({
        TableName: this.table,
        Key: marshall({ pk: `APPROVAL#${id}`, sk }),
        ConsistentRead: true,
      }),
    );
    return Item === undefined ? undefined : unmarshall(Item);
  }
}
