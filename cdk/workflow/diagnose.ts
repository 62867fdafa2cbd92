import { Choice, Condition, type IChainable, type State } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { Phase, type PhaseProps } from './phase.ts';

/** Evidence to diagnosis, diagnosis to ladder. */
export class Diagnose extends Phase {
  readonly startState: State;
  private readonly anythingToDo: Choice;

  constructor(scope: Construct, id: string, { functions }: PhaseProps) {
    super(scope, id);
    const diagnose = this.task('Diagnose', functions.diagnose);
    const plan = this.task('Plan', functions.plan);
    this.anythingToDo = new Choice(this, 'AnythingToDo?');
    diagnose.next(plan).next(this.anythingToDo);
    this.tasks.push(diagnose, plan);
    this.startState = diagnose;
  }

  exits({ rung, otherwise }: { rung: IChainable; otherwise: IChainable }): void {
    this.anythingToDo.when(Condition.stringEquals('$.ladder.status', 'rung'), rung).otherwise(otherwise);
  }
}
