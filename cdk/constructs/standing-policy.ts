import { CfnOutput, Stack } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { ModeParameters } from './mode-parameters.ts';
import type { StateTable } from './state-table.ts';

export interface StandingPolicyProps {
  readonly stateTable: StateTable;
  readonly modes: ModeParameters;
  readonly clusters: readonly string[];
}

/** What somebody needs to see and to end standing treatments by `npm run standing`. Nobody can begin or lengthen one by it. */
export class StandingPolicy extends Construct {
  constructor(scope: Construct, id: string, { stateTable, modes, clusters }: StandingPolicyProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const policy = new ManagedPolicy(this, 'People', {
      description: `Lets people see and end what ${stack.stackName} repeats on groups of nodes: attach it to those who may`,
      statements: [
        ...stateTable.standingStatements(clusters),
        // Whether there is such a cluster: one that is misspelt has none, and that would be believed.
        new PolicyStatement({ actions: ['ssm:GetParameter'], resources: modes.parameterArns }),
        // `npm run standing` finds the table by the outputs of the stack.
        new PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [stack.stackId] }),
      ],
    });
    new CfnOutput(this, 'PolicyArn', { value: policy.managedPolicyArn }).overrideLogicalId(
      'StandingPolicyArn',
    );
  }
}
