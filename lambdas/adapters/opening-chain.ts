import { type DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { AuditEntry } from '../domain/audit/entry.ts';
import { ifHolds } from './dynamo.ts';

/** The last incident that was opened in a cluster: its place, and its whole first entry. */
export type Tail = { number: number; entry: AuditEntry };

/**
 * The end of the chain of openings of each cluster: one item per cluster, in the table of the entries, under a key that no incident
 * can have.
 *
 * There are no transactions here, so taking a place and writing the entry are two writes, and a process may die between
 * them. Three rules keep the chain whole all the same; `AuditTrail` follows them:
 *
 * 1. The item holds the whole first entry of the incident that took the last place, not only its name. Whoever comes next
 *    can write that entry, with the very hash that it will chain to.
 * 2. Nobody takes a place before the entry of the place before it is in the table: it is put once more, if absent. So at
 *    most the last place has no entry yet, and the next opening, a retry of the incident itself and the janitor all mend that.
 * 3. An incident takes a place only if it was seen, after the item was read, to have no entry, and only if the item has not
 *    moved since. So no incident takes two places: had it taken one before, it would be in the item, or, by rule 2, in the table.
 */
export class OpeningChain {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** `undefined` for a cluster in which no incident was ever opened. */
  async tail(cluster: string): Promise<Tail | undefined> {
    const { Items } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        ConsistentRead: true,
        KeyConditionExpression: 'incident = :key',
        ExpressionAttributeValues: marshall({ ':key': keyOf(cluster) }),
      }),
    );
    const [item] = Items ?? [];
    if (item === undefined) return undefined;
    const { place, content } = unmarshall(item);
    return { number: place, entry: JSON.parse(content) };
  }

  /** Takes the place after `tail`, for an incident whose first entry is `next`; `false` where somebody else took it. */
  async take(cluster: string, tail: Tail | undefined, next: AuditEntry): Promise<boolean> {
    const place = (tail?.number ?? 0) + 1;
    const item = {
      incident: keyOf(cluster),
      seq: 0,
      place,
      opened: next.incident,
      content: JSON.stringify(next),
    };
    const put = this.#client.send(
      new PutItemCommand({
        TableName: this.#table,
        Item: marshall(item),
        ...(tail === undefined
          ? { ConditionExpression: 'attribute_not_exists(incident)' }
          : {
              ConditionExpression: 'place = :place',
              ExpressionAttributeValues: marshall({ ':place': tail.number }),
            }),
      }),
    );
    return (await ifHolds(put)) !== undefined;
  }
}

/** Names of incidents have no "#" in them. */
function keyOf(cluster: string): string {
  return `openings#${cluster}`;
}
