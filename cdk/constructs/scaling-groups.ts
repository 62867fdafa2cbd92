import { ArnFormat, Stack, Validations } from 'aws-cdk-lib';
import { Grant } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { MedicFunction } from './medic-function.ts';

export interface ScalingGroupsProps {
  /** EKS clusters whose nodes may be replaced. */
  readonly clusters: readonly string[];
}

/** The Auto Scaling groups that the nodes are in. They are not ours; there is only what they may be asked. */
export class ScalingGroups extends Construct {
  private readonly clusters: readonly string[];

  constructor(scope: Construct, id: string, { clusters }: ScalingGroupsProps) {
    super(scope, id);
    this.clusters = clusters;
  }

  /** Lets a function look at groups, and have those of these clusters end an instance and make another. */
  grantReplace(grantee: MedicFunction): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['autoscaling:DescribeAutoScalingGroups'],
      resourceArns: ['*'],
    });
    Validations.of(grantee.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'autoscaling:DescribeAutoScalingGroups, ec2:DescribeTags and ec2:DescribeInstances know no resource type (Service Authorization Reference).',
    });
    const groups = Stack.of(this).formatArn({
      service: 'autoscaling',
      resource: 'autoScalingGroup',
      // A UUID stands between, and then the name.
      resourceName: '*:autoScalingGroupName/*',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    Grant.addToPrincipal({
      grantee,
      actions: ['autoscaling:TerminateInstanceInAutoScalingGroup'],
      resourceArns: [groups],
      conditions: { StringEquals: { 'aws:ResourceTag/eks:cluster-name': [...this.clusters] } },
    });
    Validations.of(grantee.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:autoscaling:<AWS::Region>:<AWS::AccountId>:autoScalingGroup:*:autoScalingGroupName/*]',
      reason:
        'Groups come and go with their node groups, and their ARNs have a UUID. The condition on the tag eks:cluster-name, which the group itself has to have, keeps the right to the clusters that are configured for it.',
    });
  }
}
