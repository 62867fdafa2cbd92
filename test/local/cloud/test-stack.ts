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

/** A stack as the commands for people find it: with a state table, and the mode of each of its clusters. */
export function stackWithState(table: string, clusters: readonly string[]): StackTemplate {
  const key = (name: string) => ({ AttributeName: name, AttributeType: 'S' });
  const keySchema = [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ];
  return {
    ...emptyStack,
    name: 'CgroupMedic',
    tables: [{ logicalId: 'T', name: table, keySchema, attributes: [key('pk'), key('sk')] }],
    parameters: clusters.map((name) => ({
      logicalId: name,
      name: `/cgroup-medic/${name}/mode`,
      type: 'String',
      value: 'auto',
    })),
    outputs: { StateTableName: table },
  };
}

/** Configuration of any SDK client that talks to the local cloud, and does not try twice. */
export function clientConfig({ endpoint }: Cloud) {
  const credentials = { accessKeyId: 'LOCALONLY', secretAccessKey: 'local-only' };
  return { endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
}
