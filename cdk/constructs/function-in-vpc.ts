import { Validations } from 'aws-cdk-lib';
import { Effect, Grant, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { Settings } from '../../lambdas/domain/settings.ts';
import type { MedicFunction } from './medic-function.ts';

export type Vpc = Settings['clusters'][string]['api']['vpc'];

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

/** Puts a function into a VPC. What the service needs for that is denied to the code of the function. */
export function putIntoVpc(lambda: MedicFunction, { subnetIds, securityGroupIds }: Vpc): void {
  const resource = lambda.node.defaultChild;
  if (!(resource instanceof CfnFunction)) throw new Error('a function without a resource');
  // By the ids of the settings alone: looking the VPC up would need an account at synthesis.
  resource.vpcConfig = { subnetIds, securityGroupIds };
  const grant = Grant.addToPrincipal({
    grantee: lambda,
    actions: interfaceActions,
    resourceArns: ['*'],
  });
  // The service makes the interfaces before the function is there.
  grant.applyBefore(resource);
  // Those rights are for the service. What runs in the function must not have them.
  lambda.addToRolePolicy(
    new PolicyStatement({
      effect: Effect.DENY,
      actions: interfaceActions,
      resources: ['*'],
      // Any function of this stack that has this role: its own ARN would make a circle of policy and function.
      conditions: {
        ArnLike: {
          'lambda:SourceFunctionArn': lambda.stack.formatArn({ service: 'lambda', resource: 'function:*' }),
        },
      },
    }),
  );
  Validations.of(lambda.role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'Lambda makes, lists and removes network interfaces whose ids nobody knows before; AWSLambdaVPCAccessExecutionRole of AWS has the same actions on the same resources. A deny statement keeps the code of every function that has this role from using them.',
  });
}
