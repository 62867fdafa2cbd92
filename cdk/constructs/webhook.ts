import { CfnOutput, Validations } from 'aws-cdk-lib';
import { Grant } from 'aws-cdk-lib/aws-iam';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Settings } from '../../lambdas/domain/settings.ts';
import { MedicFunction } from './medic-function.ts';

export interface WebhookProps {
  readonly settings: Settings;
  /** The queue that it writes to. */
  readonly queueUrl: string;
}

/** The public address that a self-managed Alertmanager sends to. The function itself checks the bearer token. */
export class Webhook extends Construct {
  readonly webhook: MedicFunction;

  constructor(scope: Construct, id: string, { settings, queueUrl }: WebhookProps) {
    super(scope, id);
    const secret = new Secret(this, 'Token', {
      description: 'Bearer token that an Alertmanager sends to cgroup-medic',
      // Letters and digits only, so that it can stand in a header and in a file as it is.
      generateSecretString: { passwordLength: 48, excludePunctuation: true, includeSpace: false },
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'The other holder of the token is an Alertmanager outside of AWS, which no rotation function reaches. prometheus/README.md says how to change it in both places.',
    });
    this.webhook = new MedicFunction(this, 'Function', {
      name: 'webhook',
      description: 'Takes alerts of a self-managed Alertmanager into the queue',
      settings,
      reservedConcurrency: settings.intake.webhook.reservedConcurrency,
      environment: {
        QUEUE_URL: queueUrl,
        SECRET_ID: secret.secretArn,
        POWERTOOLS_SERVICE_NAME: 'cgroup-medic',
        NODE_OPTIONS: '--enable-source-maps',
      },
    });
    Grant.addToPrincipal({
      grantee: this.webhook,
      actions: ['secretsmanager:GetSecretValue'],
      resourceArns: [secret.secretArn],
    });
    const url = this.webhook.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });
    new CfnOutput(this, 'WebhookUrl', { value: url.url }).overrideLogicalId('WebhookUrl');
    new CfnOutput(this, 'WebhookSecretArn', { value: secret.secretArn }).overrideLogicalId(
      'WebhookSecretArn',
    );
  }
}
