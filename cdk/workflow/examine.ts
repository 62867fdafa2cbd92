import type { IChainable, State } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { LookAround } from './look-around.ts';
import { Phase, type PhaseProps } from './phase.ts';
import { RunDocument } from './run-document.ts';

/** Collects evidence on the node, and then around it: whether the node has answered decides what is asked there. */
export class Examine extends Phase {
  readonly startState: State;
  private readonly around: LookAround;

  constructor(scope: Construct, id: string, { functions }: PhaseProps) {
    super(scope, id);
    const collect = new RunDocument(this, 'Collect', {
      purpose: 'Examine',
      send: functions['send-evidence'],
      poll: functions['poll-command'],
    });
    this.around = new LookAround(this, 'Around', { name: 'ExamineAround', ask: functions['examine-around'] });
    collect.exits({ over: this.around });
    this.tasks.push(...collect.tasks);
    this.startState = collect.startState;
  }

  exits({ examined }: { examined: IChainable }): void {
    this.around.exits({ over: examined });
  }
}
