import * as z from 'zod';
import { IncidentRecord } from '../lambdas/domain/incident-record.ts';
import { IncidentState, Outcome } from '../lambdas/domain/incident-state.ts';
import type { Json } from './engine/json.ts';
import type { ExecutionResult } from './engine/run-state-machine.ts';

export interface IncidentRecordProps {
  readonly id: string;
  readonly node: { readonly title: string; readonly recorded: boolean };
  readonly execution: ExecutionResult;
  /** The last state of the incident that was seen, for an execution that did not come to its end. */
  readonly lastState: Json | undefined;
  /** Why the execution was stopped, where that is known. */
  readonly stoppedFor?: string;
  /** The audit trail, line by line. */
  readonly auditLines: readonly string[];
  readonly timings: IncidentRecord['timings'];
  readonly audit: string;
  readonly report: string;
}

/** What an execution came to. For one that was stopped, timed out or failed, the trail says how the incident was closed. */
export function incidentRecord(props: IncidentRecordProps): IncidentRecord {
  const { execution, lastState } = props;
  const parsed = IncidentState.safeParse(execution.output ?? lastState);
  const state = parsed.success ? parsed.data : undefined;
  const ended = execution.status === 'SUCCEEDED' ? state : undefined;
  const closed = closingEntry(props.auditLines);
  return IncidentRecord.parse({
    id: props.id,
    node: props.node.title,
    recorded: props.node.recorded,
    outcome: ended?.outcome ?? closed?.outcome ?? 'failed',
    reason: ended?.outcomeReason ?? state?.outcomeReason ?? props.stoppedFor ?? reasonOf(execution),
    diagnosis: state?.diagnosis ?? null,
    plan: state?.plan ?? [],
    rungs: state?.results ?? [],
    leftOut: state?.leftOut ?? [],
    ...(ended?.lookAgain === undefined ? {} : { lookAgain: ended.lookAgain }),
    timings: props.timings,
    audit: props.audit,
    report: props.report,
  });
}

function closingEntry(lines: readonly string[]): { outcome: Outcome } | undefined {
  const closing = z.object({ step: z.literal('incident.closed'), outcome: Outcome });
  const entry = lines.map((line) => closing.safeParse(JSON.parse(line))).find(({ success }) => success);
  return entry?.data;
}

function reasonOf({ status, error, cause }: ExecutionResult): string {
  if (status === 'ABORTED')
    return 'the execution was stopped before its end; the janitor cleaned up behind it';
  if (status === 'TIMED_OUT')
    return 'the execution took longer than it may; the janitor cleaned up behind it';
  return `the execution failed: ${error ?? 'no error'}: ${cause ?? 'no cause'}`.slice(0, 1000);
}
