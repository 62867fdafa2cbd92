import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { ifHolds } from './dynamo.ts';

/** When the census raised a node last, so that it is not raised again at every look. One item for each node that ever was. */
export class RaisedStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /**
   * Takes the turn of a node, if it has cooled down. The same run may take it again: it does so where a message was
   * delivered twice, and then it raises what it had not.
   *
   * @returns whether the node may be raised now
   */
  async claim(instanceId: string, run: string, coolDownMinutes: number, now: Date): Promise<boolean> {
    const until = new Date(now.getTime() + coolDownMinutes * 60_000);
    const written = await ifHolds(
      this.#client.send(
        new PutItemCommand({
          TableName: this.#table,
          // The service removes expired items when it gets to it, which may be days later: the time itself decides.
          ConditionExpression: 'attribute_not_exists(pk) OR coolUntil <= :now OR run = :run',
          ExpressionAttributeValues: marshall({ ':now': now.toISOString(), ':run': run }),
          Item: marshall({
            pk: `CENSUS#${instanceId}`,
            sk: 'RAISED',
            run,
            raisedAt: now.toISOString(),
            coolUntil: until.toISOString(),
            ttl: Math.ceil(until.getTime() / 1000),
          }),
        }),
      ),
    );
    return written !== undefined;
  }
}
