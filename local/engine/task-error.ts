/** An error as a Task state sees it: `name` is what Retry and Catch compare, `message` becomes the Cause. */
export class TaskError extends Error {
  constructor(name: string, cause: string) {
    super(cause);
    this.name = name;
  }
}

/** States.DataLimitExceeded ends an execution; neither Retry nor Catch with States.ALL sees it. */
export class DataLimitError extends TaskError {
  readonly isRetryable = false;
  readonly isCatchable = false;

  constructor(cause: string) {
    super('States.DataLimitExceeded', cause);
  }
}

/** Ends a task of an execution that is over; neither Retry nor Catch sees it. */
export class ExecutionOverError extends TaskError {
  readonly isRetryable = false;
  readonly isCatchable = false;

  constructor() {
    super('ExecutionOver', 'the execution was stopped or timed out');
  }
}
