import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { canonicalJson } from '../domain/canonical-json.ts';
import { type Standing, whyOver } from '../domain/standing/standing.ts';
import { ifHolds } from './dynamo.ts';
import { readStanding, standingKey, standingsOf } from './standing-reader.ts';

/** How long one that is over can still be seen. */
export const keptDays = 90;

/**
 * Begins a standing treatment, in the place of one that is over. Beginning the same again changes nothing.
 *
 * @returns why it was not begun: another one of the same group holds; `undefined` where it was
 */
export async function beginStanding(
  client: DynamoDBClient,
  table: string,
  standing: Standing,
  now: Date,
): Promise<string | undefined> {
  const before = await readStanding(client, table, standing);
  // A retry: the first attempt has written it, and its answer was lost.
  if (before?.standing.id === standing.id) return undefined;
  if (before !== undefined && whyOver(before, now) === undefined) {
    return `${before.standing.id} holds until ${before.standing.until}, approved by ${before.standing.approvedBy}`;
  }
  const written = await ifHolds(
    client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: marshall({
          pk: standingsOf(standing.cluster),
          sk: standingKey(standing.treatment, standing.nodeGroup),
        }),
        ConditionExpression: before === undefined ? 'attribute_not_exists(pk)' : 'standing = :seen',
        UpdateExpression: 'SET standing = :standing, #ttl = :ttl',
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ExpressionAttributeValues: marshall({
          ':standing': canonicalJson(standing),
          ':ttl': Math.ceil(Date.parse(standing.until) / 1000) + keptDays * 86_400,
          ...(before === undefined ? {} : { ':seen': canonicalJson(before.standing) }),
        }),
      }),
    ),
  );
  return written === undefined ? 'another incident has begun one for this group at this moment' : undefined;
}
