import { Duration } from 'aws-cdk-lib';
import {
  type IChainable,
  type INextable,
  JitterType,
  StateMachineFragment,
  type TaskStateBase,
  Timeout,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke, type LambdaInvokeProps } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { MedicFunction } from '../constructs/medic-function.ts';
import type { MachineFunctionName } from '../function-names.ts';

/** The functions behind the states. */
export type MachineFunctions = Readonly<Record<MachineFunctionName, MedicFunction>>;

/** A phase that needs functions, and nothing else. */
export interface PhaseProps {
  readonly functions: MachineFunctions;
}

/**
 * One phase of an incident. A phase is left through its Choice states only, and every subclass has a method `exits`
 * that says where each way out leads; so `endStates` is empty and `next()` is of no use here.
 */
export abstract class Phase extends StateMachineFragment {
  readonly endStates: INextable[] = [];
  /** The tasks whose errors `catchTo` redirects. */
  readonly tasks: TaskStateBase[] = [];

  /** Sends every error of this phase's tasks to `handler`, with the error at `$.error`. */
  catchTo(handler: IChainable): void {
    for (const task of this.tasks) {
      task.addCatch(handler, { errors: ['States.ALL'], resultPath: '$.error' });
    }
  }

  /** A state that gives the whole incident to a function and goes on with what it returns. */
  protected task(
    name: string,
    lambdaFunction: MedicFunction,
    props: Partial<LambdaInvokeProps> = {},
  ): LambdaInvoke {
    const task = new LambdaInvoke(this, name, {
      payloadResponseOnly: true,
      // The function's own timeout comes first: its message says more than the state's.
      taskTimeout: Timeout.duration(lambdaFunction.timeout.plus(Duration.seconds(10))),
      ...props,
      lambdaFunction,
      // The retry of the library has no jitter, and a burst of alarms would retry in step.
      retryOnServiceExceptions: false,
    });
    task.addRetry({
      errors: [
        'Lambda.ClientExecutionTimeoutException',
        'Lambda.ServiceException',
        'Lambda.AWSLambdaException',
        'Lambda.SdkClientException',
        'Lambda.TooManyRequestsException',
      ],
      interval: Duration.seconds(2),
      maxAttempts: 6,
      backoffRate: 2,
      maxDelay: Duration.seconds(30),
      jitterStrategy: JitterType.FULL,
    });
    return task;
  }
}
