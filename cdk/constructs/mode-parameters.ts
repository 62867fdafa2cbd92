import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { Mode } from '../../lambdas/domain/settings.ts';

export interface ModeParametersProps {
  /** The mode of a first deployment, by cluster. */
  readonly initialModes: Readonly<Record<string, Mode>>;
}

/**
 * One parameter per cluster that switches its mode at run time. A later deployment leaves a switched parameter alone,
 * unless `initialMode` itself was changed in the settings.
 */
export class ModeParameters extends Construct {
  readonly prefix = '/cgroup-medic';
  private readonly parameters: StringParameter[];

  constructor(scope: Construct, id: string, { initialModes }: ModeParametersProps) {
    super(scope, id);
    this.parameters = Object.entries(initialModes).map(
      ([cluster, mode]) =>
        new StringParameter(this, cluster, {
          parameterName: `${this.prefix}/${cluster}/mode`,
          description: `What cgroup-medic may do in the cluster ${cluster}: ${Mode.options.join(', ')}`,
          stringValue: mode,
          allowedPattern: `^(${Mode.options.join('|')})$`,
        }),
    );
  }

  grantRead(grantee: IGrantable): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['ssm:GetParameter'],
      resourceArns: this.parameterArns,
    });
  }

  get parameterArns(): string[] {
    return this.parameters.map(({ parameterArn }) => parameterArn);
  }
}
