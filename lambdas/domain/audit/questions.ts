import { needyOutcomes } from '../roll/needy.ts';
import type { AuditEntry, AuditStep } from './entry.ts';
import { phaseOfStep } from './phase-of-step.ts';

/** Steps that tell what was done, and how it went. */
export const doneSteps = [
  'incident.opened',
  'diagnosed',
  'treatment.intended',
  'treatment.sent',
  'treatment.finished',
  'replacement.intended',
  'replacement.acted',
  'verified',
  'undo.intended',
  'undo.sent',
  'undo.finished',
  'janitor.started',
  'janitor.finished',
  'cordon.swept',
  'incident.closed',
] as const satisfies AuditStep[];

/** Steps that tell who was asked, and who decided. */
export const approvalSteps = [
  'approval.requested',
  'approval.reminded',
  'approval.escalated',
  'approval.decided',
  'approval.settled',
] as const satisfies AuditStep[];

/**
 * Steps after which an incident waits for somebody, or does not any more. A decision is none: it may have been refused, or be the
 * first of two that are needed; what came of it, `approval.settled` says.
 */
export const waitingSteps = [
  'approval.requested',
  'approval.settled',
  'incident.closed',
  'janitor.finished',
] as const satisfies AuditStep[];

/** Steps that are a refusal in themselves. */
export const refusalSteps = ['node.refused', 'lease.refused'] as const satisfies AuditStep[];
/** What a gate says when a rung is not done. */
export const refusingGates = ['refuse', 'observe', 'skip'] as const;
/** How an incident ends that was not allowed to go on. */
export const refusedOutcomes = ['refused', 'denied', 'expired', 'void'] as const;

/** The step by which a ladder calls a person, whatever becomes of its incident. */
export const callingStep = 'notified' satisfies AuditStep;

type Line = Record<string, unknown>;
const isIn = (list: readonly string[], value: unknown): boolean => list.includes(String(value));

/** A line that says what was done. */
export const isDone = ({ step }: Line): boolean => isIn(doneSteps, step);
/** A line that says who was asked or who decided. */
export const isApproval = ({ step }: Line): boolean => isIn(approvalSteps, step);
/** A line of something that a person did or decided. */
export function isBy({ actor }: Line, person: string): boolean {
  const { kind, id } = Object(actor) as Line;
  return kind === 'person' && id === person;
}

/** A line that says what was refused, and why; also one about an alarm that came to no incident. */
export function isRefusal({ kind, step, outcome }: Line): boolean {
  return (
    kind === 'alarm.refused' ||
    isIn(refusalSteps, step) ||
    (step === 'gated' && isIn(refusingGates, outcome)) ||
    (step === 'incident.closed' && isIn(refusedOutcomes, outcome))
  );
}

/** A line that says that somebody has to look at a node. */
export function isNeedy({ step, outcome }: Line): boolean {
  return step === callingStep || (step === 'incident.closed' && isIn(needyOutcomes, outcome));
}

/** The last word of each incident that has asked somebody and has no answer, the longest wait first. */
export function waiting(entries: readonly AuditEntry[]): AuditEntry[] {
  const last = new Map<string, AuditEntry>();
  for (const entry of entries.toSorted((a, b) => a.seq - b.seq)) {
    if (isIn(waitingSteps, entry.step)) last.set(entry.incident, entry);
  }
  return [...last.values()]
    .filter(({ step }) => step === 'approval.requested')
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** Milliseconds by phase, in the order in which the phases were first entered; from the times, which entries of every age have. */
export function timeByPhase(
  entries: readonly AuditEntry[],
): { phase: string; entries: number; ms: number }[] {
  const phases = new Map<string, { entries: number; ms: number }>();
  const before = new Map<string, AuditEntry>();
  for (const entry of entries.toSorted((a, b) => a.seq - b.seq)) {
    const previous = before.get(entry.incident);
    before.set(entry.incident, entry);
    const ms = previous === undefined ? 0 : Math.max(0, Date.parse(entry.at) - Date.parse(previous.at));
    const phase = phaseOfStep(entry.step);
    const sum = phases.get(phase) ?? { entries: 0, ms: 0 };
    phases.set(phase, { entries: sum.entries + 1, ms: sum.ms + ms });
  }
  return [...phases].map(([phase, sum]) => ({ phase, ...sum }));
}
