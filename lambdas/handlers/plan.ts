import { MedicError } from '../adapters/medic-error.ts';
import { planFor } from '../domain/plan.ts';
import { phase } from './phase.ts';

/** Diagnosis and policy → ladder. */
export const handler = phase('plan', async (state, { cluster, audit }) => {
  if (state.diagnosis === undefined) throw new MedicError('there is no diagnosis to make a plan for');
  const { plan, leftOut } = planFor(state.diagnosis, state.evidence, cluster);
  const [rung] = plan;
  await audit({
    step: 'planned',
    actor: { kind: 'rule', id: 'plan' },
    what:
      rung === undefined ? 'nothing to do' : `the ladder: ${plan.map((step) => step.treatment).join(', ')}`,
    details: { plan, leftOut },
  });
  return {
    ...state,
    plan,
    leftOut,
    ladder: { index: 0, status: rung === undefined ? 'empty' : 'rung' },
    ...(rung === undefined ? {} : { rung }),
  };
});
