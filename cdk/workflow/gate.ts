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
 * Asks every gate whether this rung may go ahead; waits and asks again while a gate says so. How often and how long in all, the
 * function bounds (`lambdas/domain/gates/waiting.ts`), and the machine by its own timeout.
 */
export class Gate extends Phase {
  readonly startState: State;
  private readonly gateOpen: Choice;

  constructor(scope: Construct, id: string, { functions }: PhaseProps) {
    super(scope, id);
    const gate = this.task('Gate', functions.gate);
    const wait = new Wait(this, 'WaitAtGate', { time: WaitTime.secondsPath('$.gate.waitSeconds') });
    this.gateOpen = new Choice(this, 'GateOpen?').when(
      Condition.stringEquals('$.gate.decision', 'wait'),
      wait.next(gate),
    );
    gate.next(this.gateOpen);
    this.tasks.push(gate);
    this.startState = gate;
  }

  /**
   * `lookAgain`: it has waited, and what is known of the node is old. `otherwise` takes refusals and observe mode, and any
   * decision that this machine does not know.
   */
  exits(to: {
    lookAgain: IChainable;
    pass: IChainable;
    ask: IChainable;
    skip: IChainable;
    otherwise: IChainable;
  }): void {
    const lookAgain = Condition.and(
      Condition.isPresent('$.waiting.lookAgain'),
      Condition.booleanEquals('$.waiting.lookAgain', true),
    );
    this.gateOpen
      .when(lookAgain, to.lookAgain)
      .when(Condition.stringEquals('$.gate.decision', 'pass'), to.pass)
      .when(Condition.stringEquals('$.gate.decision', 'ask'), to.ask)
      .when(Condition.stringEquals('$.gate.decision', 'skip'), to.skip)
      .otherwise(to.otherwise);
  }
}
