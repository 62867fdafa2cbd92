import type { Json, JsonObject } from '../engine/json.ts';
import { TaskError } from '../engine/task-error.ts';
import { jsonService, type Service, ServiceError } from './wire.ts';

type Waiting = { resolve: (output: Json) => void; reject: (error: Error) => void };

/** The tokens of tasks that wait for an answer, and the calls that answer them. */
export class TaskTokens {
  readonly #waiting = new Map<string, Waiting>();
  readonly #closed = new Set<string>();

  /** Resolves with the answer to this token. After `signal`, and after an answer, the token is of no use any more. */
  wait(token: string, signal: AbortSignal): Promise<Json> {
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    this.#waiting.set(token, { resolve, reject });
    const close = (): void => {
      if (this.#waiting.delete(token)) this.#closed.add(token);
    };
    if (signal.aborted) close();
    signal.addEventListener('abort', close, { once: true });
    return promise;
  }

  take(token: string): Waiting {
    const waiting = this.#waiting.get(token);
    if (waiting !== undefined) {
      this.#waiting.delete(token);
      this.#closed.add(token);
      return waiting;
    }
    if (this.#closed.has(token)) {
      throw new ServiceError(
        'TaskTimedOut',
        'Task Timed Out: Provided task does not exist anymore: it was answered, it timed out, or its execution ended',
      );
    }
    throw new ServiceError('InvalidToken', 'Invalid Token: this token was never given to a task');
  }
}

/** Starts an execution, or says why not, with the name of the error that Step Functions has for it. */
export type StartExecution = (request: {
  stateMachineArn: string;
  name: string;
  input: string;
}) => { startedAt: Date } | string;

export function stepFunctionsService(
  tokens: TaskTokens,
  startExecution: StartExecution = () => 'StateMachineDoesNotExist',
): Service {
  return jsonService(
    { name: 'states', file: 'local/cloud/step-functions.ts' },
    {
      StartExecution({ stateMachineArn, name, input }: JsonObject) {
        const request = {
          stateMachineArn: String(stateMachineArn),
          name: String(name),
          input: String(input),
        };
        const started = startExecution(request);
        if (typeof started === 'string') throw new ServiceError(started, `${started}: ${request.name}`);
        const executionArn = `${request.stateMachineArn.replace(':stateMachine:', ':execution:')}:${request.name}`;
        return { executionArn, startDate: started.startedAt.getTime() / 1000 };
      },
      SendTaskSuccess({ taskToken, output }: JsonObject) {
        const parsed = parseOutput(String(output));
        tokens.take(String(taskToken)).resolve(parsed);
        return {};
      },
      SendTaskFailure({ taskToken, error, cause }: JsonObject) {
        const name = typeof error === 'string' ? error : 'States.TaskFailed';
        tokens.take(String(taskToken)).reject(new TaskError(name, typeof cause === 'string' ? cause : ''));
        return {};
      },
    },
  );
}

function parseOutput(output: string): Json {
  try {
    return JSON.parse(output);
  } catch {
    throw new ServiceError('InvalidOutput', 'Invalid Output: the output is not JSON');
  }
}
