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
import { RunDocument } from './run-document.ts';

/** Watches the node after a treatment: waits, looks, and judges, until the window is over. */
export class Verify extends Phase {
  readonly startState: State;
  private readonly verdict: Choice;

  constructor(scope: Construct, id: string, { functions }: PhaseProps) {
    super(scope, id);
    const wait = new Wait(this, 'WaitForSample', {
      time: WaitTime.secondsPath('$.verification.waitSeconds'),
    });
    const look = new RunDocument(this, 'Look', {
      purpose: 'Verify',
      send: functions['send-evidence'],
      poll: functions['poll-command'],
    });
    const verify = this.task('Verify', functions.verify);
    this.verdict = new Choice(this, 'Verdict?').when(
      Condition.stringEquals('$.verification.verdict', 'looking'),
      wait,
    );
    wait.next(look);
    look.exits({ over: verify });
    verify.next(this.verdict);
    this.tasks.push(...look.tasks, verify);
    this.startState = wait;
  }

  /** `otherwise` takes every verdict that is no improvement, and any that this machine does not know. */
  exits(to: { cured: IChainable; relieved: IChainable; otherwise: IChainable }): void {
    this.verdict
      .when(Condition.stringEquals('$.verification.verdict', 'cured'), to.cured)
      .when(Condition.stringEquals('$.verification.verdict', 'relieved'), to.relieved)
      .otherwise(to.otherwise);
  }
}
