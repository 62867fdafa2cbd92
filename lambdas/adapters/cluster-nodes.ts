import * as z from 'zod';
import type { ClusterNode } from '../domain/census/node.ts';
import { type FleetNode, nodeGroupOf, unknownPlace } from '../domain/gates/fleet.ts';
import { describeInstances } from './ec2-instances.ts';
import { items } from './ec2-query.ts';
import { clusterTag } from './instance-cluster.ts';
import { MedicError } from './medic-error.ts';

/** An instance takes some kilobytes of XML: a page of two hundred is read in well under a second. */
const perPage = 200;
const mostPages = 50;

const Instance = z.object({
  instanceId: z.string(),
  privateDnsName: z.string().default(''),
  launchTime: z.coerce.date(),
});

const Placed = z.object({
  instanceId: z.string(),
  placement: z.object({ availabilityZone: z.string().default('') }).default({ availabilityZone: '' }),
  tagSet: items(z.object({ key: z.string(), value: z.string().default('') })).default([]),
});

/** The instances of a cluster that run, as EC2 knows them by their tag, whether or not anything on them answers. */
export async function runningNodes(cluster: string): Promise<ClusterNode[]> {
  const running = await runningInstances(cluster, Instance);
  return running.map(({ instanceId, privateDnsName, launchTime }) => ({
    instanceId,
    ...(privateDnsName === '' ? {} : { name: privateDnsName }),
    launchedAt: launchTime,
  }));
}

/** The same, with the node group and the zone of each. */
export async function fleetOf(cluster: string): Promise<FleetNode[]> {
  const running = await runningInstances(cluster, Placed);
  return running.map(({ instanceId, placement: { availabilityZone }, tagSet }) => ({
    instanceId,
    nodeGroup: nodeGroupOf(tagSet),
    zone: availabilityZone === '' ? unknownPlace : availabilityZone,
  }));
}

async function runningInstances<T extends z.ZodType>(cluster: string, instance: T): Promise<z.infer<T>[]> {
  const all: z.infer<T>[] = [];
  let next = '';
  for (let page = 0; page < mostPages; page += 1) {
    const { instances, nextToken } = await describeInstances(
      instance,
      { [`tag:${clusterTag}`]: [cluster], 'instance-state-name': ['running'] },
      { MaxResults: String(perPage), ...(next === '' ? {} : { NextToken: next }) },
    );
    all.push(...instances);
    next = nextToken;
    if (next === '') return all;
  }
  throw new MedicError(`cluster ${cluster} has more than ${mostPages * perPage} running instances`);
}
