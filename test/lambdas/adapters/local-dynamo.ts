import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';

export type LocalDynamo = { client: DynamoDBClient; stop: () => Promise<void> };

/** A DynamoDB that speaks the real wire protocol on loopback, with the two tables of the stack. */
export async function startDynamo(): Promise<LocalDynamo> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  await createTable(client, 'state', ['pk', 'S'], ['sk', 'S']);
  await createTable(client, 'audit', ['incident', 'S'], ['seq', 'N']);
  return {
    client,
    stop: async () => {
      client.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

type Key = [name: string, type: 'S' | 'N'];

async function createTable(client: DynamoDBClient, name: string, hash: Key, range: Key): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [hash, range].map(([AttributeName, AttributeType]) => ({
        AttributeName,
        AttributeType,
      })),
      KeySchema: [
        { AttributeName: hash[0], KeyType: 'HASH' },
        { AttributeName: range[0], KeyType: 'RANGE' },
      ],
    }),
  );
}
