import * as z from 'zod';
import { describeInstances } from './ec2-instances.ts';
import { items } from './ec2-query.ts';
import { type InstancePlace, placeIn } from './instance-cluster.ts';
import { within } from './within.ts';

const Instance = z.object({ imageId: z.string().max(256).optional() });

/**
 * The machine image of an instance; `null` for one that is not there.
 *
 * @throws where EC2 refuses, or does not answer within `limitMs`
 */
export async function imageOf(instanceId: string, limitMs: number): Promise<string | null> {
  const asked = describeInstances(Instance, { 'instance-id': [instanceId] });
  const { instances } = await within(limitMs, 'EC2', asked);
  return instances[0]?.imageId ?? null;
}

const Opened = Instance.extend({
  tagSet: items(z.object({ key: z.string(), value: z.string().default('') })).default([]),
});

/**
 * The machine image of an instance, and its place by its tags; of one that is not there, nothing. One call for
 * both, for many incidents may open at once.
 *
 * @throws where EC2 refuses, or does not answer within `limitMs`
 */
export async function imageAndPlaceOf(
  instanceId: string,
  limitMs: number,
): Promise<InstancePlace & { imageId: string | null }> {
  const asked = describeInstances(Opened, { 'instance-id': [instanceId] });
  const { instances } = await within(limitMs, 'EC2', asked);
  const [instance] = instances;
  return { imageId: instance?.imageId ?? null, ...placeIn(instance?.tagSet ?? []) };
}
