import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { account, region } from './intrinsics.ts';
import type { Json } from './json.ts';
import { LogTail } from './log-tail.ts';
import { TaskError } from './task-error.ts';
import type { TemplateFunction } from './template.ts';

/** Lambda takes no larger event or answer. */
const largestPayload = 6 * 1024 * 1024;

export interface LambdaRuntimeProps {
  readonly functions: readonly TemplateFunction[];
  /** Where the SDK in the functions finds its services. */
  readonly endpoint: string;
  /** Gets what the functions print, and a line at the start and the end of each invocation. */
  readonly logFile: string;
  /** Directory in which compiled bundles are kept between runs. @default - none */
  readonly compileCache?: string;
  /** Variables that a function has besides its own: where on this machine something stands that is elsewhere in an account. */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Whether the functions are told that they run on one machine, where who is logged in may decide and there is no console of AWS.
   *
   * @default true
   */
  readonly oneMachine?: boolean;
  /**
   * Events that are served at the same time; others wait, for a machine can do little at once. An event of a function for another
   * one does not count, or the two would wait for each other. @default - as many as there are, as Lambda does it
   */
  readonly mostAtOnce?: number;
  /** Gets every event that has been served. @default - nobody does */
  onServed?(served: Served): void;
  /** Gets every line that a function has printed, before its answer is given. @default - nobody does */
  onLine?(line: string): void;
}

/** One event that a function has served, and the access key that its calls were signed with; a wait for its turn is no part of it. */
export type Served = { name: string; accessKey: string; startedAt: number; endedAt: number };

type FunctionError = { errorType: string; errorMessage: string; trace: string[] };
type Answer = { requestId: string; result?: string; error?: FunctionError };

/** Raised for the name or ARN of a function that the template does not have. */
export class UnknownFunctionError extends Error {
  override readonly name = 'UnknownFunctionError';
}

/**
 * Runs the functions of a template, each in processes of its own with nothing but its own environment. A process that
 * is free serves the next event of its function, as a warm Lambda does.
 */
export class LambdaRuntime {
  readonly #props: LambdaRuntimeProps;
  readonly #log: number;
  readonly #tail: LogTail;
  readonly #free = new Map<string, ChildProcess[]>();
  readonly #all = new Set<ChildProcess>();
  readonly #waiting: (() => void)[] = [];
  #serving = 0;
  #started = 0;
  readonly #byAccessKey = new Map<string, ChildProcess>();
  readonly #accessKeys = new Map<ChildProcess, string>();
  #closed = false;

  constructor(props: LambdaRuntimeProps) {
    this.#props = props;
    this.#log = openSync(props.logFile, 'a+');
    this.#tail = new LogTail(this.#log);
  }

  /**
   * Invokes a function and waits for its answer.
   *
   * @param nested whether a function is who calls it
   * @throws TaskError with the error of the function: its name is the error's type, its message what Lambda answers
   */
  async invoke(nameOrArn: string, event: Json, { nested = false } = {}): Promise<Json> {
    const { mostAtOnce = Number.POSITIVE_INFINITY } = this.#props;
    if (nested) return this.#invoke(nameOrArn, event);
    if (this.#serving >= mostAtOnce) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#serving += 1;
    try {
      return await this.#invoke(nameOrArn, event);
    } finally {
      // Whoever waits has the place from now on.
      const next = this.#waiting.shift();
      if (next === undefined) this.#serving -= 1;
      else next();
    }
  }

  async #invoke(nameOrArn: string, event: Json): Promise<Json> {
    const called = this.#props.functions.find(({ name, arn }) => name === nameOrArn || arn === nameOrArn);
    if (called === undefined)
      throw new UnknownFunctionError(`the template has no function "${nameOrArn}" to invoke`);
    if (this.#closed) throw new TaskError('Lambda.ServiceException', 'the local runtime has been closed');
    const text = JSON.stringify(event);
    if (Buffer.byteLength(text) > largestPayload) {
      throw new TaskError('Lambda.RequestTooLargeException', `an event has at most ${largestPayload} bytes`);
    }
    const requestId = randomUUID();
    const started = performance.now();
    this.#write('platform.start', called, { requestId });
    const answer = await this.#run(called, requestId, text);
    // A function writes to a file without a buffer, so everything that it printed is there.
    for (const line of this.#closed ? [] : this.#tail.lines()) this.#props.onLine?.(line);
    const durationMs = Math.round(performance.now() - started);
    const { error } = answer;
    this.#write('platform.report', called, {
      requestId,
      durationMs,
      ...(error === undefined ? {} : { error }),
    });
    if (error !== undefined) throw new TaskError(error.errorType, JSON.stringify(error));
    return JSON.parse(answer.result ?? 'null');
  }

  /** Ends all processes. Whatever is running is lost. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#all].map(kill));
    for (const go of this.#waiting.splice(0)) go();
    closeSync(this.#log);
  }

  /** The worker that signs its calls with an access key: each has one of its own. For tests. */
  pidOf(accessKey: string): number | undefined {
    return this.#byAccessKey.get(accessKey)?.pid;
  }

