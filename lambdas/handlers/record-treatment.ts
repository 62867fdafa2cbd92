import { MedicError } from '../adapters/medic-error.ts';
import type { Command, IncidentState, TreatmentResult } from '../domain/incident-state.ts';
import { printable } from '../domain/printable.ts';
import { treatedMessage } from '../domain/progress-message.ts';
import type { Hold } from '../domain/replacement/hold.ts';
import type { Cluster } from '../domain/settings.ts';
import { type DocumentResult, readDocumentResult } from '../domain/treatments/document-result.ts';
import { looksIn } from '../domain/verification/looks.ts';
import { countFailure } from './breaker.ts';
import { withoutOutput } from './evidence-of.ts';
import { phase } from './phase.ts';
import { recordCordon } from './record-cordon.ts';
import { recordReplacement } from './record-replacement.ts';
import { tellProgress } from './tell-progress.ts';

type Treated = NonNullable<IncidentState['treatment']>;

/** What the treatment did. Done, refused by its own checks, or failed: then nobody knows, and it is undone. */
export const handler = phase(
  'record-treatment',
  async (state, context) => {
    const { cluster, audit, now } = context;
    const { rung } = state;
    if (rung?.kind === 'replace' || rung?.kind === 'evict') return recordReplacement(state, rung, context);
    if (rung?.kind === 'cordon') return recordCordon(state, rung, context);
    const { command } = state;
    if (rung === undefined || command === undefined) throw new MedicError('there is no treatment to record');
    const treatment = withHold(treatedBy(command), state.hold);
    const { result } = treatment;
    const clean = treatment.status !== 'failed' && result?.undo === undefined;
    await audit({
      step: 'treatment.finished',
      actor: { kind: 'rule', id: 'treat' },
      what: `${rung.treatment}: ${treatment.reason}`,
      outcome: treatment.status,
      rung: state.ladder.index,
      treatment: rung.treatment,
      arguments: command.arguments ?? rung.arguments,
      ...(command.document === undefined ? {} : { document: command.document }),
      ...(command.documentDigest === undefined ? {} : { documentDigest: command.documentDigest }),
      ...(result === undefined ? {} : { before: result.before, after: result.after }),
      details: { clean, ...(result?.details === undefined ? {} : { result: result.details }) },
    });
    if (treatment.status === 'failed') {
      await countFailure(state, { why: treatment.reason, harmed: false }, context);
    }
    const recorded = { ...withoutOutput(state), treatment };
    await tellProgress(recorded, treatedMessage(recorded), context);
    return treatment.status === 'done'
      ? { ...recorded, verification: startOf(cluster.verification, now()) }
      : recorded;
  },
  // It only writes down what has happened, which must not be lost with the lease.
  { needsLease: false },
);

function treatedBy(command: Command): Treated {
  const ended = command.reason ?? `the command ended as ${command.status}`;
  if (command.status === 'refused') return { status: 'refused', reason: ended };
  const read = readDocumentResult(command.output);
  if (read.kind === 'refusal' && command.status === 'failed')
    return { status: 'refused', reason: read.reason };
  // Something was done, and then something went wrong.
  const error = read.kind === 'result' ? read.result.error : undefined;
  if (typeof error === 'string') return { status: 'failed', reason: printable(error).slice(0, 500) };
  if (command.status !== 'succeeded') return { status: 'failed', reason: ended };
  if (read.kind !== 'result') return { status: 'failed', reason: read.reason };
  const result = resultOf(read.result);
  return {
    status: 'done',
    reason: result.changed ? 'it ran to its end' : 'it ran and changed nothing',
    result,
  };
}

/** A treatment after which the node does not come back, or stays cordoned, has failed, whatever its document says. */
function withHold(treated: Treated, hold: Hold | undefined): Treated {
  if (hold?.at !== 'over') return treated;
  const { settled, lifted, says } = hold;
  if (settled === false) {
    const result = treated.result ?? { changed: true, before: {}, after: {} };
    return { status: 'failed', reason: says, result: { ...result, details: { ...result.details, settled } } };
  }
  return lifted ? treated : { ...treated, status: 'failed', reason: `${treated.reason}; ${says}` };
}

function resultOf({
  version: _,
  document: __,
  changed,
  before,
  after,
  undo,
  ...details
}: DocumentResult): TreatmentResult {
  return {
    changed,
    before,
    after,
    ...(undo === null ? {} : { undo: { document: undo.document, arguments: undo.parameters } }),
    details,
  };
}

function startOf(
  settings: Cluster['verification'],
  startedAt: Date,
): NonNullable<IncidentState['verification']> {
  const { planned, first } = looksIn(settings);
  return {
    verdict: 'looking',
    waitSeconds: first,
    planned,
    startedAt: startedAt.toISOString(),
    samples: [],
    provisional: false,
    findings: [],
    alsoFound: [],
  };
}
