import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { Approval } from '../domain/approval/approval.ts';
import { Card } from '../domain/approval/card.ts';
import { ifHolds } from './dynamo.ts';
import { MedicError } from './medic-error.ts';

/** More decisions than a quorum and a denial take cannot come between. */
const mostRounds = 10;

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
            decided: approval.decisions.length,
            record: JSON.stringify(approval),
            ttl: expiryOf(approval),
          }),
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );
    await this.setToken(approval, taskToken);
  }

  /** The token of the present wait takes the place of the one before. */
  async setToken(approval: Pick<Approval, 'id' | 'expiresAt'>, taskToken: string): Promise<void> {
    await this.#put(approval, 'TOKEN', { token: taskToken });
  }

  /** What people were shown, for doors that show more of it later. */
  async setCard(approval: Pick<Approval, 'id' | 'expiresAt'>, card: Card): Promise<void> {
    await this.#put(approval, 'CARD', { card: JSON.stringify(card) });
  }

  async card(id: string): Promise<Card | undefined> {
    const item = await this.#get(id, 'CARD');
    return item === undefined ? undefined : Card.parse(JSON.parse(String(item.card)));
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
   * Replaces the record if nothing has become of `from` since it was read: neither its status nor the number of its
   * decisions. This one write decides every race.
   *
   * @returns whether this caller won
   */
  async settle(approval: Approval, from: Pick<Approval, 'status' | 'decisions'>): Promise<boolean> {
    const settled = await ifHolds(
      this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: marshall(keyOf(approval.id)),
          // Records of before there were several decisions do not count them.
          ConditionExpression: '#status = :from AND (attribute_not_exists(decided) OR decided = :before)',
          UpdateExpression: 'SET #status = :to, #record = :record, decided = :after',
          ExpressionAttributeNames: { '#status': 'status', '#record': 'record' },
          ExpressionAttributeValues: marshall({
            ':from': from.status,
            ':before': from.decisions.length,
            ':to': approval.status,
            ':after': approval.decisions.length,
            ':record': JSON.stringify(approval),
          }),
        }),
      ),
    );
    return settled !== undefined;
  }

  /**
   * Ends an approval that nobody has decided. What was decided at the very moment stays.
   *
   * @returns the record as it stands now; `undefined` where there is none
   */
  async end(id: string, status: 'expired' | 'void'): Promise<Approval | undefined> {
    for (let round = 0; round < mostRounds; round += 1) {
      const record = await this.get(id);
      if (record?.status !== 'pending') return record;
      const ended: Approval = { ...record, status };
      if (await this.settle(ended, record)) return ended;
    }
    throw new MedicError(`approval ${id} could not be ended: others kept writing first`);
  }

  async #put(
    approval: Pick<Approval, 'id' | 'expiresAt'>,
    sk: string,
    content: Record<string, string>,
  ): Promise<void> {
    await this.#client.send(
      new PutItemCommand({
        TableName: this.#table,
        Item: marshall({ pk: `APPROVAL#${approval.id}`, sk, ...content, ttl: expiryOf(approval) }),
      }),
    );
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
function expiryOf(approval: Pick<Approval, 'expiresAt'>): number {
  return Math.floor(Date.parse(approval.expiresAt) / 1000) + 30 * 86_400;
}
