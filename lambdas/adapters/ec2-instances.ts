import * as z from 'zod';
import type { KnownInstance } from '../domain/intake/locate.ts';
import { ec2Query, formOf, items, read } from './ec2-query.ts';
import { clusterTag } from './instance-cluster.ts';
import { MedicError } from './medic-error.ts';

/** The most values that EC2 takes for one filter: its API reference, DescribeInstances, `Filter.N`. */
const mostValues = 200;

const Instance = z.object({
  instanceId: z.string(),
  instanceState: z.object({ name: z.string() }),
  privateDnsName: z.string().default(''),
  tagSet: items(z.object({ key: z.string(), value: z.string().default('') })).default([]),
});

/**
 * One page of the instances that fit filters, with the fields that a schema names. `nextToken` is `''` after the last page.
 *
 * @param page how many, and from where, in the form of the API
 */
export async function describeInstances<T extends z.ZodType>(
  instance: T,
  filters: Readonly<Record<string, readonly string[]>>,
  page: Readonly<Record<string, string>> = {},
): Promise<{ instances: z.infer<T>[]; nextToken: string }> {
  const Answer = z.object({
    reservationSet: items(z.object({ instancesSet: items(instance) })),
    nextToken: z.string().default(''),
  });
  const answer = await ec2Query('DescribeInstances', { ...formOf(filters), ...page });
  const { reservationSet, nextToken } = read('DescribeInstances', Answer, answer);
  return { instances: reservationSet.flatMap(({ instancesSet }) => instancesSet), nextToken };
}

/** Instances by their ids; one that there is not is left out, and is no error. */
export function instancesById(ids: readonly string[]): Promise<KnownInstance[]> {
  return inParts(ids, (part) => describe({ 'instance-id': part }));
}

/** The running nodes of these clusters whose private DNS name is one of these. */
export function nodesByName(names: readonly string[], clusters: readonly string[]): Promise<KnownInstance[]> {
  return inParts(names, (part) =>
    describe({
      'private-dns-name': part,
      'instance-state-name': ['running'],
      [`tag:${clusterTag}`]: clusters,
    }),
  );
}

async function inParts(
  values: readonly string[],
  ask: (part: readonly string[]) => Promise<KnownInstance[]>,
): Promise<KnownInstance[]> {
  const found: KnownInstance[] = [];
  for (let from = 0; from < values.length; from += mostValues) {
    found.push(...(await ask(values.slice(from, from + mostValues))));
  }
  return found;
}

async function describe(filters: Readonly<Record<string, readonly string[]>>): Promise<KnownInstance[]> {
  const { instances, nextToken } = await describeInstances(Instance, filters);
  // A page more might hold the second node of a name, which makes it ambiguous.
  if (nextToken !== '')
    throw new MedicError('ec2:DescribeInstances has more than one page for the alarms of one batch');
  return instances.map(({ instanceId, instanceState, privateDnsName, tagSet }) => {
    const cluster = tagSet.find(({ key }) => key === clusterTag)?.value;
    return {
      instanceId,
      state: instanceState.name,
      ...(cluster === undefined ? {} : { cluster }),
      nodeNames: privateDnsName === '' ? [] : [privateDnsName],
    };
  });
}
