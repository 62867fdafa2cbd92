import * as z from 'zod';
import { Request } from '../lambdas/domain/intake/by-hand.ts';
import { argumentsFor, runCommand, UsageError } from './command-line.ts';
import {
  type Asked,
  askByHand,
  DeploymentError,
  deploymentOptions,
  findDeployment,
  whereOf,
} from './deployment.ts';

const usage = `usage: npm run remediate -- INSTANCE --cluster NAME [--reason TEXT] [--stack STACK | --queue-url URL]
                                 [--region REGION] [--profile PROFILE] [--dry-run] [--json]

Asks a deployed stack for an incident on one node. What may be done there, the mode and the policy of the cluster decide, as
for any alarm. Who asks is what AWS says of the sender: whoever asks by hand cannot approve what comes of it.

INSTANCE     EC2 instance id, such as i-0123456789abcdef0
--cluster    EKS cluster that the node belongs to
--reason     why, for whoever reads the incident (at most 500 characters)
--stack      name of the stack whose outputs say where to send it (default: CgroupMedic)
--queue-url  where to send it: the output ByHandQueueUrl, for people who may not read the stack
--region, --profile
             otherwise those of the usual AWS configuration
--dry-run    prints what would be sent, and calls nobody

The right it takes: sqs:SendMessage on that queue, and cloudformation:DescribeStacks on the stack unless --queue-url is given.

exit code: 0 it is in the queue, 1 it is not, 2 wrong usage`;

await runCommand(usage, main, (error) => (error instanceof DeploymentError ? 1 : undefined));

async function main(args: string[]): Promise<string> {
  const { values, positionals } = parse(args);
  if (values.help) return usage;
  const request = requestOf(positionals, values);
  const message = { source: 'by-hand', received: new Date().toISOString(), payload: request };
  const where = {
    ...whereOf(values),
    ...(values['queue-url'] === undefined ? {} : { queueUrl: values['queue-url'] }),
  };
  if (values['dry-run']) {
    const queue = where.queueUrl ?? `the output ByHandQueueUrl of the stack ${where.stack}`;
    if (values.json) return JSON.stringify({ sent: false, queue, message });
    return `would be sent to ${queue}:\n${JSON.stringify(message, null, 2)}`;
  }
  const deployment = await findDeployment(where);
  const asked = await askByHand(deployment, message);
  if (values.json) return JSON.stringify({ sent: true, ...asked, message });
  return said(request, asked, where.stack);
}

function said(
  { instanceId, cluster }: Request,
  { messageId, stateMachineArn }: Asked,
  stack: string,
): string {
  const machine = stateMachineArn ?? `STATE-MACHINE-ARN (the output StateMachineArn of ${stack})`;
  return [
    `asked for an incident on ${instanceId} of ${cluster}: message ${messageId}. It begins within seconds:`,
    `  aws stepfunctions list-executions --state-machine-arn ${machine} --query "executions[?starts_with(name, '${instanceId}-')]"`,
    'If it does not, it was refused, and the log says why:',
    `  aws logs tail --since 10m $(aws lambda get-function-configuration --function-name ${stack}-intake --query LoggingConfig.LogGroup --output text)`,
  ].join('\n');
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
    cluster: text,
    reason: text,
    'queue-url': text,
    ...deploymentOptions,
    'dry-run': flag,
    json: flag,
    help: { ...flag, short: 'h' },
  } as const;
  return argumentsFor({ args, options, allowPositionals: true });
}

function requestOf(
  positionals: string[],
  values: { cluster?: string; reason?: string; 'queue-url'?: string },
): Request {
  const [instanceId, ...rest] = positionals;
  if (instanceId === undefined || rest.length > 0) {
    throw new UsageError(
      `one instance is needed, and ${instanceId === undefined ? 'none was' : `${rest.length + 1} were`} given`,
    );
  }
  if (values.cluster === undefined) throw new UsageError('--cluster is needed: the name of the EKS cluster');
  const url = values['queue-url'];
  if (url !== undefined && !z.url({ protocol: /^https?$/ }).safeParse(url).success) {
    throw new UsageError(`--queue-url is "${url}": it must be the URL of a queue`);
  }
  const { cluster, reason } = values;
  const parsed = Request.safeParse({ instanceId, cluster, ...(reason === undefined ? {} : { reason }) });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const names: Record<string, [name: string, value: string | undefined]> = {
    instanceId: ['INSTANCE', instanceId],
    cluster: ['--cluster', cluster],
    reason: ['--reason', reason],
  };
  const [name, value] = names[String(issue?.path[0])] ?? ['the request', ''];
  throw new UsageError(`${name} is "${(value ?? '').slice(0, 80)}": ${issue?.message}`);
}
