import { MedicError } from '../adapters/medic-error.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import { figureOf, judge, type Sample, sampleOf } from '../domain/verification.ts';
import { evidenceOf, withoutOutput } from './evidence-of.ts';
import { phase } from './phase.ts';

/** Adds one look at the node, and after the last one judges by trend whether the treatment helped. */
export const handler = phase('verify', async (state, { cluster, audit, now }) => {
  const { verification, rung, before } = state;
  if (verification === undefined || rung === undefined || before === undefined) {
    throw new MedicError('there is no treatment to verify');
  }
  const examined = evidenceOf(state);
  const sample: Sample =
    'evidence' in examined
      ? sampleOf(examined.evidence, new Date(examined.evidence.collectedAt))
      : sampleOf(undefined, now(), examined.gap.reason);
  const samples = [...verification.samples, sample];
  const subject = { rung: state.ladder.index, treatment: rung.treatment };
  await audit({
    step: 'sampled',
    actor: { kind: 'rule', id: 'verify' },
    what: sample.gap ?? figureOf(sample, rung.expects.signal),
    ...subject,
    after: { ...sample },
  });
  const next: IncidentState = { ...withoutOutput(state), verification: { ...verification, samples } };
  if (samples.length < verification.planned) return next;

  const judgement = judge(before, samples, rung.expects, cluster.thresholds);
  await audit({
    step: 'verified',
    actor: { kind: 'rule', id: 'verify' },
    what: `after ${samples.length} looks: ${judgement.verdict}${judgement.provisional ? ', provisional' : ''}`,
    outcome: judgement.verdict,
    ...subject,
    before: { ...before },
    after: { ...sample },
    details: { findings: judgement.findings },
  });
  return { ...next, verification: { ...verification, samples, ...judgement } };
});
