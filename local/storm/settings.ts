import { Settings } from '../../lambdas/domain/settings.ts';
import { localCluster, localSettings } from '../local-settings.ts';
import { recordedAround } from '../node/recorded-node.ts';
import type { StormOptions } from './options.ts';

/** A cluster of its own for the one incident before the storm. */
export const rehearsalCluster = 'rehearsal';

/**
 * The settings of a storm: those of a run on this machine, and a wait for a place in the budget that is as short as all else. Only an
 * examination may take longer: here two cores do what a thousand functions do in an account.
 */
export function stormSettings({ mode, sample }: Pick<StormOptions, 'mode' | 'sample'>): Settings {
  const settings = localSettings({
    mode,
    recorded: true,
    apiServer: recordedAround(sample)?.cluster !== undefined,
    cluster: {
      gates: {
        budget: { askAgainSeconds: 2, waitMinutes: 5 },
        // So long the first of them waits for others: two cores do not diagnose the second in less.
        cohort: { gatherSeconds: 30, askAgainSeconds: 2 },
      },
    },
  });
  const { clusters, command } = settings;
  return Settings.parse({
    ...settings,
    clusters: { ...clusters, [rehearsalCluster]: clusters[localCluster] },
    command: { ...command, evidenceSeconds: 600 },
  });
}
