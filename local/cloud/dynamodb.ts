import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import type { TemplateTable } from '../engine/template.ts';
import type { Service } from './wire.ts';

/** DynamoDB, played by dynalite in memory. */
export function dynamodbService(): Service {
  const server = dynalite({ createTableMs: 0 });
  return {
    name: 'dynamodb',
    file: 'local/cloud/dynamodb.ts',
    calls: [
      'BatchGetItem',
      'BatchWriteItem',
      'CreateTable',
      'DeleteItem',
      'DescribeTable',
      'GetItem',
      'ListTables',
      'PutItem',
      'Query',
      'Scan',
      'UpdateItem',
    ],
    async answer({ body, message }, response) {
      // The request is replayed from memory: dynalite ends the process when a client goes away in the middle of one.
      const { method, url, headers } = message;
      const replay = Object.assign(Readable.from([body]), { method, url, headers });
      const sent = new Promise<void>((resolve) => response.once('close', resolve));
      server.emit('request', replay as unknown as IncomingMessage, response as ServerResponse);
      await sent;
    },
  };
}

/** Makes the tables of the template, through the same door that the functions use. */
export async function createTables(client: DynamoDBClient, tables: readonly TemplateTable[]): Promise<void> {
  for (const { name, keySchema, attributes } of tables) {
    await client.send(
      new CreateTableCommand({
        TableName: name,
        KeySchema: keySchema as never,
        AttributeDefinitions: attributes as never,
        BillingMode: 'PAY_PER_REQUEST',
      }),
    );
  }
}
