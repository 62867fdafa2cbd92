import {
  Choice,
  Condition,
  type IChainable,
  type State,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { Phase, type PhaseProps } from './phase.ts';

/**
 * Has the node replaced: one act at a time, with a wait between. Where the next one is, and when all is over, the function says
 * (`lambdas/domain/replacement/course.ts`); each deadline is in there, and the machine has its own timeout.
 */
export class Replace extends Phase {
  readonly startState: State;
  private readonly ended: Choice;

  constructor(scope: Construct, id: string, { functions }: PhaseProps) {
    super(scope, id);
    const step = this.task('ReplaceStep', functions['replace-step']);
    const wait = new Wait(this, 'WaitForReplacement', {
      time: WaitTime.secondsPath('$.replacement.waitSeconds'),
    });
    wait.next(step);
    this.ended = new Choice(this, 'ReplacementOver?').otherwise(wait);
    step.next(this.ended);
    this.tasks.push(step);
    this.startState = step;
  }

  exits({ over }: { over: IChainable }): void {
    this.ended.when(Condition.stringEquals('$.replacement.at', 'over'), over);
  }
}
