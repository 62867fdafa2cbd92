import { digestOf } from '../domain/canonical-json.ts';
import { diagnose, diagnoseWithoutEvidence } from '../domain/diagnosis.ts';
import { sampleOf } from '../domain/verification.ts';
import { evidenceOf, withoutOutput } from './evidence-of.ts';
import { phase } from './phase.ts';

/** Evidence → diagnosis. A node that did not answer, or printed garbage, is `inconclusive`, never healthy. */
export const handler = phase('diagnose', async (state, { cluster, audit, now }) => {
  const examined = evidenceOf(state);
  const evidence = 'evidence' in examined ? examined.evidence : undefined;
  const diagnosis =
    'evidence' in examined
      ? diagnose(examined.evidence, cluster.thresholds, cluster.diagnosis.shadow)
      : diagnoseWithoutEvidence(examined.gap);
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
  const { evidence: _, approval: __, recheck: ___, gate: ____, rung: _____, ...rest } = withoutOutput(state);
  return {
    ...rest,
    ...(evidence === undefined ? {} : { evidence }),
    diagnosis,
    before: sampleOf(evidence, now(), 'gap' in examined ? examined.gap.reason : undefined),
  };
});
