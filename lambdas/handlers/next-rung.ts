import { heldBack, heldBackSentence } from '../domain/held-back.ts';
import { climb, passedOver } from '../domain/incident-progress.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import { leaveBudgetUncordoned } from './budget.ts';
import { leaveCohort } from './leave-cohort.ts';
import { phase } from './phase.ts';

/** Goes to the next rung of the ladder, or finds that there is none. */
export const handler = phase('next-rung', async (state, context) => {
  const { audit } = context;
  // Verified, undone or passed over: a rung that asks a person next must not hold a place meanwhile.
  if (state.whereabouts !== undefined) await leaveBudgetUncordoned(state.incident, context);
  await leaveCohort(state, context);
  const next = climb(state);
  await audit({
    step: 'rung.next',
    actor: { kind: 'rule', id: 'ladder' },
    what: [
      next.rung === undefined ? 'no rung is left' : `the next rung is ${next.rung.treatment}`,
      ...passedOver(state, next).map(
        ({ treatment, onceStopped }) => `${treatment} is passed over: ${whyPassedOver(next, onceStopped)}`,
      ),
    ].join('; '),
    rung: next.ladder.index,
    outcome: next.ladder.status,
  });
  return next;
});

function whyPassedOver({ results, plan, cure }: IncidentState, onceStopped: boolean): string {
  if (cure !== undefined) return 'the node is cured';
  const held = heldBack(results);
  if (held !== undefined) return heldBackSentence(held, plan);
  return onceStopped ? 'nothing has stopped the producer' : 'the producer is stopped already';
}
