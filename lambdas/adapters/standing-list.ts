import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { StandingRead } from '../domain/standing/standing.ts';
import { endIn, standingEndsOf, standingIn, standingKey, standingsOf } from './standing-reader.ts';

export type StandingsRead = {
  standings: readonly StandingRead[];
  /** Keys of those that nobody can read, or whose end nobody can: none of them holds. */
  unreadable: readonly string[];
};

/** All standing treatments of a cluster that there is an item of, those that are over as well. */
export async function listStandings(
  client: DynamoDBClient,
  table: string,
  cluster: string,
): Promise<StandingsRead> {
  // The ends last: one that is written meanwhile is seen rather than missed.
  const items = await all(client, table, standingsOf(cluster));
  const ends = new Map(
    (await all(client, table, standingEndsOf(cluster))).map(({ sk, end }) => [String(sk), end]),
  );
  const standings: StandingRead[] = [];
  const unreadable: string[] = [];
  for (const { sk, standing: text } of items) {
    const standing = standingIn(text);
    const isItsOwn =
      standing?.cluster === cluster && standingKey(standing.treatment, standing.nodeGroup) === sk;
    const end = standing === undefined || !ends.has(standing.id) ? undefined : endIn(ends.get(standing.id));
    const endIsRead = standing === undefined || !ends.has(standing.id) || end?.id === standing.id;
    if (standing === undefined || !isItsOwn || !endIsRead) unreadable.push(String(sk));
    else standings.push({ standing, ...(end === undefined ? {} : { end }) });
  }
  return { standings, unreadable };
}

async function all(client: DynamoDBClient, table: string, pk: string): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  let next: Record<string, never> | object | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: marshall({ ':pk': pk }),
        ConsistentRead: true,
        ...(next === undefined ? {} : { ExclusiveStartKey: next as never }),
      }),
    );
    found.push(...Items.map((item) => unmarshall(item)));
    next = LastEvaluatedKey;
  } while (next !== undefined);
  return found;
}