  /** Process ids of all workers, for tests. */
  get pids(): number[] {
    return [...this.#all].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  async #run(called: TemplateFunction, requestId: string, event: string): Promise<Answer> {
    const worker = this.#free.get(called.name)?.pop() ?? this.#start(called);
    const startedAt = Date.now();
    const seconds = called.timeoutSeconds;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const fail = (errorType: string, text: string): void => {
      const errorMessage = `RequestId: ${requestId} Error: ${text}`;
      resolve({ requestId, error: { errorType, errorMessage, trace: [] } });
    };
    const onMessage = (answer: Answer): void => {
      if (answer.requestId === requestId) resolve(answer);
    };
    const onExit = (code: number | null, signal: string | null): void =>
      fail('Runtime.ExitError', `Runtime exited with ${signal ?? `exit status ${code}`}`);
    const timer = setTimeout(() => {
      fail('Sandbox.Timedout', `Task timed out after ${seconds.toFixed(2)} seconds`);
      worker.kill('SIGKILL');
    }, seconds * 1000);
    worker.on('message', onMessage).once('exit', onExit);
    worker.send({
      requestId,
      event,
      deadline: Date.now() + seconds * 1000,
      context: contextOf(called, requestId),
    });
    const answer = await promise;
    clearTimeout(timer);
    worker.off('message', onMessage).off('exit', onExit);
    const accessKey = this.#accessKeys.get(worker) ?? '';
    this.#props.onServed?.({ name: called.name, accessKey, startedAt, endedAt: Date.now() });
    if (worker.connected && answer.error?.errorType !== 'Sandbox.Timedout') this.#release(called, worker);
    if (Buffer.byteLength(answer.result ?? '') > largestPayload) {
      const errorMessage = `Response payload size exceeded maximum allowed payload size (${largestPayload} bytes).`;
      return { requestId, error: { errorType: 'Function.ResponseSizeTooLarge', errorMessage, trace: [] } };
    }
    return answer;
  }

  #release(called: TemplateFunction, worker: ChildProcess): void {
    this.#free.set(called.name, [...(this.#free.get(called.name) ?? []), worker]);
  }

  #start(called: TemplateFunction): ChildProcess {
    const { compileCache, endpoint, environment, oneMachine = true } = this.#props;
    this.#started += 1;
    const accessKey = `LOCALONLY${this.#started}`;
    const worker = fork(
      join(import.meta.dirname, 'lambda-worker.mjs'),
      compileCache === undefined ? [] : [compileCache],
      {
        cwd: called.directory,
        env: {
          ...environmentOf(called, endpoint, accessKey),
          ...(oneMachine ? { ONE_MACHINE: 'yes' } : {}),
          ...environment,
        },
        // Not the flags of this process: a test runner's would change what the bundle sees.
        execArgv: [],
        stdio: ['ignore', this.#log, this.#log, 'ipc'],
      },
    );
    this.#all.add(worker);
    this.#byAccessKey.set(accessKey, worker);
    this.#accessKeys.set(worker, accessKey);
    // A channel that breaks shows as the end of the process, which is handled where it is waited for.
    worker.on('error', () => {});
    worker.once('exit', () => {
      this.#all.delete(worker);
      this.#byAccessKey.delete(accessKey);
      this.#free.set(
        called.name,
        (this.#free.get(called.name) ?? []).filter((free) => free !== worker),
      );
    });
    return worker;
  }

  #write(type: string, called: TemplateFunction, record: Record<string, unknown>): void {
    if (this.#closed) return;
    const time = new Date().toISOString();
    writeSync(
      this.#log,
      `${JSON.stringify({ time, type, record: { functionName: called.name, ...record } })}\n`,
    );
  }
}

/** The environment of a function in AWS: its own variables and those of the runtime, and nothing of this machine. */
function environmentOf(
  called: TemplateFunction,
  endpoint: string,
  accessKey: string,
): Record<string, string> {
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    // Never valid anywhere: the only thing that answers is the local cloud.
    AWS_ACCESS_KEY_ID: accessKey,
    AWS_SECRET_ACCESS_KEY: 'local-only',
    AWS_SESSION_TOKEN: 'local-only',
    AWS_ENDPOINT_URL: endpoint,
    // The user's own profiles must not reach the functions.
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: called.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(called.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: called.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    LAMBDA_TASK_ROOT: called.directory,
    _HANDLER: called.handler,
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    ...called.environment,
  };
}

function contextOf(called: TemplateFunction, requestId: string): Record<string, string> {
  return {
    functionName: called.name,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:${region}:${account}:function:${called.name}`,
    memoryLimitInMB: String(called.memoryMb),
    awsRequestId: requestId,
    logGroupName: called.logGroup,
    logStreamName: 'local',
  };
}

function kill(worker: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (worker.exitCode !== null || worker.signalCode !== null) return resolve();
    worker.once('exit', () => resolve());
    worker.kill('SIGKILL');
  });
}
