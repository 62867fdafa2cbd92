import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { StandingEnd } from '../domain/standing/standing.ts';
import { ifHolds } from './dynamo.ts';
import { standingEndsOf } from './standing-reader.ts';

/**
 * Ends a standing treatment for good. The first end stays, and without an expiry: whoever may write one could have it expire, and
 * what it ended would go on.
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
        UpdateExpression: 'SET #end = :end',
        ExpressionAttributeNames: { '#end': 'end' },
        ExpressionAttributeValues: marshall({ ':end': canonicalJson(end) }),
      }),
    ),
  );
  return written !== undefined;
}
