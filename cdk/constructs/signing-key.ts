import { RemovalPolicy } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

/** Signs the head of an incident's audit trail. Outlives the stack, as the signatures do. */
export class SigningKey extends Construct {
  private readonly key: Key;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      description: 'Signs the last audit entry of every cgroup-medic incident',
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  get keyId(): string {
    return this.key.keyId;
  }

  grantSign(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ['kms:Sign'], resourceArns: [this.key.keyArn] });
  }
}
