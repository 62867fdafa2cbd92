import { nextClosing, nextOpening, openWindow } from '../gates/window.ts';
import type { Window } from '../settings/windows.ts';

const hourMs = 3_600_000;

export type Turn =
  | { is: 'now'; reason: string }
  /** Not in this window, or none is open. */
  | { is: 'later'; reason: string };

/**
 * Whether a kubelet has to be restarted in the window that is open now: where it is full before the next one has been open for so
 * many hours. Outside of a window, and where there is none, never.
 *
 * @param aheadHours what is kept as a reserve, for its neighbours have their turn before it, and a projection is no promise
 */
export function turnAt(fullAt: Date, windows: readonly Window[], aheadHours: number, now: Date): Turn {
  try {
    if (windows.length === 0) return { is: 'later', reason: 'this cluster has no maintenance windows' };
    if (openWindow(windows, now) === undefined)
      return { is: 'later', reason: 'no maintenance window is open' };
    const end = nextClosing(windows, now);
    const next = end === undefined ? undefined : nextOpening(windows, end);
    const until = new Date((next ?? now).getTime() + aheadHours * hourMs);
    return fullAt <= until
      ? {
          is: 'now',
          reason: `the next maintenance window, and ${aheadHours} hours of it, would come too late`,
        }
      : { is: 'later', reason: `there is time until ${until.toISOString()}, in the next maintenance window` };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { is: 'later', reason: `whether a maintenance window is open cannot be told: ${problem}` };
  }
}
