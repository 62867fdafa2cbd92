import * as z from 'zod';

const slicePath = z
  .string()
  .regex(
    /^(\/[A-Za-z0-9_.@:\\-]+)+$/,
    'must be a cgroup path such as /user.slice: absolute, no spaces, no trailing slash',
  )
  .refine((path) => !path.split('/').includes('..'), 'must not contain ".."');

export const Reclaim = z.strictObject({
  slices: z
    .array(slicePath)
    .max(20)
    .default(['/user.slice', '/system.slice', '/runtime.slice', '/init.scope'])
    .describe(
      'Slices that reclaim may touch, with everything below them. The pods (/kubepods.slice) are left out: on cgroup v1 a reclaim empties their page cache as well.',
    ),
  cpuPercent: z
    .literal([1, 2, 5, 10, 20, 50])
    .default(5)
    .describe('Ceiling for the CPU that reclaim uses, in percent of one CPU, averaged over its run.'),
  maxSeconds: z
    .literal([10, 30, 60, 120, 300, 600, 1200])
    .default(300)
    .describe('How long one reclaim may run.'),
  psiFullLimit: z
    .literal([0, 10, 20, 40])
    .default(20)
    .describe(
      'Memory PSI "full avg10", in percent, at which reclaim stops. 0 switches the limit off. On a kernel without PSI no limit can be kept: there reclaim counts as medium risk.',
    ),
  ioFullLimit: z
    .literal([0, 10, 20, 40])
    .default(20)
    .describe(
      'IO PSI "full avg10", in percent, at which reclaim stops when it lasts for 20 s: what reclaim takes from the living (all of their page cache in a slice on cgroup v1) is read again from those disks. 0 switches the limit off.',
    ),
});
