import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { BudgetState, nobodyDisrupted } from '../../lambdas/domain/gates/budget.ts';
import type { Engine } from '../engine/engine.ts';
import { localCluster } from '../local-settings.ts';
import type { Left } from './facts.ts';
import type { FleetNode } from './fleet.ts';

/** What is still held when everything is over, by the state table and the API server. */
export async function leftOf(engine: Engine, nodes: readonly FleetNode[]): Promise<Left> {
  const TableName = engine.stack.functions[0]?.environment.STATE_TABLE ?? '';
  const item = async (pk: string, sk: string): Promise<Record<string, unknown> | undefined> => {
    const Key = marshall({ pk, sk });
    const { Item } = await engine.cloud.dynamo.send(
      new GetItemCommand({ TableName, Key, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : unmarshall(Item);
  };
  const leases: Left['leases'] = [];
  for (const { instanceId } of nodes) {
    const holder = (await item(`LEASE#${instanceId}`, 'LEASE'))?.holder;
    if (typeof holder === 'string') leases.push({ instanceId, holder });
  }
  const budget = (await item(`BUDGET#${localCluster}`, 'BUDGET'))?.state;
  return {
    leases,
    budget: budget === undefined ? nobodyDisrupted : BudgetState.parse(JSON.parse(String(budget))),
    cordoned: await cordonedOf(engine),
  };
}

const Cordoned = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ unschedulable: z.boolean().optional() }).nullish(),
});

/** Nodes that the API server of the cluster has for cordoned; there is none where nothing was recorded of one. */
async function cordonedOf(engine: Engine): Promise<string[]> {
  const server = await engine.cloud.clusters.named(localCluster);
  if (server === undefined) return [];
  return engine.cloud.ssm.nodes.flatMap(({ around }) => {
    const recorded = around?.cluster?.node;
    if (recorded === undefined) return [];
    const { metadata, spec } = Cordoned.parse(server.changes.node(recorded));
    return spec?.unschedulable ? [metadata.name] : [];
  });
}
