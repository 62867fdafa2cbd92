import type { IChainable, State } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { Phase, type PhaseProps } from './phase.ts';
import { RunDocument } from './run-document.ts';

/** Collects evidence on the node. */
export class Examine extends Phase {
  readonly startState: State;
  private readonly collect: RunDocument;

  constructor(scope: Construct, id: string, { functions }: PhaseProps) {
    super(scope, id);
    this.collect = new RunDocument(this, 'Collect', {
      purpose: 'Examine',
      send: functions['send-evidence'],
      poll: functions['poll-command'],
    });
    this.tasks.push(...this.collect.tasks);
    this.startState = this.collect.startState;
  }

  exits({ examined }: { examined: IChainable }): void {
    this.collect.exits({ over: examined });
  }
}
