import * as z from 'zod';
import { describeInstances } from './ec2-instances.ts';
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
