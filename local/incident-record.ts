import { IncidentRecord } from '../lambdas/domain/incident-record.ts';
import { IncidentState } from '../lambdas/domain/incident-state.ts';
import type { Json } from './engine/json.ts';
import type { ExecutionResult } from './engine/run-state-machine.ts';

export interface IncidentRecordProps {
  readonly id: string;
  readonly node: { readonly title: string; readonly recorded: boolean };
  readonly execution: ExecutionResult;
  /** The last state of the incident that was seen, for an execution that did not come to its end. */
  readonly lastState: Json | undefined;
  readonly timings: IncidentRecord['timings'];
  readonly audit: string;
  readonly report: string;
}

/** What an execution came to. One that was stopped, timed out or failed is a failed incident, whatever it had done. */
export function incidentRecord(props: IncidentRecordProps): IncidentRecord {
  const { execution, lastState } = props;
  const closed = execution.status === 'SUCCEEDED';
  const parsed = IncidentState.safeParse(execution.output ?? lastState);
  const state = parsed.success ? parsed.data : undefined;
  return IncidentRecord.parse({
    id: props.id,
    node: props.node.title,
    recorded: props.node.recorded,
    outcome: (closed || state?.closedAt !== undefined ? state?.outcome : undefined) ?? 'failed',
    reason: state?.outcomeReason ?? reasonOf(execution),
    diagnosis: state?.diagnosis ?? null,
    rungs: state?.results ?? [],
    timings: props.timings,
    audit: props.audit,
    report: props.report,
  } satisfies IncidentRecord);
}

function reasonOf({ status, error, cause }: ExecutionResult): string {
  if (status === 'ABORTED') return 'the execution was stopped from outside; the janitor cleaned up behind it';
  if (status === 'TIMED_OUT')
    return 'the execution took longer than it may; the janitor cleaned up behind it';
  return `the execution failed: ${error ?? 'no error'}: ${cause ?? 'no cause'}`.slice(0, 1000);
}
