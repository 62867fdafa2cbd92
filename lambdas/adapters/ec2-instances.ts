import * as z from 'zod';
import type { KnownInstance } from '../domain/intake/locate.ts';
import { ec2Query } from './ec2-query.ts';
import { clusterTag } from './instance-cluster.ts';
import { MedicError } from './medic-error.ts';

/** The most values that EC2 takes for one filter: its API reference, DescribeInstances, `Filter.N`. */
const mostValues = 200;

/** A list in an answer of the query API: `''` where it is empty, one object where it has one item. */
export function items<T>(item: z.ZodType<T>) {
  return z.preprocess((list) => {
    if (list === '') return [];
    return typeof list === 'object' && list !== null && 'item' in list ? [list.item].flat() : list;
  }, z.array(item));
}

const Answer = z.object({
  reservationSet: items(
    z.object({
      instancesSet: items(
        z.object({
          instanceId: z.string(),
          instanceState: z.object({ name: z.string() }),
          privateDnsName: z.string().default(''),
          tagSet: items(z.object({ key: z.string(), value: z.string().default('') })).default([]),
        }),
      ),
    }),
  ),
  nextToken: z.string().default(''),
});

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
  const form = Object.entries(filters).flatMap(([name, values], index) => [
    [`Filter.${index + 1}.Name`, name],
    ...values.map((value, at) => [`Filter.${index + 1}.Value.${at + 1}`, value]),
  ]);
  const parsed = Answer.safeParse(await ec2Query('DescribeInstances', Object.fromEntries(form)));
  if (!parsed.success) {
    throw new MedicError(
      `the answer to ec2:DescribeInstances cannot be read: ${z.prettifyError(parsed.error)}`,
    );
  }
  const { reservationSet, nextToken } = parsed.data;
  // A page more might hold the second node of a name, which makes it ambiguous.
  if (nextToken !== '')
    throw new MedicError('ec2:DescribeInstances has more than one page for the alarms of one batch');
  return reservationSet
    .flatMap(({ instancesSet }) => instancesSet)
    .map(({ instanceId, instanceState, privateDnsName, tagSet }) => {
      const cluster = tagSet.find(({ key }) => key === clusterTag)?.value;
      return {
        instanceId,
        state: instanceState.name,
        ...(cluster === undefined ? {} : { cluster }),
        nodeNames: privateDnsName === '' ? [] : [privateDnsName],
      };
    });
}
