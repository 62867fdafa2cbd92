import * as z from 'zod';
import type { ClusterNode } from '../domain/census/node.ts';
import { items } from './ec2-instances.ts';
import { ec2Query } from './ec2-query.ts';
import { clusterTag } from './instance-cluster.ts';
import { MedicError } from './medic-error.ts';

/** An instance takes some kilobytes of XML: a page of two hundred is read in well under a second. */
const perPage = 200;
const mostPages = 50;

const Answer = z.object({
  reservationSet: items(
    z.object({
      instancesSet: items(
        z.object({
          instanceId: z.string(),
          privateDnsName: z.string().default(''),
          launchTime: z.coerce.date(),
        }),
      ),
    }),
  ),
  nextToken: z.string().default(''),
});

/** The instances of a cluster that run, as EC2 knows them by their tag, whether or not anything on them answers. */
export async function runningNodes(cluster: string): Promise<ClusterNode[]> {
  const nodes: ClusterNode[] = [];
  let next = '';
  for (let page = 0; page < mostPages; page += 1) {
    const parsed = Answer.safeParse(
      await ec2Query('DescribeInstances', {
        'Filter.1.Name': `tag:${clusterTag}`,
        'Filter.1.Value.1': cluster,
        'Filter.2.Name': 'instance-state-name',
        'Filter.2.Value.1': 'running',
        MaxResults: String(perPage),
        ...(next === '' ? {} : { NextToken: next }),
      }),
    );
    if (!parsed.success) {
      throw new MedicError(
        `the answer to ec2:DescribeInstances cannot be read: ${z.prettifyError(parsed.error)}`,
      );
    }
    const { reservationSet, nextToken } = parsed.data;
    for (const { instanceId, privateDnsName, launchTime } of reservationSet.flatMap(
      ({ instancesSet }) => instancesSet,
    )) {
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
