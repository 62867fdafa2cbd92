import * as z from 'zod';
import { Cgroups, Slices } from './cgroups.ts';
import { Hierarchy, Host } from './host.ts';
import { Memory, Pressure } from './memory.ts';
import { probeOf } from './probe.ts';
import { Reclaim } from './window.ts';

export { Slice } from './cgroups.ts';

const probes = z.object({
  host: probeOf(Host),
  hierarchy: probeOf(Hierarchy),
  cgroups: probeOf(Cgroups),
  slices: probeOf(Slices),
  memory: probeOf(Memory),
  pressure: probeOf(Pressure),
  reclaim: probeOf(Reclaim),
});

/** What the node told us, as the document `collect-evidence` prints it. Unknown probes of a newer document are dropped. */
export const Evidence = z.object({
  version: z.literal(1),
  document: z.literal('collect-evidence'),
  profile: z.enum(['quick', 'full']),
  collectedAt: z.iso.datetime(),
  probes,
});
export type Evidence = z.infer<typeof Evidence>;
export type ProbeName = keyof Evidence['probes'];
