import { Stack } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Grant, type IGrantable, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { SubscriptionFilter, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

export interface NotificationsProps {
  /** Addresses that get every message; each has to confirm its subscription. */
  readonly emails: readonly string[];
}

/** Where people hear from the medic: approvals asked for, incidents closed, calls for help. */
export class Notifications extends Construct {
  private readonly topic: Topic;

  constructor(scope: Construct, id: string, { emails }: NotificationsProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Topic', { displayName: 'cgroup-medic', enforceSSL: true });
    for (const email of emails) {
      this.topic.addSubscription(
        // What is marked so is for the thread of a card. Messages of alarms are not marked at all.
        new EmailSubscription(email, { filterPolicy: { quiet: SubscriptionFilter.notExistsFilter() } }),
      );
    }
  }

  /** Tells people when an alarm of this stack goes off. */
  alarmAction(): SnsAction {
    // A topic with a policy of its own, which enforceSSL makes, has lost the default one that lets CloudWatch in.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    return new SnsAction(this.topic);
  }

  get topicArn(): string {
    return this.topic.topicArn;
  }

  grantPublish(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ['sns:Publish'], resourceArns: [this.topic.topicArn] });
  }
}
