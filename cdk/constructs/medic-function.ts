import { rmSync } from 'node:fs';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Settings } from '../../lambdas/domain/settings.ts';
import type { BundleName } from '../function-names.ts';
import { bundleDirectory } from './bundles.ts';

export interface MedicFunctionProps {
  readonly name: BundleName;
  readonly description: string;
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string>>;
  /** @default 30 seconds */
  readonly timeout?: Duration;
  /** What whoever finds a public address may take at the same time, and no other function loses. 0 reserves none. @default 0 */
  readonly reservedConcurrency?: number;
  /** One of several functions of this kind, so that CloudFormation names it. @default false */
  readonly several?: boolean;
}

/** A Lambda function with a role and a log group of its own. The role may write that log, and whatever is granted to it. */
export class MedicFunction extends LambdaFunction {
  declare readonly role: Role;
  declare readonly timeout: Duration;

  constructor(scope: Construct, id: string, props: MedicFunctionProps) {
    // Settings travel as a file: the environment of a function is limited to 4 KB.
    const directory = bundleDirectory(props.name, { 'settings.json': JSON.stringify(props.settings) });
    const logGroup = new LogGroup(scope, `${id}Log`, {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    super(scope, id, {
      // A name that people can type, and find in the logs of an incident.
      ...(props.several ? {} : { functionName: `${Stack.of(scope).stackName}-${props.name}` }),
      description: props.description,
      code: Code.fromAsset(directory),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 256,
      timeout: props.timeout ?? Duration.seconds(30),
      ...(props.reservedConcurrency ? { reservedConcurrentExecutions: props.reservedConcurrency } : {}),
      environment: props.environment,
      loggingFormat: LoggingFormat.JSON,
      logGroup,
      role,
    });
    // The constructor above has copied the bundle into the assembly.
    rmSync(directory, { recursive: true });
  }

  /** Versions and aliases (`ARN:*`) are not used, so nobody is given the right to invoke them. */
  override get resourceArnsForGrantInvoke(): string[] {
    return [this.functionArn];
  }
}
