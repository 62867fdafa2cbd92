import {
  confidences,
  figureWithLimit,
  leftOutLines,
  nameOf,
  possibleLine,
} from '../lambdas/domain/explanation.ts';
import { modeGate } from '../lambdas/domain/gates/mode-gate.ts';
import { stopsOf } from '../lambdas/domain/held-back.ts';
import { IncidentState, type TreatmentResult } from '../lambdas/domain/incident-state.ts';
import type { Mode } from '../lambdas/domain/settings.ts';
import type { Rung } from '../lambdas/domain/treatments/treatment.ts';
import { differences, stopSentence } from '../lambdas/domain/tried.ts';
import { figureOf } from '../lambdas/domain/verification.ts';
import type { ExecutionEvent } from './engine/run-state-machine.ts';
import { phaseOf } from './phases.ts';
import type { Progress } from './progress.ts';

const waits: Record<string, string> = {
  SendExamine: 'the evidence from the node',
  // Whoever is asked has the prompt before them, and more lines would write over it.
  RequestApproval: '',
  SendRecheck: 'a second look at the node',
  SendTreatment: 'the treatment on the node',
  WaitForSample: 'the next look at the node',
  SendUndo: 'the undo on the node',
  WaitForSettling: 'the node to be Ready again',
  WaitForReplacement: 'the pods of the node to go, or the next node to come',
};

type Sentence = (state: IncidentState, mode: Mode) => string | undefined;

/** What is said when a state has been left, from what the incident knows then. */
const sentences: Record<string, Sentence> = {
  Open: ({ lease }) => (lease.status === 'ours' ? 'the incident is open, the node is leased' : lease.reason),
  Diagnose: ({ diagnosis }) => diagnosis && diagnosisSentence(diagnosis),
  Plan: ({ plan, diagnosis, leftOut = [] }, mode) => {
    const steps = plan.map((rung) => `${rung.treatment} (risk ${rung.risk}, ${whatHappens(rung, mode)})`);
    return [
      steps.length === 0 ? 'nothing to do' : steps.join(', then '),
      ...leftOutLines(leftOut),
      ...(steps.length === 0 || !diagnosis?.untreated ? [] : [`if nothing is done: ${diagnosis.untreated}`]),
    ].join('\n');
  },
  Gate: ({ gate, rung }) => gate && `${rung?.treatment ?? ''}: ${gate.decision}. ${gate.reason}`,
  SettleApproval: ({ approval }) =>
    approval?.decision === 'pending'
      ? 'nobody has decided yet, and people are told again'
      : approval &&
        `${approval.decision}${approval.by === undefined ? '' : ` by ${approval.by}`}${approval.reason === undefined ? '' : `: ${approval.reason}`}`,
  Recheck: ({ recheck }) => recheck && `second look: ${recheck.decision}. ${recheck.reason}`,
  HoldNode: ({ hold }) => hold?.says,
  SettleNode: ({ hold }) => (hold?.at === 'over' ? hold.says : undefined),
  ReplaceStep: ({ replacement }) => replacement?.says,
  RecordTreatment: ({ treatment, rung }) => treatment && treatmentSentence(treatment, rung?.kind),
  Notify: () => 'people are told (deployed: a message to the notification topic; here: this line)',
  Verify: ({ verification, rung }) => {
    if (verification === undefined) return undefined;
    const { samples, planned, verdict, provisional, alsoFound } = verification;
    const last = samples.at(-1);
    const which = samples.length > planned ? `look ${planned} again` : `look ${samples.length} of ${planned}`;
    const look = `${which}: ${last?.gap ?? figureOf(last, rung?.expects.signal ?? 'dying')}`;
    if (verdict === 'looking') return look;
    const others =
      alsoFound.length === 0 ? '' : `\nfound on the way, and not treated: ${confidences(alsoFound)}`;
    return `${look}\n${verdict}${provisional ? ' (provisional: the window is too short to be sure)' : ''}${whyNot(verification)}${others}`;
  },
  RecordUndo: ({ undo }) => undo && `${undo.status}: ${undo.reason}`,
  Close: ({ outcome, outcomeReason }) => `${outcome ?? 'no outcome'}: ${outcomeReason ?? ''}`,
};

