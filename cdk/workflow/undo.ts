import { Duration } from 'aws-cdk-lib';
import { Choice, Condition, type IChainable, JitterType, type State } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { Phase, type PhaseProps } from './phase.ts';
import { RunDocument } from './run-document.ts';

/**
 * Runs the inverse of what was done, where there is one and it is needed. Errors of all other phases lead here, so that
 * nothing broken leaves a node half treated.
 */
export class Undo extends Phase {
  readonly startState: State;
  private readonly undone: Choice;

  constructor(scope: Construct, id: string, { functions }: PhaseProps) {
    super(scope, id);
    const inverse = new RunDocument(this, 'Inverse', {
      purpose: 'Undo',
      send: functions['send-undo'],
      poll: functions['poll-command'],
    });
    const record = this.task('RecordUndo', functions['record-undo']);
    this.undone = new Choice(this, 'Undone?');
    inverse.exits({ over: record });
    record.next(this.undone);
    this.tasks.push(...inverse.tasks, record);
    for (const task of this.tasks) {
      // An undo may be repeated, and giving it up at the first throttle would leave the node changed.
      task.addRetry({
        errors: ['States.TaskFailed'],
        interval: Duration.seconds(5),
        maxAttempts: 2,
        backoffRate: 3,
        jitterStrategy: JitterType.FULL,
      });
    }
    this.startState = inverse.startState;
  }

  /** `broken`: an error brought us here, or the undo itself failed; no further rung is tried then. */
  exits(to: { broken: IChainable; otherwise: IChainable }): void {
    this.undone
      .when(Condition.isPresent('$.error'), to.broken)
      .when(Condition.stringEquals('$.undo.status', 'failed'), to.broken)
      .otherwise(to.otherwise);
  }
}
