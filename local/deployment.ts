import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { SQSClient } from '@aws-sdk/client-sqs';
import { putInQueue } from '../lambdas/adapters/queue.ts';

/** Which deployment a person means. */
export type Where = { stack: string; region?: string; profile?: string };

const text = { type: 'string' } as const;

/** The options by which people say which deployment they mean. */
export const deploymentOptions = { stack: text, region: text, profile: text } as const;

/** The deployment that somebody means by them. */
export function whereOf({ stack = 'CgroupMedic', region, profile }: Partial<Where>): Where {
  return {
    stack,
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
  };
}

/** A deployed stack, as far as people write to it. */
export type Deployment = { client: ClientOptions; queueUrl: string; stateMachineArn?: string };

export type Asked = { messageId: string; queueUrl: string; stateMachineArn?: string };

export type ClientOptions = { region?: string; profile?: string };

/** Raised where a deployment cannot be found or reached; the message says what to do. */
export class DeploymentError extends Error {
  override readonly name = 'DeploymentError';
}

/**
 * Finds the queue that people write to, by the outputs of the stack, unless it is given.
 *
 * @throws DeploymentError
 */
export async function findDeployment({
  queueUrl,
  ...where
}: Where & { queueUrl?: string }): Promise<Deployment> {
  const client = clientOptions(where);
  if (queueUrl !== undefined) return { client, queueUrl };
  const { value, outputs } = await outputOf(where, 'ByHandQueueUrl', '--queue-url');
  const stateMachineArn = outputs.get('StateMachineArn');
  return { client, queueUrl: value, ...(stateMachineArn === undefined ? {} : { stateMachineArn }) };
}

export function clientOptions({ region, profile }: Where): ClientOptions {
  return {
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
  };
}

/**
 * One output of the stack, and all others that it has.
 *
 * @param otherwise the option that says the same for people who may not read the stack
 * @throws DeploymentError
 */
export async function outputOf(
  where: Where,
  name: string,
  otherwise: string,
): Promise<{ value: string; outputs: ReadonlyMap<string | undefined, string | undefined> }> {
  const { stack } = where;
  const cloudformation = new CloudFormationClient(clientOptions(where));
  try {
    const { Stacks = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName: stack }));
    const outputs = new Map(
      (Stacks[0]?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
    );
    const value = outputs.get(name);
    if (value === undefined) {
      throw new DeploymentError(
        `the stack ${stack} has no output ${name}: deploy it again with this version, or name another one with --stack`,
      );
    }
    return { value, outputs };
  } catch (error) {
    throw explained(error, `the outputs of the stack ${stack} cannot be read`, {
      ValidationError: `is it deployed under this name, in this region and account? Name it with --stack, the region with --region`,
      AccessDenied: `it takes cloudformation:DescribeStacks; without it, give ${otherwise}`,
    });
  } finally {
    cloudformation.destroy();
  }
}

/**
 * Asks for an incident.
 *
 * @throws DeploymentError
 */
export async function askByHand({ client, ...deployment }: Deployment, message: unknown): Promise<Asked> {
  const sqs = new SQSClient({ ...client, useQueueUrlAsEndpoint: false });
  try {
    const messageId = await putInQueue(sqs, deployment.queueUrl, message);
    return { messageId: messageId ?? 'without an id', ...deployment };
  } catch (error) {
    throw explained(error, `nothing was sent: ${deployment.queueUrl} does not take it`, {
      QueueDoesNotExist: `is the region that of the stack? Give it with --region`,
      AccessDenied: `it takes sqs:SendMessage on that queue`,
    });
  } finally {
    sqs.destroy();
  }
}

/** What AWS, or the SDK before it, has said, with what to do about it. */
export function explained(error: unknown, what: string, remedies: Readonly<Record<string, string>>): Error {
  if (error instanceof DeploymentError) return error;
  if (!(error instanceof Error)) return new DeploymentError(`${what}: ${String(error)}`);
  const usual: Record<string, string> = {
    CredentialsProviderError: 'log in first ("aws sso login"), or give --profile',
    ExpiredToken: 'log in again ("aws sso login")',
    ExpiredTokenException: 'log in again ("aws sso login")',
    ...remedies,
  };
  const [, remedy] =
    Object.entries(usual).find(([name]) => error.name.startsWith(name)) ??
    (/^region /i.test(error.message) ? ['', 'give --region, or set AWS_REGION'] : []);
  return new DeploymentError(
    `${what}: ${error.name}: ${error.message}${remedy === undefined ? '' : ` (${remedy})`}`,
  );
}
