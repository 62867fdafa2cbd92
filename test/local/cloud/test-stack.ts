import type { Cloud } from '../../../local/cloud/cloud.ts';
import type { StackTemplate } from '../../../local/engine/template.ts';

export const emptyStack: StackTemplate = {
  name: 'Empty',
  stateMachines: [],
  functions: [],
  documents: [],
  tables: [],
  parameters: [],
  rules: [],
  topics: [],
  queues: [],
  eventSources: [],
  subscriptions: [],
  secrets: [],
  logGroups: [],
  keys: [],
  outputs: {},
};

/** Configuration of any SDK client that talks to the local cloud, and does not try twice. */
export function clientConfig({ endpoint }: Cloud) {
  const credentials = { accessKeyId: 'LOCALONLY', secretAccessKey: 'local-only' };
  return { endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
}
