import { MedicError } from '../adapters/medic-error.ts';
import { asksOn } from '../domain/incident-progress.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import { verifiedMessage } from '../domain/progress-message.ts';
import { looksIn } from '../domain/verification/looks.ts';
import { newCauses } from '../domain/verification/new-causes.ts';
import { lacks } from '../domain/verification/side-signals.ts';
import { figureOf, judge, type Sample, sampleOf } from '../domain/verification.ts';
import { countFailure, countSuccess } from './breaker.ts';
import { evidenceOf, withoutOutput } from './evidence-of.ts';
import { phase } from './phase.ts';
import { tellProgress } from './tell-progress.ts';

/**
 * Adds one look at the node, and after the last one judges by trend whether the treatment helped. Where the last one did
 * not see what there was before, it is made up for by another, once.
 */
export const handler = phase('verify', async (state, context) => {
  const { cluster, audit, now } = context;
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
  const waitSeconds = looksIn(cluster.verification).between;
  const next: IncidentState = {
    ...withoutOutput(state),
    verification: { ...verification, waitSeconds, samples },
  };
  const over = samples.length >= verification.planned;
  const lost = samples.length === verification.planned && lacks(before, sample, rung.expects.signal);
  if (!over || lost) return next;

  const judgement = judge(before, samples, rung.expects, cluster.thresholds, {
    harm: cluster.verification.harm,
    startedAt: verification.startedAt,
  });
  const alsoFound = 'evidence' in examined ? newCauses(state.diagnosis, examined.evidence, cluster) : [];
  const others = alsoFound.map(({ cause, confidence }) => `${cause} (confidence ${confidence})`);
  await audit({
    step: 'verified',
    actor: { kind: 'rule', id: 'verify' },
    what: [
      `after ${samples.length} looks: ${judgement.verdict}${judgement.provisional ? ', provisional' : ''}`,
      ...(others.length === 0 ? [] : [`found on the way, and not treated: ${others.join(', ')}`]),
    ].join('; '),
    outcome: judgement.verdict,
    ...subject,
    before: { ...before },
    after: { ...sample },
    details: { findings: judgement.findings, expects: rung.expects, alsoFound },
  });
  if (judgement.verdict === 'not-cured') {
    const unseen = judgement.unseen ? 'whether it helped was not seen' : 'it did not help';
    const why = judgement.harmed ? 'the node got worse' : unseen;
    await countFailure(state, { why, harmed: judgement.harmed === true }, context);
  } else {
    await countSuccess(state, context);
  }
  const verified: IncidentState = {
    ...next,
    verification: { ...verification, waitSeconds, samples, ...judgement, alsoFound },
  };
  await tellProgress(verified, verifiedMessage(verified), context);
  const asks = judgement.verdict === 'cured' && asksOn(verified);
  return asks && verified.verification !== undefined
    ? { ...verified, verification: { ...verified.verification, asksOn: true } }
    : verified;
});
