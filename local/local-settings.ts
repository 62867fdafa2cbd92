import type * as z from 'zod';
import { Settings } from '../lambdas/domain/settings.ts';

/** The one cluster that exists on this machine. */
export const localCluster = 'local';

type ClusterInput = Partial<z.input<typeof Settings>['clusters'][string]>;

/** The floor that the shipped settings allow a node. */
const shippedFloor = 300;

export interface LocalSettingsProps {
  readonly mode: 'observe' | 'approve' | 'auto';
  /** Slices that reclaim may touch. @default - those of the shipped settings */
  readonly slices?: readonly string[];
  /** Dying cgroups that the node had before; a run that ends there has repaired what it broke. @default 0 */
  readonly dyingBefore?: number;
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
  emulated = false,
  cluster = {},
}: LocalSettingsProps): Settings {
  return Settings.parse({
    clusters: {
      [localCluster]: {
        initialMode: mode,
        // Nobody pays for this CPU, and somebody is watching.
        reclaim: {
          cpuPercent: 50,
          maxSeconds: emulated ? 600 : 120,
          ...(slices === undefined ? {} : { slices }),
        },
        thresholds: { dyingFloor: Math.min(shippedFloor + dyingBefore, 100_000) },
        verification: { windowSeconds: 6, samples: 5 },
        // Whoever starts the run is also the one who is asked.
        approval: { onePersonTeam: true, expirySeconds: { low: 300, medium: 300, high: 300 } },
        ...cluster,
      },
    },
    command: { deliverySeconds: 30, pollSeconds: 1, maxPollSeconds: 2, evidenceSeconds: emulated ? 120 : 20 },
    janitor: { settleSeconds: 2, undoSeconds: 60 },
  });
}
