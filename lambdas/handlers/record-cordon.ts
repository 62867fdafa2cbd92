import type { IncidentState } from '../domain/incident-state.ts';
import { treatedMessage } from '../domain/progress-message.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import { countFailure } from './breaker.ts';
import type { PhaseContext } from './phase.ts';
import { tellProgress } from './tell-progress.ts';

type Treated = NonNullable<IncidentState['treatment']>;

/** What came of a rung that only cordons. One that is made stands until the incident lets go of it. */
export async function recordCordon(
  state: IncidentState,
  rung: Rung,
  context: PhaseContext,
): Promise<IncidentState> {
  const treatment = treatedBy(state);
  await context.audit({
    step: 'treatment.finished',
    actor: { kind: 'rule', id: 'treat' },
    what: `${rung.treatment}: ${treatment.reason}`,
    outcome: treatment.status,
    rung: state.ladder.index,
    treatment: rung.treatment,
    arguments: rung.arguments,
    before: treatment.result?.before ?? {},
    after: treatment.result?.after ?? {},
    details: { clean: treatment.status === 'refused' },
  });
  const recorded: IncidentState = { ...state, treatment };
  if (treatment.status === 'failed') {
    await countFailure(recorded, { why: treatment.reason, harmed: false }, context);
  }
  await tellProgress(recorded, treatedMessage(recorded), context);
  return recorded;
}

function treatedBy({ hold }: IncidentState): Treated {
  if (hold?.at !== 'held') {
    const reason = hold?.says ?? 'nobody has asked for the cordon';
    return { status: hold?.at === 'refused' ? 'refused' : 'failed', reason };
  }
  const { node } = hold;
  return {
    status: 'done',
    reason: hold.says,
    result: { changed: true, before: { node, unschedulable: false }, after: { node, unschedulable: true } },
  };
}
