import { DescribeInstancesCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { ClusterNode } from '../domain/census/node.ts';
import { clusterTag } from './instance-cluster.ts';
import { MedicError } from './medic-error.ts';

/** EC2 gives a thousand instances in one page. */
const mostPages = 20;

/** The instances of a cluster that run, as EC2 knows them by their tag, whether or not anything on them answers. */
export async function runningNodes(client: EC2Client, cluster: string): Promise<ClusterNode[]> {
  const nodes: ClusterNode[] = [];
  let next: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const { Reservations, NextToken } = await client.send(
      new DescribeInstancesCommand({
        Filters: [
          { Name: `tag:${clusterTag}`, Values: [cluster] },
          { Name: 'instance-state-name', Values: ['running'] },
        ],
        MaxResults: 1000,
        ...(next === undefined ? {} : { NextToken: next }),
      }),
    );
    for (const instance of (Reservations ?? []).flatMap(({ Instances }) => Instances ?? [])) {
      if (instance.InstanceId === undefined) continue;
      nodes.push({
        instanceId: instance.InstanceId,
        ...(instance.PrivateDnsName ? { name: instance.PrivateDnsName } : {}),
        // Of unknown age: old enough to be asked.
        launchedAt: instance.LaunchTime ?? new Date(0),
      });
    }
    next = NextToken;
    if (next === undefined) return nodes;
  }
  throw new MedicError(`cluster ${cluster} has more than ${mostPages} pages of instances`);
}
