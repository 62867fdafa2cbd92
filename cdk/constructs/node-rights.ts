import { Validations } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

export interface NodeRightsProps {
  /** Names of the roles that nodes have. */
  readonly roleNames: readonly string[];
}

/**
 * What the SSM agent of a node needs to register, and to be given commands: a part of AmazonSSMManagedInstanceCore, without
 * parameters, inventory and patches. None of it knows a resource type. Service Authorization Reference: AWS Systems Manager,
 * Amazon Session Manager Message Gateway Service, Amazon Message Delivery Service.
 */
const agent = [
  'ssm:UpdateInstanceInformation',
  ...['CreateControlChannel', 'CreateDataChannel', 'OpenControlChannel', 'OpenDataChannel'].map(
    (action) => `ssmmessages:${action}`,
  ),
  ...['AcknowledgeMessage', 'DeleteMessage', 'FailMessage', 'GetEndpoint', 'GetMessages', 'SendReply'].map(
    (action) => `ec2messages:${action}`,
  ),
];

/** Gives roles of nodes the right to talk to SSM, where they have not got it. The roles themselves are not ours. */
export class NodeRights extends Construct {
  constructor(scope: Construct, id: string, { roleNames }: NodeRightsProps) {
    super(scope, id);
    const policy = new ManagedPolicy(this, 'Policy', {
      description: 'What the SSM agent of a node needs for cgroup-medic to reach it',
      statements: [new PolicyStatement({ actions: agent, resources: ['*'] })],
      roles: roleNames.map((name) => Role.fromRoleName(this, name, name)),
    });
    Validations.of(policy).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'The actions of the SSM agent know no resource type (Service Authorization Reference; AmazonSSMManagedInstanceCore has them so).',
    });
  }
}
