import { Duration, Validations } from 'aws-cdk-lib';
import { Effect, Grant, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { Settings } from '../../lambdas/domain/settings.ts';
import { MedicFunction } from './medic-function.ts';

export interface ClusterReaderProps {
  readonly cluster: string;
  readonly settings: Settings;
  readonly vpc: Settings['clusters'][string]['api']['vpc'];
}

/**
 * What the Lambda service needs of the role of a function in a VPC, to keep its network interfaces: the list of AWS's own policy
 * AWSLambdaVPCAccessExecutionRole, which has it on all resources. The two `Describe` know no resource type, and for deleting, the
 * Lambda developer guide asks for all interfaces. Narrower sets for the others stand in no guide, and what they would keep away, the deny statement below does.
 */
const interfaceActions = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** Asks the API server and the kubelets of one cluster, from within its VPC. It may call no AWS service. */
export class ClusterReader extends MedicFunction {
  constructor(scope: Construct, id: string, { cluster, settings, vpc }: ClusterReaderProps) {
    super(scope, id, {
      name: 'ask-cluster',
      several: true,
      description: `Asks the API server and the kubelets of ${cluster} about a node, from within its VPC`,
      settings,
      environment: { NODE_OPTIONS: '--enable-source-maps' },
      timeout: Duration.seconds(20),
    });
    const resource = this.node.defaultChild;
    if (!(resource instanceof CfnFunction)) throw new Error('a function without a resource');
    // By the ids of the settings alone: looking the VPC up would need an account at synthesis.
    resource.vpcConfig = { subnetIds: vpc.subnetIds, securityGroupIds: vpc.securityGroupIds };
    const grant = Grant.addToPrincipal({ grantee: this, actions: interfaceActions, resourceArns: ['*'] });
    // The service makes the interfaces before the function is there.
    grant.applyBefore(resource);
    // Those rights are for the service. What runs in the function must not have them.
    this.addToRolePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        actions: interfaceActions,
        resources: ['*'],
        conditions: { ArnLike: { 'lambda:SourceFunctionArn': this.sourceArn() } },
      }),
    );
    Validations.of(this.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'Lambda makes, lists and removes network interfaces whose ids nobody knows before; AWSLambdaVPCAccessExecutionRole of AWS has the same actions on the same resources. A deny statement keeps the code of every function that has this role from using them.',
    });
  }

  /** Any function of this stack that has this role: its own ARN would make a circle of policy and function. */
  private sourceArn(): string {
    return this.stack.formatArn({ service: 'lambda', resource: 'function:*' });
  }
}
