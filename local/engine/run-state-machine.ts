import { randomUUID } from 'node:crypto';
import {
  ExecutionAbortedError,
  ExecutionError,
  ExecutionTimeoutError,
  StateMachine,
} from 'aws-local-stepfunctions';
import { checkDefinition, waitForTaskToken } from './check-definition.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { DataLimitError, ExecutionOverError, TaskError } from './task-error.ts';

/** Step Functions takes no larger input or output of a state. */
const largestPayload = 256 * 1024;

/** Something that happened in an execution; `state` is absent for what concerns the execution as a whole. */
export type ExecutionEvent = {
  type:
    | 'ExecutionStarted'
    | 'ExecutionSucceeded'
    | 'ExecutionFailed'
    | 'ExecutionAborted'
    | 'ExecutionTimedOut'
    | 'StateEntered'
    | 'StateExited'
    | 'StateFailed'
    | 'StateRetried'
    | 'StateCaught';
  at: Date;
  state?: { name: string; type: string; input: Json; output?: Json };
  error?: string;
  cause?: string;
};

/** One line of an execution's history: an event without the data of its state. */
export type HistoryEntry = Omit<ExecutionEvent, 'state'> & { state?: string };

export type ExecutionResult = {
  status: 'SUCCEEDED' | 'FAILED' | 'ABORTED' | 'TIMED_OUT';
  executionArn: string;
  startedAt: Date;
  stoppedAt: Date;
  output?: Json;
  error?: string;
  cause?: string;
  history: HistoryEntry[];
};

export interface ExecutionProps {
  /** The Amazon States Language, with ARNs in it; never edited. */
  readonly definition: JsonObject;
  /** Name of the execution. */
  readonly name: string;
  readonly input: Json;
  /** @default - a made-up one in account 000000000000 */
  readonly stateMachineArn?: string;
  /**
   * A function that waits for its turn on this machine is not timed out by its state; its own timeout, which counts from when it has
   * its turn, comes first in AWS as well. @default false
   */
  readonly patient?: boolean;
  /** Runs a function. Rejects with a TaskError for an error of the function. `signal` fires when the execution has ended. */
  invokeFunction(arn: string, payload: Json, signal: AbortSignal): Promise<Json>;
  /** Resolves with the output that somebody sends for this token. `signal` fires when nobody waits for it any more. */
  waitForToken(token: string, signal: AbortSignal): Promise<Json>;
  onEvent?(event: ExecutionEvent): void;
  /** Stops the execution from outside, as StopExecution does. */
  readonly signal?: AbortSignal;
}

/**
 * Runs one execution of a state machine to its end. The only place that knows the interpreter.
 *
 * After a stop or a timeout of the whole execution no further state starts; a function that runs already may finish.
 *
 * @throws UnsupportedDefinitionError for a state machine that would not behave here as in AWS
 */
