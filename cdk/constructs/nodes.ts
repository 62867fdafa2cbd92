import { ArnFormat, Stack, Validations } from 'aws-cdk-lib';
import { Grant } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { MedicFunction } from './medic-function.ts';

export interface NodesProps {
  /** EKS clusters whose nodes they are. */
  readonly clusters: readonly string[];
}

/** The EC2 instances that are nodes. They are not ours; there is only what we may learn of them. */
export class Nodes extends Construct {
  private readonly clusters: readonly string[];

  constructor(scope: Construct, id: string, { clusters }: NodesProps) {
    super(scope, id);
    this.clusters = clusters;
  }

  /** Lets a function read the tags of instances: by them it knows to which cluster a node belongs. */
  grantReadTags(grantee: MedicFunction): void {
    Grant.addToPrincipal({ grantee, actions: ['ec2:DescribeTags'], resourceArns: ['*'] });
    Validations.of(grantee.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ec2:DescribeTags knows no resource type (Service Authorization Reference, Amazon EC2).',
    });
  }

  /** Lets a function ask under which name EC2 knows an instance, and of which image it was made. */
  grantReadNames(grantee: MedicFunction): void {
    Grant.addToPrincipal({ grantee, actions: ['ec2:DescribeInstances'], resourceArns: ['*'] });
    Validations.of(grantee.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ec2:DescribeInstances knows no resource type (Service Authorization Reference, Amazon EC2).',
    });
  }

  /** Lets a function read the console of the nodes of the configured clusters. */
  grantReadConsole(grantee: MedicFunction): void {
    const instances = Stack.of(this).formatArn({
      service: 'ec2',
      resource: 'instance',
      resourceName: '*',
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
    Grant.addToPrincipal({
      grantee,
      actions: ['ec2:GetConsoleOutput'],
      resourceArns: [instances],
      conditions: { StringEquals: { 'aws:ResourceTag/eks:cluster-name': [...this.clusters] } },
    });
    Validations.of(grantee.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:instance/*]',
      reason:
        'Nodes come and go, so their ids cannot be listed. The condition on the tag eks:cluster-name keeps the right to nodes of the configured clusters.',
    });
  }
}
