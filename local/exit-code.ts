import type { Outcome } from '../lambdas/domain/incident-state.ts';

/**
 * What `npm start` returns for an incident that came to its end, one code for each outcome that a script would treat
 * differently. 1 is also returned where nothing could be run, 2 for wrong usage, 128 and the signal for a stopped run.
 */
export const exitCodes = {
  cured: 0,
  observed: 0,
  failed: 1,
  relieved: 3,
  unresolved: 4,
  denied: 5,
  expired: 6,
  void: 7,
  refused: 8,
} as const satisfies Record<Outcome, number>;

const meanings = {
  cured: 'cured: it helped, as far as the window could tell',
  observed: 'observed: nothing asks for a treatment, or the mode is observe',
  failed: 'failed: something broke, or an undo did; also: the incident could not be run',
  relieved: 'relieved: better, but not well, and a person is asked to look',
  unresolved: 'unresolved: nothing helped, or nothing could be done',
  denied: 'denied: a person said no',
  expired: 'expired: nobody answered in time',
  void: 'void: the node had changed by the time of the approval',
  refused: 'refused: a gate did not let it begin',
} as const satisfies Record<Outcome, string>;

/** The list of exit codes, one a line. */
export function exitCodeLines(): string[] {
  const outcomes = Object.keys(exitCodes) as (keyof typeof exitCodes)[];
  return [
    ...outcomes.map((outcome) => `${exitCodes[outcome]}    ${meanings[outcome]}`),
    '2    wrong usage',
    '130  stopped by Ctrl-C (129, 141, 143: by a lost terminal, a closed pipe, SIGTERM)',
  ];
}
