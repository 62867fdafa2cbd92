import { SSMClient } from '@aws-sdk/client-ssm';

/** One client per function, made on first use. */
let client: SSMClient | undefined;
export function ssm(): SSMClient {
  client ??= new SSMClient({});
  return client;
}
