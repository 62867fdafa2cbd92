import { Validations } from 'aws-cdk-lib';
import { Grant } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { MedicFunction } from './medic-function.ts';

/** The EC2 instances that are nodes. They are not ours; there is only what we may learn of them. */
export class Nodes extends Construct {
  /** Lets a function read the tags of instances: by them it knows to which cluster a node belongs. */
  grantReadTags(grantee: MedicFunction): void {
    Grant.addToPrincipal({ grantee, actions: ['ec2:DescribeTags'], resourceArns: ['*'] });
    Validations.of(grantee.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ec2:DescribeTags knows no resource type (Service Authorization Reference, Amazon EC2).',
    });
  }
}
