import type { Outcome } from '../incident-state.ts';

/** Ends after which somebody has to look at the node. */
export const needyOutcomes = ['failed', 'unresolved', 'relieved'] as const satisfies Outcome[];

/** Name of the saved query that lists all nodes that need a person. */
export const needyQuery = 'Which nodes need a person';