/** Tells what an execution does, as it does it. */
export function narrate({ type, state, error, cause }: ExecutionEvent, progress: Progress, mode: Mode): void {
  if (state === undefined) {
    progress.waitFor('');
    if (type === 'ExecutionAborted')
      progress.say('the execution was stopped; the janitor cleans up', 'janitor');
    if (type === 'ExecutionTimedOut')
      progress.say('the execution took too long; the janitor cleans up', 'janitor');
    if (type === 'ExecutionFailed') {
      progress.say(`the execution failed: ${error ?? ''} ${short(cause)}; the janitor cleans up`, 'janitor');
    }
    return;
  }
  const phase = phaseOf(state.name);
  if (type === 'StateEntered') {
    const wait = waits[state.name];
    if (wait !== undefined) progress.waitFor(wait);
    if (state.name === 'SendTreatment') progress.say(startOfTreatment(state.input), phase);
    if (state.name === 'ReplaceStep') sayThatItIsReplaced(state.input, progress);
    if (state.name === 'RequestApproval') progress.say('a person is asked', phase);
  }
  if (type === 'StateFailed') progress.say(`${state.name} failed: ${error ?? ''} ${short(cause)}`, phase);
  if (type === 'StateExited') {
    const parsed = IncidentState.safeParse(state.output);
    const text = parsed.success ? sentences[state.name]?.(parsed.data, mode) : undefined;
    if (text !== undefined) progress.say(text, phase);
  }
}

/** What the mode makes of a rung, in the words of the gate that decides it. */
export function whatHappens(rung: Rung, mode: Mode): string {
  const { decision } = modeGate(mode, rung, false);
  if (decision === 'observe') return `only said, for the mode is observe; by policy ${rung.needs}`;
  if (decision === 'ask') return mode === 'approve' ? 'asks, for the mode is approve' : 'asks, by policy';
  return decision === 'pass' ? 'without asking' : 'never done, by policy';
}

/** Before the first act, and not before each. */
function sayThatItIsReplaced(input: unknown, progress: Progress): void {
  const parsed = IncidentState.safeParse(input);
  if (parsed.data?.replacement === undefined) progress.say(startOfTreatment(input), 'treat');
}

function startOfTreatment(input: unknown): string {
  const parsed = IncidentState.safeParse(input);
  const rung = parsed.success ? parsed.data.rung : undefined;
  return `${rung?.treatment ?? 'the treatment'} starts: ${rung?.reason ?? ''}`;
}

/** What speaks against a cure, with its figures. */
function whyNot({ verdict, findings }: NonNullable<IncidentState['verification']>): string {
  if (verdict === 'cured') return '';
  const against = findings.filter(({ speaks }) => speaks === 'against');
  return against.length === 0 ? '' : `: ${against.map(figureWithLimit).join('; ')}`;
}

/** The table of findings is in the report; on a terminal it would bury the answer. */
function diagnosisSentence(diagnosis: NonNullable<IncidentState['diagnosis']>): string {
  const { confidence, explanation, gaps, alsoPossible, shadow } = diagnosis;
  return [
    `${nameOf(diagnosis)}, confidence ${confidence}`,
    explanation,
    ...(alsoPossible.length === 0 ? [] : [`also possible: ${possibleLine(diagnosis)}`]),
    ...(shadow.length === 0 ? [] : [`rules that only watch say: ${confidences(shadow)}`]),
    ...(gaps.length === 0
      ? []
      : [`${gaps.length} probes told nothing; the report has each, with the reason`]),
  ].join('\n');
}

function treatmentSentence(
  { status, reason, result }: NonNullable<IncidentState['treatment']>,
  kind: Rung['kind'] | undefined,
): string {
  if (result === undefined || kind === 'replace' || kind === 'evict') return `${status}: ${reason}`;
  return [
    `${status}: ${numbers(result)} (counted on the node just before and just after the treatment)`,
    ...stopsOf(result).map(stopSentence),
  ].join('\n');
}

/** The numbers before and after a treatment. */
export function numbers({ changed, before, after }: TreatmentResult): string {
  if (typeof before.dying !== 'number' || typeof before.cachedKb !== 'number')
    return changed ? differences(before, after) || 'it was changed' : 'nothing was changed';
  const cache = `page cache ${mebibytes(before.cachedKb)} → ${mebibytes(after.cachedKb)}`;
  return `dying cgroups ${count(before.dying)} → ${count(after.dying)}, ${cache}`;
}

function count(value: unknown): string {
  return typeof value === 'number' ? value.toLocaleString('en') : 'unknown';
}

function mebibytes(kb: unknown): string {
  return typeof kb === 'number' ? `${Math.round(kb / 1024).toLocaleString('en')} MiB` : 'unknown';
}

function short(cause: string | undefined): string {
  return (cause ?? '').slice(0, 300);
}
