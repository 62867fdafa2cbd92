import { digestOf } from '../domain/canonical-json.ts';
import { type Diagnosis, diagnose, diagnoseWithoutEvidence } from '../domain/diagnosis.ts';
import type { Evidence } from '../domain/evidence/evidence.ts';
import type { Gap } from '../domain/evidence/gaps.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Cluster } from '../domain/settings.ts';
import { sampleOf } from '../domain/verification.ts';
import { aroundOf, type Examined, evidenceAround, evidenceOf, withoutOutput } from './evidence-of.ts';
import { phase } from './phase.ts';
import { enterRoll } from './roll.ts';
import { tellVoid } from './tell-settled.ts';

/**
 * Evidence → diagnosis. Of a node that did not answer, or printed garbage, there is what is known around it, with every question
 * to itself a gap; where that is nothing either, it is `inconclusive`, never healthy.
 */
export const handler = phase('diagnose', async (state, context) => {
  const { cluster, audit, now, logger } = context;
  // Where an approval of it is why it is looked at anew.
  await tellVoid(state.approval, now(), logger);
  const examined = evidenceOf(state);
  const evidence = 'evidence' in examined ? examined.evidence : evidenceAround(state, examined.gap, now());
  const diagnosis = diagnosisOf(examined, evidence, state, cluster);
  await audit({
    step: 'diagnosed',
    actor: { kind: 'rule', id: 'diagnose' },
    what: diagnosis.explanation.slice(0, 2000),
    outcome: diagnosis.cause,
    ...(evidence === undefined ? {} : { evidenceDigest: digestOf(evidence) }),
    details: {
      confidence: diagnosis.confidence,
      findings: diagnosis.findings,
      gaps: diagnosis.gaps,
      ...(diagnosis.shadow.length === 0 ? {} : { shadow: diagnosis.shadow }),
      ...('rawHead' in examined && examined.rawHead !== undefined ? { rawHead: examined.rawHead } : {}),
    },
  });
  await enterRoll(state, diagnosis.cause, context);
  const { evidence: _, approval: __, recheck: ___, gate: ____, rung: _____, ...rest } = withoutOutput(state);
  return {
    ...rest,
    ...(evidence === undefined ? {} : { evidence }),
    diagnosis,
    before: sampleOf(evidence, now(), 'gap' in examined ? examined.gap.reason : undefined),
  };
});

function diagnosisOf(
  examined: Examined,
  evidence: Evidence | undefined,
  state: IncidentState,
  { thresholds, diagnosis: { shadow } }: Cluster,
): Diagnosis {
  if (evidence !== undefined) return diagnose(evidence, thresholds, shadow);
  if ('gap' in examined) return diagnoseWithoutEvidence(examined.gap, gapsAround(state));
  return diagnose(examined.evidence, thresholds, shadow);
}

/** What around a node could not be read either. */
function gapsAround(state: IncidentState): Gap[] {
  return Object.entries(aroundOf(state) ?? {}).flatMap(([probe, result]) =>
    result.status === 'ok' ? [] : [{ probe, reason: result.reason }],
  );
}
