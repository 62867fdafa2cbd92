import type { CauseId } from '../causes/cause.ts';
import { type Agent, isUntouchable, needOf } from '../evidence/agents.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import { isBelow } from '../evidence/zombies.ts';
import type { Arguments } from './treatment.ts';

/** A treatment that must not be on a ladder, and why. */
export type Forbidden = { treatment: string; why: string };

type Pair = Forbidden & {
  /** The causes for which it is forbidden. */
  causes: readonly CauseId[];
};

const zombieCauses = ['dying-memcgs', 'session-churn', 'orphaned-agent'] as const satisfies CauseId[];
/** Causes that no change on the node mends: what is wrong is what its pods ask for, or what they do. */
const ofTheWorkload = [
  'workload-leak',
  'cpu-quota-throttling',
  'oversubscribed-node',
] as const satisfies CauseId[];
const ofTheKubelet = ['kubelet-leak', 'kubelet-oom-cycle'] as const satisfies CauseId[];
/** Treatments that free page cache, and what it keeps alive. */
const freesCache = ['reclaim', 'standing-reclaim', 'drop-caches'] as const;

/**
 * What is never done for a cause, whatever a treatment says of itself: the one place where that stands. The plan leaves
 * such a rung out, so that a mistake in a list of causes costs a rung and not a node.
 */
export const forbiddenPairs: readonly Pair[] = [
  ...freesCache.map(
    (treatment): Pair => ({
      treatment,
      causes: ['leaked-scopes', 'dead-containers', ...ofTheKubelet, ...ofTheWorkload],
      why: 'it frees page cache and what that keeps in the kernel; here nothing hangs on page cache',
    }),
  ),
  {
    treatment: 'drop-caches',
    causes: ['session-churn', 'reclaim-pressure'],
    why: 'it takes the page cache of the whole node, and they are back with the next logins or reads',
  },
  ...['restart-kubelet', 'standing-restart'].map(
    (treatment): Pair => ({
      treatment,
      causes: [...zombieCauses, 'memcg-id-exhaustion', 'agent-leak', 'reclaim-pressure', ...ofTheWorkload],
      why: 'dying cgroups are in the kernel, and agents and workloads are not in the kubelet: its restart frees none of it',
    }),
  ),
  {
    treatment: 'disable-agent',
    causes: [
      'dying-memcgs',
      'session-churn',
      'leaked-scopes',
      'memcg-id-exhaustion',
      'agent-leak',
      'reclaim-pressure',
    ],
    why: 'only an agent that nothing needs is disabled, and that is the cause orphaned-agent',
  },
  ...['disable-agent', 'contain-unit', 'contain-sessions', 'enable-linger', 'restart-logind'].map(
    (treatment): Pair => ({
      treatment,
      causes: [...ofTheKubelet, 'dead-containers', ...ofTheWorkload],
      why: 'what it changes on the host has nothing to do with this',
    }),
  ),
  {
    treatment: 'stop-scopes',
    causes: ['dying-memcgs', 'reclaim-pressure', ...ofTheKubelet, 'dead-containers', ...ofTheWorkload],
    why: 'it removes directories and ends scopes of logins, which have nothing to do with this',
  },
  {
    treatment: 'replace-node',
    causes: [
      ...ofTheWorkload,
      'reclaim-pressure',
      'agent-leak',
      'session-churn',
      'orphaned-agent',
      'dead-containers',
    ],
    why: 'what makes it comes to the next node as well, with its pods or its image',
  },
  {
    treatment: 'prune-containers',
    causes: [...zombieCauses, 'leaked-scopes', 'memcg-id-exhaustion', 'agent-leak', ...ofTheWorkload],
    why: 'exited containers have no memory cgroup any more; removing them frees none of this, and their logs are gone',
  },
];

/** Why this rung must not be on the ladder for this cause on this node; `undefined` where it may. */
export function forbids(
  cause: CauseId,
  treatment: string,
  args: Arguments,
  evidence: Evidence | undefined,
): string | undefined {
  if ((cause === 'healthy' || cause === 'inconclusive') && treatment !== 'notify') {
    return `nothing is done to a node whose diagnosis is ${cause}`;
  }
  const pair = forbiddenPairs.find((one) => one.treatment === treatment && one.causes.includes(cause));
  if (pair !== undefined) return pair.why;
  if (treatment === 'disable-agent' || treatment === 'contain-unit') {
    const { unit } = args;
    if (unit === undefined) return 'it names no unit';
    if (isUntouchable({ unit })) return `${unit} is never touched`;
    return treatment === 'disable-agent' ? neededBy(unit, evidence) : undefined;
  }
  if (treatment === 'reclaim') return badSlices(args.slices ?? '');
  return undefined;
}

/** A unit is disabled only where the evidence says that nothing needs it; a unit that it does not list may be needed. */
function neededBy(unit: string, evidence: Evidence | undefined): string | undefined {
  const agents: Agent[] = (evidence && probeValue(evidence.probes.agents)?.entries) ?? [];
  const agent = agents.find((one) => one.unit === unit);
  if (agent === undefined) return `the evidence does not say whether anything needs ${unit}`;
  const { needed, why } = needOf(agent);
  return needed === false ? undefined : why;
}

function badSlices(slices: string): string | undefined {
  const paths = slices.split(' ').filter((path) => path !== '');
  if (paths.length === 0) return 'it names no slice';
  if (paths.includes('/')) return 'the root of the hierarchy is no slice: everything would be reclaimed';
  if (paths.some((path) => paths.some((other) => isBelow(path, other)))) return 'one slice contains another';
  return undefined;
}
