import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** A client of the same DynamoDB whose updates fail so. */
export function failingClient(client: DynamoDBClient, error: () => Error): DynamoDBClient {
  const { endpoint, region, credentials } = client.config;
  if (endpoint === undefined) throw new Error('a client with an endpoint is needed');
  const failing = new DynamoDBClient({ endpoint, region, credentials });
  failing.middlewareStack.add(
    (next, { commandName }) =>
      (request) =>
        commandName === 'UpdateItemCommand' ? Promise.reject(error()) : next(request),
    { step: 'initialize' },
  );
  return failing;
}

/** Somebody else has always written first. */
export const somebodyWasFaster = (): Error =>
  new ConditionalCheckFailedException({ $metadata: {}, message: 'somebody was faster' });
