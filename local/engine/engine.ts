import { type Cloud, startCloud } from '../cloud/cloud.ts';
import type { LogLine } from '../cloud/cloudwatch-logs.ts';
import { embeddedData } from '../cloud/embedded-metrics.ts';
import type { Published } from '../cloud/sns.ts';
import { type Delivery, deliver, executionStatusChange } from './events.ts';
import { Executions } from './executions.ts';
import type { Json } from './json.ts';
import { LambdaRuntime, type LambdaRuntimeProps } from './lambda-runtime.ts';
import { type ExecutionEvent, type ExecutionResult, runStateMachine } from './run-state-machine.ts';
import type { StackTemplate, TemplateStateMachine } from './template.ts';

export interface EngineProps {
  readonly stack: StackTemplate;
  /** Gets what the functions print. */
  readonly logFile: string;
  readonly compileCache?: string;
  /** Variables that every function gets besides its own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** As of the runtime. @default true */
  readonly oneMachine?: boolean;
  /** As of the runtime. */
  readonly mostAtOnce?: number;
  /** As of the runtime. */
  readonly onServed?: LambdaRuntimeProps['onServed'];
  /** Gets every event of every execution, with its name. */
  onEvent?(execution: string, event: ExecutionEvent): void;
}

export interface ExecutionRequest {
  readonly name: string;
  readonly input: Json;
  readonly signal?: AbortSignal;
  onEvent?(event: ExecutionEvent): void;
}

/** How an execution ended, and what became of the rules that its end set off. */
export type ExecutionOutcome = ExecutionResult & { deliveries: Delivery[] };

/**
 * One account on one machine: the functions, the state machine and the rules of a synthesized stack, and the cloud
 * they call. Runs any number of executions, one after the other or at the same time.
 */
export class Engine {
  readonly stack: StackTemplate;
  readonly cloud: Cloud;
  readonly functions: LambdaRuntime;
  /** Executions that functions have started. */
  readonly executions: Executions;
  readonly #listeners: Listeners;
  readonly #onEvent: EngineProps['onEvent'];
  readonly #patient: boolean;

  /** Use `startEngine`. */
  constructor(
    stack: StackTemplate,
    cloud: Cloud,
    functions: LambdaRuntime,
    listeners: Listeners,
    { onEvent, mostAtOnce }: Pick<EngineProps, 'onEvent' | 'mostAtOnce'> = {},
  ) {
    this.#patient = mostAtOnce !== undefined;
    this.#onEvent = onEvent;
    this.stack = stack;
    this.cloud = cloud;
    this.functions = functions;
    this.executions = new Executions((request) => this.execute(request));
    this.#listeners = listeners;
  }

  get stateMachine(): TemplateStateMachine {
    const [machine, ...others] = this.stack.stateMachines;
    if (machine === undefined || others.length > 0) {
      throw new Error(
        `the stack has ${this.stack.stateMachines.length} state machines; the engine runs exactly one`,
      );
    }
    return machine;
  }

  /** Runs one execution to its end, and then whatever rule its end sets off. */
  async execute({ name, input, signal, onEvent }: ExecutionRequest): Promise<ExecutionOutcome> {
    const { arn, definition } = this.stateMachine;
    const result = await runStateMachine({
      definition,
      name,
      input,
      stateMachineArn: arn,
      patient: this.#patient,
      invokeFunction: (called, payload) => this.functions.invoke(called, payload),
      waitForToken: (token, left) => this.cloud.tokens.wait(token, left),
      onEvent: (happened) => {
        this.#onEvent?.(name, happened);
        onEvent?.(happened);
      },
      ...(signal === undefined ? {} : { signal }),
    });
    const event = executionStatusChange(result, { stateMachineArn: arn, name, input });
    const deliveries = await deliver(event, {
      rules: this.stack.rules,
      invoke: (called, payload) => this.functions.invoke(called, payload),
    });
    return { ...result, deliveries };
  }

  /** Calls `listener` for every line of a log group, until the returned function is called. */
  onLogLine(listener: (line: LogLine) => void): () => void {
    return listen(this.#listeners.lines, listener);
  }

  /** Calls `listener` for every message to a topic, until the returned function is called. */
  onPublished(listener: (message: Published) => void): () => void {
    return listen(this.#listeners.messages, listener);
  }

  /** Ends every process and closes every port. */
  async close(): Promise<void> {
    await this.executions.close();
    await this.functions.close();
    await this.cloud.close();
  }
}

type Listeners = { lines: Set<(line: LogLine) => void>; messages: Set<(message: Published) => void> };

export async function startEngine({
  stack,
  logFile,
  compileCache,
  environment,
  oneMachine = true,
  mostAtOnce,
  onServed,
  onEvent,
}: EngineProps): Promise<Engine> {
  const listeners: Listeners = { lines: new Set(), messages: new Set() };
  let functions: LambdaRuntime | undefined;
  let engine: Engine | undefined;
  const cloud = await startCloud({
    stack,
    invoke: (name, payload) =>
      functions === undefined
        ? Promise.reject(new Error('the functions have not been started yet'))
        : functions.invoke(name, payload, { nested: true }),
    startExecution: ({ stateMachineArn, name, input }) =>
      engine?.stateMachine.arn === stateMachineArn
        ? engine.executions.start(name, input)
        : 'StateMachineDoesNotExist',
    onLogLine: (line) => {
      for (const listener of listeners.lines) listener(line);
    },
    onPublished: (message) => {
      for (const listener of listeners.messages) listener(message);
    },
  });
  functions = new LambdaRuntime({
    functions: stack.functions,
    endpoint: cloud.endpoint,
    logFile,
    oneMachine,
    ...(mostAtOnce === undefined ? {} : { mostAtOnce }),
    ...(onServed === undefined ? {} : { onServed }),
    ...(compileCache === undefined ? {} : { compileCache }),
    ...(environment === undefined ? {} : { environment }),
    onLine: (line) => {
      cloud.metrics.push(...embeddedData(line));
    },
  });
  engine = new Engine(stack, cloud, functions, listeners, {
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(mostAtOnce === undefined ? {} : { mostAtOnce }),
  });
  return engine;
}

function listen<T>(set: Set<T>, listener: T): () => void {
  set.add(listener);
  return () => {
    set.delete(listener);
  };
}
