import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { canonicalJson } from '../domain/canonical-json.ts';
import { InstanceId } from '../domain/census/node.ts';
import { DueLook } from '../domain/census/second-look.ts';
import { ifHolds } from './dynamo.ts';

/**
 * Provisional cures that the census has to look at again: one item for a cluster, one attribute for a node. So a run reads
 * one item, and no function needs the right to query. It holds about a thousand of them, of one day.
 */
export class SecondLookStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** A later cure of the same node takes the place of an earlier one. */
  async remember(cluster: string, instanceId: string, due: DueLook): Promise<void> {
    await this.#client.send(
      new UpdateItemCommand({
        TableName: this.#table,
        Key: keyOf(cluster),
        UpdateExpression: 'SET #node = :due',
        ExpressionAttributeNames: { '#node': instanceId },
        ExpressionAttributeValues: marshall({ ':due': canonicalJson(due) }),
      }),
    );
  }

  /** Those that are due, by node, the oldest first. */
  async due(cluster: string, now: Date): Promise<Map<string, DueLook>> {
    const { Item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#table, Key: keyOf(cluster), ConsistentRead: true }),
    );
    const entries = Object.entries(Item === undefined ? {} : unmarshall(Item))
      .filter(([name]) => InstanceId.safeParse(name).success)
      .map(([name, text]) => [name, DueLook.parse(JSON.parse(String(text)))] as const)
      .filter(([, { at }]) => Date.parse(at) <= now.getTime());
    return new Map(entries.sort(([, a], [, b]) => (a.at < b.at ? -1 : 1)));
  }

  /** Only this one, in whatever order its fields came: a later cure of the same node has its own look. */
  async forget(cluster: string, instanceId: string, due: DueLook): Promise<void> {
    await ifHolds(
      this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: keyOf(cluster),
          ConditionExpression: '#node = :due',
          UpdateExpression: 'REMOVE #node',
          ExpressionAttributeNames: { '#node': instanceId },
          ExpressionAttributeValues: marshall({ ':due': canonicalJson(due) }),
        }),
      ),
    );
  }
}

function keyOf(cluster: string) {
  return marshall({ pk: `SECOND-LOOKS#${cluster}`, sk: 'DUE' });
}
