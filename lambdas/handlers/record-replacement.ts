import type { IncidentState } from '../domain/incident-state.ts';
import { treatedMessage, verifiedMessage } from '../domain/progress-message.ts';
import { endedClean, keepsCordon, treatedBy, verifiedBy } from '../domain/replacement/replaced.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import { countFailure, countSuccess } from './breaker.ts';
import type { PhaseContext } from './phase.ts';
import { tellProgress } from './tell-progress.ts';

/** How the replacement of a node has ended. One that was made is verified by what was seen in the cluster: nothing is sent to the old node any more. */
export async function recordReplacement(
  state: IncidentState,
  rung: Rung,
  context: PhaseContext,
): Promise<IncidentState> {
  const { audit, now } = context;
  const { replacement } = state;
  const treatment = treatedBy(replacement);
  const clean = replacement !== undefined && endedClean(replacement);
  const subject = { rung: state.ladder.index, treatment: rung.treatment, arguments: rung.arguments };
  const verification =
    replacement === undefined || treatment.status !== 'done' ? undefined : verifiedBy(replacement, now());
  await audit({
    step: 'treatment.finished',
    actor: { kind: 'rule', id: 'treat' },
    what: `${rung.treatment}: ${treatment.reason}`,
    outcome: treatment.status,
    ...subject,
    before: treatment.result?.before ?? {},
    after: treatment.result?.after ?? {},
    details: {
      clean,
      nodeGone: verification !== undefined,
      cordonKept: replacement !== undefined && keepsCordon(replacement),
      result: treatment.result?.details ?? {},
    },
  });
  const recorded: IncidentState = { ...state, treatment };
  if (treatment.status === 'failed' || replacement?.end?.is === 'not-drained') {
    await countFailure(recorded, { why: treatment.reason, harmed: false }, context);
  }
  await tellProgress(recorded, treatedMessage(recorded), context);
  if (verification === undefined) return recorded;
  await audit({
    step: 'verified',
    actor: { kind: 'rule', id: 'treat' },
    what: treatment.reason,
    outcome: verification.verdict,
    ...subject,
    details: { findings: verification.findings, expects: rung.expects, alsoFound: [] },
  });
  const verified: IncidentState = { ...recorded, verification };
  await countSuccess(verified, context);
  await tellProgress(verified, verifiedMessage(verified), context);
  return verified;
}
