import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { vi } from 'vitest';

/** What a handler finds in its process, with this DynamoDB; before it is imported. The caller puts it back by `restoreHandlers`. */
export function stubHandlers(client: () => DynamoDBClient): void {
  vi.doMock('../../../lambdas/adapters/dynamo.ts', async (original) => ({
    ...(await original<object>()),
    dynamo: client,
  }));
  for (const name of [
    'AUDIT_TABLE',
    'AUDIT_LOG_GROUP',
    'NOTIFY_TOPIC_ARN',
    'SIGNING_KEY_ID',
    'SOFTWARE_VERSION',
  ])
    vi.stubEnv(name, 'x');
  vi.stubEnv('STATE_TABLE', 'state');
  vi.stubEnv('MODE_PARAMETER_PREFIX', '/x');
  vi.stubEnv('DOCUMENTS', '{}');
}

export function restoreHandlers(): void {
  vi.doUnmock('../../../lambdas/adapters/dynamo.ts');
  vi.unstubAllEnvs();
}
