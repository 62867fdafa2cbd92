import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** One client per function, made on first use. */
let client: DynamoDBClient | undefined;
export function dynamo(): DynamoDBClient {
  client ??= new DynamoDBClient({});
  return client;
}

/**
 * Runs a conditional write.
 *
 * @returns the answer of the write, or `undefined` where its condition did not hold; any other error is thrown
 */
export async function ifHolds<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}
