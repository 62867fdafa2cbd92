import { SSMClient } from '@aws-sdk/client-ssm';

/** One client per function, made on first use. */
let client: SSMClient | undefined;
export function ssm(): SSMClient {
  // A call that hangs must be over before the janitor of a dead execution looks (settings janitor.settleSeconds).
  client ??= new SSMClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 2000, requestTimeout: 5000 },
  });
  return client;
}
