import * as z from 'zod';
import type { ClusterNode } from '../domain/census/node.ts';
import { describeInstances } from './ec2-instances.ts';
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

/** The instances of a cluster that run, as EC2 knows them by their tag, whether or not anything on them answers. */
export async function runningNodes(cluster: string): Promise<ClusterNode[]> {
  const nodes: ClusterNode[] = [];
  let next = '';
  for (let page = 0; page < mostPages; page += 1) {
    const { instances, nextToken } = await describeInstances(
      Instance,
      { [`tag:${clusterTag}`]: [cluster], 'instance-state-name': ['running'] },
      { MaxResults: String(perPage), ...(next === '' ? {} : { NextToken: next }) },
    );
    for (const { instanceId, privateDnsName, launchTime } of instances) {
      nodes.push({
        instanceId,
        ...(privateDnsName === '' ? {} : { name: privateDnsName }),
        launchedAt: launchTime,
      });
    }
    next = nextToken;
    if (next === '') return nodes;
  }
  throw new MedicError(`cluster ${cluster} has more than ${mostPages * perPage} running instances`);
}
