import { Duration } from 'aws-cdk-lib';
import {
  Choice,
  Condition,
  Fail,
  type IChainable,
  JitterType,
  JsonPath,
  type State,
  TaskInput,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { Phase, type PhaseProps } from './phase.ts';

/** Turns the alarm into an incident and takes the node's lease. */
export class Open extends Phase {
  readonly startState: State;
  private readonly leaseTaken: Choice;

  constructor(scope: Construct, id: string, { functions }: PhaseProps) {
    super(scope, id);
    const open = this.task('Open', functions.open, {
      payload: TaskInput.fromObject({
        alarm: JsonPath.entirePayload,
        execution: {
          id: JsonPath.stringAt('$$.Execution.Id'),
          name: JsonPath.stringAt('$$.Execution.Name'),
          startedAt: JsonPath.stringAt('$$.Execution.StartTime'),
        },
      }),
    });
    // Hundreds of nodes of one cluster may alarm at once, and take their places in its chain one after the other.
    open.addRetry({
      errors: ['OpeningsBusyError'],
      interval: Duration.seconds(2),
      maxAttempts: 6,
      backoffRate: 2,
      maxDelay: Duration.seconds(30),
      jitterStrategy: JitterType.FULL,
    });
    // Nothing is open yet that undo or close could work on. The janitor sees the failed execution.
    open.addCatch(
      new Fail(this, 'OpenFailed', {
        error: 'OpenFailed',
        cause:
          'The incident could not be opened: the alarm is not valid, or the state table could not be reached.',
      }),
      { errors: ['States.ALL'], resultPath: '$.error' },
    );
    this.leaseTaken = new Choice(this, 'LeaseTaken?');
    this.startState = open;
    open.next(this.leaseTaken);
  }

  exits({ ours, otherwise }: { ours: IChainable; otherwise: IChainable }): void {
    this.leaseTaken.when(Condition.stringEquals('$.lease.status', 'ours'), ours).otherwise(otherwise);
  }
}
