import * as z from 'zod';
import { Agents } from './agents.ts';
import { AroundProbes } from './around-probes.ts';
import { Cgroups, Slices, Unpopulated } from './cgroups.ts';
import { Containers, Workloads } from './containers.ts';
import { History } from './history.ts';
import { Hierarchy, Host } from './host.ts';
import { Journal, OomKills } from './journal.ts';
import { Kmem, MkdirProbe } from './kernel.ts';
import { Kubelet } from './kubelet.ts';
import { Memory, Pressure } from './memory.ts';
import { Observations } from './observations.ts';
import { probeOf } from './probe.ts';
import { Sessions, Timers } from './sessions.ts';
import { Churn, Load, Reclaim, Throttling } from './window.ts';

export { Slice } from './cgroups.ts';

/** What the document `collect-services` asks about. */
const services = {
  kubelet: probeOf(Kubelet),
  containers: probeOf(Containers),
  sessions: probeOf(Sessions),
  timers: probeOf(Timers),
  agents: probeOf(Agents),
  oomKills: probeOf(OomKills),
  journal: probeOf(Journal),
};
export const ServiceProbes = z.object(services);
export const serviceProbes = Object.keys(services) as (keyof typeof services)[];

const probes = z.object({
  host: probeOf(Host),
  hierarchy: probeOf(Hierarchy),
  cgroups: probeOf(Cgroups),
  slices: probeOf(Slices),
  memory: probeOf(Memory),
  pressure: probeOf(Pressure),
  reclaim: probeOf(Reclaim),
  history: probeOf(History),
  kmem: probeOf(Kmem),
  unpopulated: probeOf(Unpopulated),
  mkdirProbe: probeOf(MkdirProbe),
  workloads: probeOf(Workloads),
  throttling: probeOf(Throttling),
  load: probeOf(Load),
  churn: probeOf(Churn),
  ...services,
  ...AroundProbes.shape,
  observations: probeOf(Observations),
});

/**
 * What the node told us, as the document `collect-evidence` prints it, with the probes of `collect-services` beside its
 * own, those around the node, and what somebody has found out by hand. Unknown probes of a newer document are dropped.
 */
export const Evidence = z.object({
  version: z.literal(1),
  document: z.literal('collect-evidence'),
  profile: z.enum(['quick', 'full']),
  collectedAt: z.iso.datetime(),
  /** Why the node itself could not be asked, where all of this is from around it: nothing can be done on it either. */
  unreachable: z.string().max(500).optional(),
  probes,
});
export type Evidence = z.infer<typeof Evidence>;
export type ProbeName = keyof Evidence['probes'];
