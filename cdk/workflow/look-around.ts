import type { IChainable, TaskStateBase } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { MedicFunction } from '../constructs/medic-function.ts';
import { Phase } from './phase.ts';

export interface LookAroundProps {
  /** Names the state. */
  readonly name: string;
  readonly ask: MedicFunction;
}

/** Asks for what is known around the node. It goes on however that ends: even when its function breaks, that is a gap. */
export class LookAround extends Phase {
  readonly startState: TaskStateBase;

  constructor(scope: Construct, id: string, { name, ask }: LookAroundProps) {
    super(scope, id);
    this.startState = this.task(name, ask);
  }

  exits({ over }: { over: IChainable }): void {
    this.startState.addCatch(over, { errors: ['States.ALL'], resultPath: '$.aroundError' });
    this.startState.next(over);
  }
}
