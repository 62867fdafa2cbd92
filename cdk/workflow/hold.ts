import {
  Choice,
  Condition,
  type IChainable,
  type State,
  type TaskStateBase,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { Phase, type PhaseProps } from './phase.ts';

/**
 * Keeps new pods off the node before a treatment, and after it looks at the node until it has settled, and lets go of it. When that
 * is, the function says (`lambdas/domain/replacement/hold.ts`).
 */
export class Hold extends Phase {
  readonly startState: State;
  /** Where to go on after the treatment. */
  readonly settle: TaskStateBase;
  private readonly held: Choice;
  private readonly settled: Choice;

  constructor(scope: Construct, id: string, { functions }: PhaseProps) {
    super(scope, id);
    const hold = this.task('HoldNode', functions['hold-node']);
    this.held = new Choice(this, 'Held?');
    hold.next(this.held);
    const settle = this.task('SettleNode', functions['hold-node']);
    const wait = new Wait(this, 'WaitForSettling', { time: WaitTime.secondsPath('$.hold.waitSeconds') });
    this.settled = new Choice(this, 'Settled?').when(
      Condition.stringEquals('$.hold.at', 'settling'),
      wait.next(settle),
    );
    settle.next(this.settled);
    this.tasks.push(hold, settle);
    this.settle = settle;
    this.startState = hold;
  }

  /** `held`: only where there is a document to run. A rung that only cordons is over with that. */
  exits(to: { held: IChainable; over: IChainable }): void {
    const runs = Condition.and(
      Condition.stringEquals('$.hold.at', 'held'),
      Condition.stringEquals('$.rung.kind', 'document'),
    );
    this.held.when(runs, to.held).otherwise(to.over);
    this.settled.otherwise(to.over);
  }
}
