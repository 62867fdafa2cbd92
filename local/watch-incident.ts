import { userInfo } from 'node:os';
import { clusterTag } from '../lambdas/adapters/instance-cluster.ts';
import type { IncidentRecord } from '../lambdas/domain/incident-record.ts';
import type { Alarm } from '../lambdas/domain/incident-state.ts';
import { type Asker, approvalRequest, approvalSettled, decide } from './approvals.ts';
import { inOrder } from './audit-file.ts';
import type { Engine, ExecutionOutcome } from './engine/engine.ts';
import type { Json } from './engine/json.ts';
import type { ExecutionEvent } from './engine/run-state-machine.ts';
import { incidentRecord } from './incident-record.ts';
import type { LocalNode } from './local-node.ts';
import { localCluster } from './local-settings.ts';
import { PhaseClock, phaseOf } from './phases.ts';
import { Question } from './question.ts';
import type { RunDirectory } from './run-directory.ts';

export interface WatchIncidentProps {
  readonly id: string;
  readonly node: Pick<LocalNode, 'title' | 'provenance' | 'recorded' | 'managed'>;
  readonly directory: RunDirectory;
  /** Sees to an answer when the incident asks for an approval. */
  readonly ask: Asker;
  /** @default the one cluster of this machine */
  readonly cluster?: string;
  readonly clock?: PhaseClock;
  /** Stops the execution, as an operator would. */
  readonly signal?: AbortSignal;
  /** Entering this state stops the execution, for tests. */
  readonly stopAt?: string;
  onEvent?(event: ExecutionEvent): void;
}

export type WatchedIncident = {
  record: IncidentRecord;
  execution: ExecutionOutcome;
  /** The audit trail, line by line. */
  auditLines: string[];
  /** What stood in the way of an answer to an approval. */
  approvalProblem: Error | undefined;
};

/** Runs one incident on an engine to its end, answers its approvals, and writes down what it came to. */
export async function watchIncident(engine: Engine, props: WatchIncidentProps): Promise<WatchedIncident> {
  const { id, node, directory, cluster = localCluster } = props;
  const clock = props.clock ?? new PhaseClock();
  const stop = new AbortController();
  const signal = props.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, props.signal]);
  const ended = new AbortController();
  const delivered: string[] = [];
  const answers: Promise<void>[] = [];
  const questions = new Map<string, Question>();
  let approvalProblem: Error | undefined;
  let lastState: Json | undefined;

  const person = userInfo().username;
  const answer = async (message: string): Promise<void> => {
    const settled = approvalSettled(message);
    if (settled !== undefined) questions.get(settled.approvalId)?.settle(settled);
    const request = approvalRequest(message, id);
    // A message may come twice, and people are asked once.
    if (request === undefined || questions.has(request.approvalId)) return;
    const question = new Question({
      request,
      person,
      over: AbortSignal.any([ended.signal, signal]),
      decide: (decision) => decide(engine, request, decision, person),
    });
    questions.set(request.approvalId, question);
    try {
      await unlessAborted(props.ask(question), question.signal);
    } catch (error) {
      if (question.signal.aborted) return;
      approvalProblem = error instanceof Error ? error : new Error(String(error));
      stop.abort();
    }
  };

  const auditGroup = engine.stack.outputs.AuditLogGroupName;
  const stopListening = [
    engine.onLogLine(({ group, stream, message }) => {
      if (group !== auditGroup || stream !== id) return;
      delivered.push(message);
      directory.appendAudit(message);
    }),
    engine.onPublished(({ message }) => {
      answers.push(answer(message));
    }),
  ];
  try {
    engine.cloud.ssm.attach({ ...node.managed, tags: { [clusterTag]: cluster, ...node.managed.tags } });
    for (const { publicKeyPem } of engine.cloud.keys) directory.writePublicKey(publicKeyPem);
    const alarm = {
      source: 'by-hand',
      id,
      at: new Date().toISOString(),
      cluster,
      instanceId: node.managed.instanceId,
      reason: 'started with npm start',
      requestedBy: person,
    } satisfies Alarm;
    const execution = await engine.execute({
      name: id,
      input: alarm,
      signal,
      onEvent(event) {
        const { type, state } = event;
        if (type === 'StateEntered' && state !== undefined) {
          const phase = phaseOf(state.name);
          if (clock.phase !== phase) clock.enter(phase);
          if (state.name === props.stopAt) stop.abort();
        }
        if (type === 'StateExited' && state?.output !== undefined) lastState = state.output;
        if (type === 'ExecutionAborted' || type === 'ExecutionFailed' || type === 'ExecutionTimedOut') {
          clock.enter('janitor');
        }
        props.onEvent?.(event);
      },
    });
    clock.enter(undefined);
    ended.abort();
    await Promise.all(answers);
    const auditLines = inOrder(delivered);
    directory.writeAudit(auditLines);
    const record = incidentRecord({
      id,
      node,
      execution,
      lastState,
      ...(approvalProblem === undefined ? {} : { stoppedFor: approvalProblem.message }),
      auditLines,
      timings: clock.timings(),
      audit: directory.audit,
      report: directory.report,
    });
    directory.writeRecord(record, auditLines, node.provenance);
    return { record, execution, auditLines, approvalProblem };
  } finally {
    ended.abort();
    for (const stopOne of stopListening) stopOne();
    engine.cloud.ssm.detach(node.managed.instanceId);
  }
}

/** The promise, or a rejection as soon as the signal fires: whoever is asked may never answer. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([promise, aborted]);
}