export async function runStateMachine(props: ExecutionProps): Promise<ExecutionResult> {
  checkDefinition(props.definition);
  const stateMachineArn = props.stateMachineArn ?? 'arn:aws:states:us-east-1:000000000000:stateMachine:local';
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${props.name}`;
  const ended = new AbortController();
  const task = new TaskToken();
  const waits = new Map<string, AbortController>();
  const machine = new StateMachine(forInterpreter(props.definition, props.patient ?? false) as never);
  const startedAt = new Date();
  const run = machine.run(props.input as never, {
    context: {
      Execution: { Id: executionArn, Name: props.name },
      StateMachine: { Id: stateMachineArn, Name: stateMachineArn.split(':').at(-1) },
      Task: task.context,
    },
    overrides: {
      taskResourceLocalHandlers: handlersOf(props, { ended: ended.signal, task, waits }) as never,
    },
  });

  const stop = (): void => {
    // First, so that nothing starts in between.
    ended.abort();
    run.abort();
  };
  if (props.signal?.aborted) stop();
  props.signal?.addEventListener('abort', stop, { once: true });

  const history: HistoryEntry[] = [];
  const followed = follow(run.eventLogs as AsyncIterable<InterpreterEvent>, (event) => {
    const { state, ...rest } = event;
    history.push(state === undefined ? rest : { ...rest, state: state.name });
    // However a task ends (answered, failed, timed out), nobody waits for its token any more.
    if (event.type === 'StateExited' || event.type === 'StateFailed') waits.get(state?.name ?? '')?.abort();
    props.onEvent?.(event);
  });
  // What onEvent throws is thrown below, once the execution is over.
  followed.catch(() => {});
  try {
    const ending = await endingOf(run.result as Promise<Json>);
    ended.abort();
    await followed;
    return { ...ending, executionArn, startedAt, stoppedAt: new Date(), history };
  } finally {
    ended.abort();
    props.signal?.removeEventListener('abort', stop);
  }
}

/** What `$$.Task.Token` reads: the same token until a task has taken it, then a fresh one. */
class TaskToken {
  #next = newToken();
  /** The path is resolved on own properties only, so the getter cannot stand in a class. */
  readonly context: { readonly Token: string };

  constructor() {
    const token = (): string => this.#next;
    this.context = {
      get Token() {
        return token();
      },
    };
  }

  take(): string {
    const token = this.#next;
    this.#next = newToken();
    return token;
  }
}

function newToken(): string {
  return Buffer.from(`${randomUUID()}${randomUUID()}`).toString('base64');
}

/** Longer than any storm on this machine takes. */
const patientSeconds = 86_400;

type Handler = (input: Json) => Promise<Json>;
type Running = { ended: AbortSignal; task: TaskToken; waits: Map<string, AbortController> };

function handlersOf(props: ExecutionProps, running: Running): Record<string, Handler> {
  const states = isJsonObject(props.definition.States) ? props.definition.States : {};
  const handlers: Record<string, Handler> = {};
  for (const [name, state] of Object.entries(states)) {
    if (!isJsonObject(state) || state.Type !== 'Task') continue;
    const resource = String(state.Resource);
    const handle: Handler = resource.endsWith(waitForTaskToken)
      ? (input) => invokeAndWait(props, running, name, input)
      : (input) => props.invokeFunction(resource, input, running.ended);
    handlers[name] = async (given) => {
      const input = hasWrappedParameters(state) && isJsonObject(given) ? (given.Parameters ?? null) : given;
      limit(`the input of ${name}`, input);
      const output = await untilOver(running.ended, () => handle(input));
      limit(`the output of ${name}`, output);
      return output;
    };
  }
  return handlers;
}

/**
 * A copy for the interpreter, whose validator writes to what it is given. The interpreter looks TimeoutSecondsPath up in
 * what Parameters made of the input; the states language, and AWS, in the input. So the copy carries both.
 */
function forInterpreter(definition: JsonObject, patient: boolean): JsonObject {
  const copy = structuredClone(definition);
  for (const state of Object.values(isJsonObject(copy.States) ? copy.States : {})) {
    if (patient && isJsonObject(state) && state.Type === 'Task' && state.TimeoutSeconds !== undefined) {
      state.TimeoutSeconds = patientSeconds;
    }
    if (!isJsonObject(state) || !hasWrappedParameters(state)) continue;
    state.Parameters = {
      Parameters: state.Parameters ?? null,
      'TimeoutSeconds.$': state.TimeoutSecondsPath ?? null,
    };
    state.TimeoutSecondsPath = '$.TimeoutSeconds';
  }
  return copy;
}

function hasWrappedParameters(state: JsonObject): boolean {
  return state.Type === 'Task' && state.Parameters !== undefined && state.TimeoutSecondsPath !== undefined;
}

/**
 * Lets go of a task when the execution is over: the interpreter would hold its timer to the end, and would retry it. What
 * was started goes on, as in AWS, and nobody waits for it.
 */
function untilOver(ended: AbortSignal, start: () => Promise<Json>): Promise<Json> {
  const { promise, reject } = Promise.withResolvers<never>();
  const over = (): void => reject(new ExecutionOverError());
  ended.addEventListener('abort', over, { once: true });
  if (ended.aborted) over();
  const running = ended.aborted ? [] : [start()];
  return Promise.race([promise, ...running]).finally(() => ended.removeEventListener('abort', over));
}

async function invokeAndWait(
  props: ExecutionProps,
  { ended, task, waits }: Running,
  state: string,
  input: Json,
): Promise<Json> {
  if (!isJsonObject(input) || typeof input.FunctionName !== 'string') {
    throw new TaskError('States.Runtime', `state "${state}" names no function to invoke`);
  }
  const token = task.take();
  const left = new AbortController();
  waits.set(state, left);
  const answer = props.waitForToken(token, AbortSignal.any([ended, left.signal]));
  // The function's result means nothing here, only its failure does; the token may come before it returns.
  const failure = new Promise<never>((_, reject) => {
    props.invokeFunction(String(input.FunctionName), input.Payload ?? {}, ended).catch(reject);
  });
  return Promise.race([answer, failure]);
}

function limit(what: string, value: Json): void {
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? '');
  if (bytes > largestPayload) {
    throw new DataLimitError(
      `${what} is ${bytes} bytes of JSON, and Step Functions takes ${largestPayload} at the most`,
    );
  }
}

async function endingOf(
  result: Promise<Json>,
): Promise<Pick<ExecutionResult, 'status' | 'output' | 'error' | 'cause'>> {
  try {
    return { status: 'SUCCEEDED', output: await result };
  } catch (error) {
    if (error instanceof ExecutionAbortedError) return { status: 'ABORTED' };
    if (error instanceof ExecutionTimeoutError) return { status: 'TIMED_OUT' };
    if (error instanceof ExecutionError && error.cause instanceof Error) {
      return { status: 'FAILED', error: error.cause.name, cause: error.cause.message };
    }
    throw error;
  }
}

type InterpreterEvent = {
  type: string;
  timestamp: number;
  state?: { name: string; type: string; input: Json; output?: Json };
  Error?: string;
  Cause?: unknown;
};

async function follow(
  events: AsyncIterable<InterpreterEvent>,
  tell: (event: ExecutionEvent) => void,
): Promise<void> {
  for await (const { type, timestamp, state, Error: error, Cause: cause } of events) {
    tell({
      type: (type === 'ExecutionTimeout' ? 'ExecutionTimedOut' : type) as ExecutionEvent['type'],
      at: new Date(timestamp),
      ...(state === undefined ? {} : { state }),
      ...(error === undefined ? {} : { error }),
      ...(cause === undefined ? {} : { cause: String(cause) }),
    });
  }
}
