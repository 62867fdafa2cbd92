import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Settings } from '../../lambdas/domain/settings.ts';
import { type FunctionName, functionNames } from '../function-names.ts';
import { MedicFunction } from './medic-function.ts';

export interface MedicFunctionsProps {
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string>>;
}

const descriptions: Readonly<Record<FunctionName, string>> = {
  open: 'Turns an alarm into an incident and takes the lease of the node',
  'send-evidence': 'Sends the document that collects evidence to the node',
  'poll-command': 'Asks how a command on the node is doing',
  'examine-around':
    'Asks for what is known around the node: metrics, API server, and the console of one that does not answer',
  diagnose: 'Reads the evidence and ranks the causes',
  plan: 'Turns the diagnosis into a ladder of treatments',
  gate: 'Asks every gate whether the next treatment may go ahead',
  'request-approval': 'Asks people to approve a treatment',
  'settle-approval': 'Reads the decision from the approval record, however the wait for it ended',
  recheck: 'Asks the gates again and compares the node with what was approved',
  'hold-node': 'Keeps new pods off a node for a treatment, and lets go of it once the node has settled',
  'send-treatment': 'Sends the document of a treatment to the node',
  'record-treatment': 'Reads what the treatment did',
  'replace-step': 'Makes the next act of the replacement of a node',
  'begin-standing': 'Writes down that the census is to repeat a treatment on a group of nodes',
  notify: 'Tells people about the node, with the evidence',
  verify: 'Judges whether the treatment helped',
  'send-undo': 'Sends the inverse of a treatment to the node, where there is one',
  'record-undo': 'Reads what the undo did',
  'next-rung': 'Steps to the next treatment of the ladder',
  close: 'Releases the lease, signs the audit trail and tells people the outcome',
  decide: 'Takes the decision of a person on an approval',
  janitor: 'Tidies up after an execution that was stopped, timed out or failed',
};

/** The janitor sends the undo and waits for it, all in one go; an uncordon is tried three times. */
const timeouts: Partial<Record<FunctionName, Duration>> = {
  // It may have a cordon to take back, in three tries.
  close: Duration.minutes(2),
  janitor: Duration.minutes(5),
  'send-undo': Duration.minutes(2),
  'replace-step': Duration.minutes(1),
  'hold-node': Duration.minutes(2),
};

/** All functions, with the same environment and settings; what each may do is granted by the owners of the resources. */
export class MedicFunctions extends Construct {
  readonly byName: Readonly<Record<FunctionName, MedicFunction>>;

  constructor(scope: Construct, id: string, { settings, environment }: MedicFunctionsProps) {
    super(scope, id);
    const entries = functionNames.map((name) => {
      const timeout = timeouts[name];
      const lambdaFunction = new MedicFunction(this, name, {
        name,
        description: descriptions[name],
        settings,
        environment,
        ...(timeout === undefined ? {} : { timeout }),
      });
      return [name, lambdaFunction] as const;
    });
    this.byName = Object.fromEntries(entries) as Record<FunctionName, MedicFunction>;
  }
}
