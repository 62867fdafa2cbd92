import * as z from 'zod';
import { describeInstances } from './ec2-instances.ts';
import { MedicError } from './medic-error.ts';

const Instance = z.object({ imageId: z.string().max(256).optional() });

/**
 * The machine image of an instance; `null` for one that is not there.
 *
 * @throws where EC2 refuses, or does not answer within `limitMs`
 */
export async function imageOf(instanceId: string, limitMs: number): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new MedicError(`EC2 did not answer within ${limitMs / 1000} s`)),
      limitMs,
    );
  });
  const asked = describeInstances(Instance, { 'instance-id': [instanceId] });
  const { instances } = await Promise.race([asked, late]).finally(() => clearTimeout(timer));
  return instances[0]?.imageId ?? null;
}
