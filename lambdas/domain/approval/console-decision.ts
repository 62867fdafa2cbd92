import * as z from 'zod';
import { approvalIdPattern, consoleReasonPattern } from './approval-id.ts';

/** What the runbook hands to its function: its parameters, and which execution it is. */
export const ConsoleDecision = z.strictObject({
  approvalId: z.string().regex(new RegExp(approvalIdPattern), 'must be the id of an approval'),
  decision: z.enum(['approve', 'deny']),
  reason: z
    .string()
    .regex(
      new RegExp(consoleReasonPattern),
      'must be at most 200 letters, digits, spaces and . , : ; / ( ) _ + -',
    ),
  executionId: z
    .string()
    .regex(
      /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/,
      'must be the id of an execution of Systems Manager Automation',
    ),
});
export type ConsoleDecision = z.infer<typeof ConsoleDecision>;

/** What Systems Manager says of an execution. */
export type Execution = {
  id: string;
  document: string;
  status: string;
  /** ARN of whoever started it; `undefined`: it does not say. */
  executedBy: string | undefined;
  parameters: Readonly<Record<string, readonly string[]>>;
};

/**
 * Why a decision is not that of whoever started the execution it names. Who may invoke the function could name the execution of
 * somebody else, so it has to be one of our runbook that goes on now, and has to ask for exactly this.
 *
 * @param document the name of our runbook
 * @returns `undefined` where it is theirs
 */
export function problemOfExecution(
  { approvalId, decision, reason, executionId }: ConsoleDecision,
  execution: Execution,
  document: string,
): string | undefined {
  const about = `execution ${executionId}`;
  if (execution.id !== executionId)
    return `Systems Manager answered about another execution than ${executionId}`;
  if (execution.document !== document) {
    return `${about} is of the document ${execution.document}; decisions are taken from ${document} alone`;
  }
  if (execution.status !== 'InProgress') {
    return `${about} does not run (${execution.status}); start the runbook ${document} again`;
  }
  const { parameters } = execution;
  const asked = { ApprovalId: approvalId, Decision: decision, Reason: reason };
  for (const [name, value] of Object.entries(asked)) {
    // A parameter that was left out has its default: of the reason, nothing.
    const given = parameters[name] ?? (name === 'Reason' ? [''] : []);
    if (given.length !== 1 || given[0] !== value) {
      return `${about} was not started with this ${name}; start the runbook ${document} for what you want to decide`;
    }
  }
  return undefined;
}
