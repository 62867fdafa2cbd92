import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';

/** All items of one partition, as of now, page after page. @throws where the table does not answer */
export async function itemsOf(
  client: DynamoDBClient,
  table: string,
  pk: string,
): Promise<Record<string, unknown>[]> {
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
