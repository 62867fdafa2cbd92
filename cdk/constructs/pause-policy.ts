import { CfnOutput, Stack } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { ModeParameters } from './mode-parameters.ts';
import type { StateTable } from './state-table.ts';

export interface PausePolicyProps {
  readonly stateTable: StateTable;
  readonly modes: ModeParameters;
  readonly clusters: readonly string[];
}

/** What somebody needs to pause clusters by `npm run pause`, and nothing more of the state table than that. */
export class PausePolicy extends Construct {
  constructor(scope: Construct, id: string, { stateTable, modes, clusters }: PausePolicyProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const policy = new ManagedPolicy(this, 'People', {
      description: `Lets people pause what ${stack.stackName} does in its clusters: attach it to those who may`,
      statements: [
        stateTable.pauseStatement(clusters),
        // Whether there is such a cluster: a pause of one that is misspelt would stop nothing.
        new PolicyStatement({ actions: ['ssm:GetParameter'], resources: modes.parameterArns }),
        // `npm run pause` finds the table by the outputs of the stack.
        new PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [stack.stackId] }),
      ],
    });
    new CfnOutput(this, 'PolicyArn', { value: policy.managedPolicyArn }).overrideLogicalId('PausePolicyArn');
  }
}
