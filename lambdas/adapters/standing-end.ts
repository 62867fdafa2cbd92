import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { StandingEnd } from '../domain/standing/standing.ts';
import { ifHolds } from './dynamo.ts';
import { standingEndsOf } from './standing-reader.ts';

/** Longer than one can be seen that was to last as long as the settings allow. */
const keptDays = 200;

/**
 * Ends a standing treatment for good. The first end stays.
 *
 * @returns whether this one ended it; it had ended before otherwise
 */
export async function endStanding(
  client: DynamoDBClient,
  table: string,
  cluster: string,
  end: StandingEnd,
): Promise<boolean> {
  const written = await ifHolds(
    client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: marshall({ pk: standingEndsOf(cluster), sk: end.id }),
        ConditionExpression: 'attribute_not_exists(pk)',
        UpdateExpression: 'SET #end = :end, #ttl = :ttl',
        ExpressionAttributeNames: { '#end': 'end', '#ttl': 'ttl' },
        ExpressionAttributeValues: marshall({
          ':end': canonicalJson(end),
          ':ttl': Math.ceil(Date.parse(end.at) / 1000) + keptDays * 86_400,
        }),
      }),
    ),
  );
  return written !== undefined;
}
