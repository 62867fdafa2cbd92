import { MedicError } from '../adapters/medic-error.ts';
import { firstRung } from '../domain/incident-progress.ts';
import { planFor } from '../domain/plan.ts';
import { planOfStanding } from '../domain/standing/plan-of-standing.ts';
import { groupOf } from './group.ts';
import { phase } from './phase.ts';

/** Diagnosis and policy → ladder. */
export const handler = phase('plan', async (state, { cluster, audit, now, logger }) => {
  if (state.diagnosis === undefined) throw new MedicError('there is no diagnosis to make a plan for');
  const group = await groupOf(state, cluster, now(), logger);
  const { plan: ladder, leftOut } = planFor(state.diagnosis, state.evidence, cluster, group);
  const plan = planOfStanding(ladder, state.incident.alarm, state.diagnosis);
  const index = firstRung(plan, state.results, state.cure !== undefined);
  const rung = plan[index];
  const skipped = plan.slice(0, index).map(({ treatment }) => treatment);
  await audit({
    step: 'planned',
    actor: { kind: 'rule', id: 'plan' },
    what: [
      rung === undefined ? 'nothing to do' : `the ladder: ${plan.map((step) => step.treatment).join(', ')}`,
      ...(skipped.length === 0 ? [] : [`tried already: ${skipped.join(', ')}`]),
    ].join('; '),
    details: { plan, leftOut },
  });
  return {
    ...state,
    plan,
    leftOut,
    ladder: { index, status: rung !== undefined ? 'rung' : plan.length === 0 ? 'empty' : 'exhausted' },
    ...(rung === undefined ? {} : { rung }),
  };
});
