import type { ExecutionOutcome, ExecutionRequest } from './engine.ts';
import type { Json } from './json.ts';

/** An execution that a function has started. */
export type StartedExecution = {
  name: string;
  input: Json;
  startedAt: Date;
  /** Resolves when it has ended, and the rules that its end sets off are done. */
  ended: Promise<ExecutionOutcome>;
};

type Running = StartedExecution & { text: string; running: boolean; abort: AbortController };

/** Why Step Functions does not start an execution: the name of its error. */
export type StartRefusal = 'ExecutionAlreadyExists' | 'InvalidName' | 'InvalidExecutionInput';

/** Executions that run beside whoever has started them, by name. A name is never given twice: none of these lives for 90 days. */
export class Executions {
  readonly #execute: (request: ExecutionRequest) => Promise<ExecutionOutcome>;
  readonly #byName = new Map<string, Running>();

  constructor(execute: (request: ExecutionRequest) => Promise<ExecutionOutcome>) {
    this.#execute = execute;
  }

  /** As StartExecution does: the same name with the same input, while it runs, is the same execution. */
  start(name: string, text: string): StartedExecution | StartRefusal {
    // Step Functions takes more; without these, its logs are not kept.
    if (!/^[A-Za-z0-9_-]{1,80}$/.test(name)) return 'InvalidName';
    const existing = this.#byName.get(name);
    if (existing !== undefined) {
      return existing.running && existing.text === text ? existing : 'ExecutionAlreadyExists';
    }
    let input: Json;
    try {
      input = JSON.parse(text);
    } catch {
      return 'InvalidExecutionInput';
    }
    const abort = new AbortController();
    const ended = this.#execute({ name, input, signal: abort.signal });
    const started: Running = { name, input, text, startedAt: new Date(), ended, running: true, abort };
    this.#byName.set(name, started);
    const over = (): void => {
      started.running = false;
    };
    ended.then(over, over);
    return started;
  }

  all(): StartedExecution[] {
    return [...this.#byName.values()];
  }

  /** Stops those that run, and waits until they have. */
  async close(): Promise<void> {
    for (const { abort } of this.#byName.values()) abort.abort();
    await Promise.allSettled(this.all().map(({ ended }) => ended));
  }
}
