import { Validations } from 'aws-cdk-lib';
import { Grant } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { metricNamespace } from '../../lambdas/domain/around/census-metrics.ts';
import type { MedicFunction } from './medic-function.ts';

/** The project's own CloudWatch metrics. There is no resource behind a namespace, only the right to write to it. */
export class Metrics extends Construct {
  readonly namespace = metricNamespace;

  grantPublish(grantee: MedicFunction): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['cloudwatch:PutMetricData'],
      resourceArns: ['*'],
      conditions: { StringEquals: { 'cloudwatch:namespace': this.namespace } },
    });
    Validations.of(grantee.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: `cloudwatch:PutMetricData knows no resource type. The condition keeps the right to the namespace ${this.namespace}.`,
    });
  }

  /** Lets a function read metrics, those of Container Insights among them. */
  grantRead(grantee: MedicFunction): void {
    Grant.addToPrincipal({ grantee, actions: ['cloudwatch:GetMetricData'], resourceArns: ['*'] });
    Validations.of(grantee.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'cloudwatch:GetMetricData knows no resource type and no condition key (Service Authorization Reference, Amazon CloudWatch).',
    });
  }
}
