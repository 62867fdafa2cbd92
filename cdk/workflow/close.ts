import { Choice, Condition, Fail, type State, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { Phase, type PhaseProps } from './phase.ts';

/** Ordinary ends, one state each, so that the list of executions reads as a list of outcomes. */
const endStates = {
  cured: 'Cured',
  relieved: 'Relieved',
  unresolved: 'Unresolved',
  observed: 'Observed',
  refused: 'Refused',
  denied: 'Denied',
  expired: 'Expired',
  void: 'Void',
};

/** Releases the lease, writes and signs the last audit entry, tells people, and ends the execution. */
export class Close extends Phase {
  readonly startState: State;

  constructor(scope: Construct, id: string, { functions }: PhaseProps) {
    super(scope, id);
    const close = this.task('Close', functions.close);
    // The janitor releases what Close could not.
    close.addCatch(
      new Fail(this, 'CloseFailed', {
        error: 'CloseFailed',
        cause:
          'The incident could not be closed: see $.error of this state and the log of the function "close".',
      }),
      { errors: ['States.ALL'], resultPath: '$.error' },
    );
    const outcome = new Choice(this, 'Outcome?');
    for (const [value, name] of Object.entries(endStates)) {
      outcome.when(Condition.stringEquals('$.outcome', value), new Succeed(this, name));
    }
    outcome.otherwise(
      new Fail(this, 'Failed', {
        error: 'IncidentFailed',
        cause:
          'Something broke on the way. The incident was closed, and $.outcomeReason of this state says why.',
      }),
    );
    close.next(outcome);
    this.startState = close;
  }
}
