import type * as z from 'zod';
import { Settings } from '../lambdas/domain/settings.ts';

/** The one cluster that exists on this machine. */
export const localCluster = 'local';

export type ClusterInput = Partial<z.input<typeof Settings>['clusters'][string]>;

/** Nobody pays for this CPU, and somebody is watching. */
export const localReclaim = { cpuPercent: 50, maxSeconds: 120 } as const;

/** What a deployment uses unless its settings say otherwise. */
export function shipped(): Settings['clusters'][string] {
  const { any } = Settings.parse({ clusters: { any: {} } }).clusters;
  if (any === undefined) throw new Error('the default settings have no cluster');
  return any;
}

/** The floor that the shipped settings allow a node. */
const shippedFloor = 300;

/** The way to an API server that stands in for one. There is no VPC on this machine, and none is needed. */
export const localApi = {
  access: 'vpc' as const,
  vpc: { subnetIds: ['subnet-00000000'], securityGroupIds: ['sg-00000000'] },
};

/** The new node of a stand-in is there at once. */
export const localReplacement = { enabled: true, lookSeconds: 1 } as const;

/** One node is on this machine as a rule, so nobody waits for others; where there are more, they ask often. */
export const localCohort = { gatherSeconds: 0, askAgainSeconds: 1 } as const;

export interface LocalSettingsProps {
  readonly mode: 'observe' | 'approve' | 'auto';
  /** Slices that reclaim may touch. @default - those of the shipped settings */
  readonly slices?: readonly string[];
  /** Dying cgroups that the node had before; a run that ends there has repaired what it broke. @default 0 */
  readonly dyingBefore?: number;
  /** The node is a recorded one. @default false */
  readonly recorded?: boolean;
  /** Something stands in for the API server of its cluster. @default false */
  readonly apiServer?: boolean;
  /** Something stands in for who makes a new node where this one goes. @default false */
  readonly replacing?: boolean;
  /** The node's CPU is emulated: what takes a second elsewhere takes ten. @default false */
  readonly emulated?: boolean;
  /** Further settings of the cluster, over the ones here. */
  readonly cluster?: ClusterInput;
}

/**
 * The settings of a run on this machine: the shipped ones with shorter waits. The state machine and the functions are
 * those of a deployment; how long they wait is not.
 */
export function localSettings({
  mode,
  slices,
  dyingBefore = 0,
  recorded = false,
  apiServer = false,
  replacing = false,
  emulated = false,
  cluster = {},
}: LocalSettingsProps): Settings {
  return Settings.parse({
    clusters: {
      [localCluster]: {
        initialMode: mode,
        reclaim: {
          ...localReclaim,
          ...(emulated ? { maxSeconds: 600 } : {}),
          ...(slices === undefined ? {} : { slices }),
        },
        // What a recorded node has to show does not change while it is watched.
        examination: { windowSeconds: recorded ? 1 : shipped().examination.windowSeconds },
        // This host is not thrown away afterwards: what would hit all of it is never done to it.
        ...(slices === undefined ? {} : { policy: { treatments: { 'drop-caches': 'never' } } }),
        thresholds: { dyingFloor: Math.min(shippedFloor + dyingBefore, 100_000) },
        // A producer has to be seen to make more than comes and goes by itself.
        verification: { windowSeconds: emulated ? 20 : 6, samples: 5 },
        // By the function in the VPC, so that the kubelet is asked as well; the ids are of nothing.
        ...(apiServer ? { api: localApi } : {}),
        ...(replacing ? { replacement: localReplacement } : {}),
        // Whoever starts the run is also the one who is asked.
        approval: { onePersonTeam: true, expirySeconds: { low: 300, medium: 300, high: 300 } },
        ...cluster,
        gates: { ...cluster.gates, cohort: { ...localCohort, ...cluster.gates?.cohort } },
      },
    },
    command: { deliverySeconds: 30, pollSeconds: 1, maxPollSeconds: 2, evidenceSeconds: emulated ? 120 : 60 },
    janitor: { settleSeconds: 2, undoSeconds: 60 },
  });
}
