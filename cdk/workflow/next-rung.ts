import { Choice, Condition, type IChainable, type State } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { Phase, type PhaseProps } from './phase.ts';

/** Steps to the next rung of the ladder, or off its end. */
export class NextRung extends Phase {
  readonly startState: State;
  private readonly rungLeft: Choice;

  constructor(scope: Construct, id: string, { functions }: PhaseProps) {
    super(scope, id);
    const step = this.task('NextRung', functions['next-rung']);
    this.rungLeft = new Choice(this, 'RungLeft?');
    step.next(this.rungLeft);
    this.tasks.push(step);
    this.startState = step;
  }

  exits({ rung, otherwise }: { rung: IChainable; otherwise: IChainable }): void {
    this.rungLeft.when(Condition.stringEquals('$.ladder.status', 'rung'), rung).otherwise(otherwise);
  }
}
