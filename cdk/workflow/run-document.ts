import {
  Choice,
  Condition,
  type IChainable,
  type State,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { MedicFunction } from '../constructs/medic-function.ts';
import { Phase } from './phase.ts';

export interface RunDocumentProps {
  /** Names the states: Send{purpose}, {purpose}Running?, WaitFor{purpose}, Poll{purpose}. */
  readonly purpose: string;
  readonly send: MedicFunction;
  readonly poll: MedicFunction;
}

/** Sends one SSM document to the node and waits until the command is over, one way or the other. */
export class RunDocument extends Phase {
  readonly startState: State;
  private readonly running: Choice;

  constructor(scope: Construct, id: string, { purpose, send, poll }: RunDocumentProps) {
    super(scope, id);
    const sendTask = this.task(`Send${purpose}`, send);
    const pollTask = this.task(`Poll${purpose}`, poll);
    // Step Functions has no "run and wait" for SSM commands, and the service's status events are best effort: so we look.
    const wait = new Wait(this, `WaitFor${purpose}`, { time: WaitTime.secondsPath('$.command.waitSeconds') });
    this.running = new Choice(this, `${purpose}Running?`).when(
      Condition.stringEquals('$.command.status', 'running'),
      wait.next(pollTask),
    );
    sendTask.next(this.running);
    pollTask.next(this.running);
    this.tasks.push(sendTask, pollTask);
    this.startState = sendTask;
  }

  /** @param instead where it goes to first, once the command is over, if that holds */
  exits({ over, instead }: { over: IChainable; instead?: { when: Condition; to: IChainable } }): void {
    if (instead !== undefined) this.running.when(instead.when, instead.to);
    this.running.otherwise(over);
  }
}
