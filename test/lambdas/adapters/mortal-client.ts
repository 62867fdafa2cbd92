import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** Whoever used the client is dead: it will never ask anything again, and has not heard the last answer. */
export class Died extends Error {
  override readonly name = 'Died';
}

/** How many calls somebody makes, and whether the next one still arrives when they die in it. */
export type Fate = { calls: number; arrives: boolean };

/** A client of the same DynamoDB whose user dies in the middle of a call. */
export function mortalClient(client: DynamoDBClient, { calls, arrives }: Fate): DynamoDBClient {
  const { endpoint, region, credentials } = client.config;
  if (endpoint === undefined) throw new Error('a client with an endpoint is needed');
  const mortal = new DynamoDBClient({ endpoint, region, credentials });
  let made = 0;
  mortal.middlewareStack.add(
    (next) => async (request) => {
      made += 1;
      if (made <= calls) return next(request);
      if (arrives && made === calls + 1) await next(request);
      throw new Died();
    },
    { step: 'initialize' },
  );
  return mortal;
}
