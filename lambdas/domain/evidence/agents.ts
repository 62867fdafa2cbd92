import * as z from 'zod';
import { count, kb, name, unknownOr } from './number.ts';

export const Agent = z.object({
  unit: name,
  active: unknownOr(name),
  sub: unknownOr(name),
  unitFile: unknownOr(name),
  /** Automatic restarts by systemd; `null` before systemd 235. */
  restarts: unknownOr(count),
  /** Of its cgroup, the page cache of its files and the containers below it among it. */
  memoryKb: unknownOr(kb),
  /** Resident memory of its main process. */
  rssKb: unknownOr(kb),
  cpuSeconds: unknownOr(z.number().nonnegative()),
  /** Units that stop when it does, at most five of them. */
  requiredBy: z.array(name).max(5).default([]),
  /** Units, targets apart, that start it and do without it. */
  wantedBy: z.array(name).max(5).default([]),
  /** Containers in cgroups below its own, or of the docker it requires. */
  containers: unknownOr(count),
  /** It belongs to what a node cannot do without, by a name of its or by what it starts: no treatment touches it. */
  protected: z.boolean().optional(),
});
export type Agent = z.infer<typeof Agent>;

/** Services of the host that belong neither to Kubernetes nor to systemd. Most restarts first. */
export const Agents = z.object({
  total: count,
  /** Failed services, whoever they belong to. */
  failed: unknownOr(count),
  entries: z.array(Agent).max(40),
  omitted: count.default(0),
});

export type Need = { needed: boolean | undefined; why: string };

/** Restarts after which a service that happens to run at the moment is one that does not keep running. */
export const manyRestarts = 5;

/**
 * The least of what no treatment touches, by its name alone: the node, its network and its login live by it, and
 * amazon-ssm-agent is the way to repair it. The whole list is ssm-documents/scripts/lib/protected.sh. Evidence of a node
 * brings its answer as `protected`, and every document that changes a unit asks it again; this is for what does not.
 */
const untouchable =
  /^(snap\.)?(kubelet|kube-|containerd|docker|cri-?o|cri-|nodeadm|amazon-ssm-agent|ssm-agent|aws-node|aws-vpc-cni|ipamd|cni-|cilium|calico|flannel|dbus|systemd-|ssh)|-cni(@.*)?\.service$/i;

export function isUntouchable({ unit }: Pick<Agent, 'unit'>): boolean {
  return untouchable.test(unit);
}

/** Whether anything on the node needs the agent. What a node cannot see stays open: a running service may serve somebody. */
export function needOf(agent: Agent): Need {
  const { unit, sub, active, restarts, requiredBy, wantedBy, containers } = agent;
  const [requirer] = requiredBy;
  const [wanter] = wantedBy;
  if (agent.protected || isUntouchable(agent))
    return { needed: true, why: `${unit} belongs to what a node cannot do without: no treatment touches it` };
  if (requirer !== undefined) return { needed: true, why: `${requirer} requires ${unit}` };
  if ((containers ?? 0) > 0)
    return {
      needed: true,
      why: `${unit} manages ${containers === 1 ? 'a container' : `${containers} containers`} on this node`,
    };
  if (wanter !== undefined)
    return { needed: undefined, why: `nothing requires ${unit}, but ${wanter} wants it` };
  if (containers === null) {
    return { needed: undefined, why: `nothing requires ${unit}; whether it manages containers was not seen` };
  }
  const alone = `nothing requires or wants ${unit}, and it manages no container`;
  if (active === 'active' && (restarts ?? 0) < manyRestarts) {
    return { needed: undefined, why: `${alone}, but it is running and may serve what a node cannot see` };
  }
  return {
    needed: false,
    why: `${alone}; it does not keep running (${sub ?? 'state not seen'}, ${restarts ?? 'uncounted'} restarts)`,
  };
}
