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

  /** `asksOn`: the node is cured, and something is left to ask about its group. `otherwise` takes every verdict that is no improvement, and any that this machine does not know. */
  exits(to: { asksOn: IChainable; cured: IChainable; relieved: IChainable; otherwise: IChainable }): void {
    const asksOn = Condition.and(
      Condition.stringEquals('$.verification.verdict', 'cured'),
      Condition.isPresent('$.verification.asksOn'),
      Condition.booleanEquals('$.verification.asksOn', true),
    );
    this.verdict
      .when(asksOn, to.asksOn)
      .when(Condition.stringEquals('$.verification.verdict', 'cured'), to.cured)
      .when(Condition.stringEquals('$.verification.verdict', 'relieved'), to.relieved)
      .otherwise(to.otherwise);
  }
}
