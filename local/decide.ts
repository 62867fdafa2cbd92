import { argumentsFor, runCommand, UsageError } from './command-line.ts';
import { DecideRequest, decideAtConsole, type Outcome, RefusedDecision } from './decide-at-console.ts';
import { clientOptions, DeploymentError, deploymentOptions, outputOf, whereOf } from './deployment.ts';

const usage = `usage: npm run decide -- APPROVAL_ID approve|deny [--reason TEXT] [--stack STACK | --document NAME]
                              [--region REGION] [--profile PROFILE] [--json]

Approves or denies a treatment that a deployed stack asks about, by its runbook, as the AWS console does. Who decides is what AWS
says of whoever runs this. Waits for what comes of it.

APPROVAL_ID  as it stands on the card
--reason     why, for whoever reads the audit (at most 200 letters, digits, spaces and . , : ; / ( ) _ + -); a denial needs it
--stack      name of the stack whose outputs name the runbook (default: CgroupMedic)
--document   the runbook itself: the output DecideDocumentName, for people who may not read the stack
--region, --profile
             otherwise those of the usual AWS configuration

The rights it takes are in the managed policy that the output DecidePolicyArn names.

exit code: 0 it is recorded, 1 it could not be done or is not known, 2 wrong usage, 3 it was refused`;

await runCommand(usage, main, (error) =>
  error instanceof RefusedDecision ? 3 : error instanceof DeploymentError ? 1 : undefined,
);

async function main(args: string[]): Promise<string> {
  const { values, positionals } = parse(args);
  if (values.help) return usage;
  const request = requestOf(positionals, values.reason);
  const where = whereOf(values);
  const document = values.document ?? (await outputOf(where, 'DecideDocumentName', '--document')).value;
  const outcome = await decideAtConsole(clientOptions(where), document, request);
  return values.json ? JSON.stringify(outcome) : said(outcome);
}

function said({ approvalId, person, approval: { status, decisions, quorum } }: Outcome): string {
  const by = `${approvalId}, decided by ${person} at the AWS console`;
  if (status === 'pending') {
    const lacking = quorum - decisions;
    return `recorded: ${decisions} of ${quorum} have approved ${by}; ${lacking} more ${lacking === 1 ? 'has' : 'have'} to.`;
  }
  const next =
    status === 'approved'
      ? 'The node is looked at again, and treated if it is still as it was.'
      : 'Nothing is done to the node, and the incident closes.';
  return `${status}: ${by}. ${next}`;
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
    reason: text,
    document: text,
    ...deploymentOptions,
    json: flag,
    help: { ...flag, short: 'h' },
  } as const;
  return argumentsFor({ args, options, allowPositionals: true });
}

function requestOf(positionals: string[], reason = ''): DecideRequest {
  const [approvalId, decision, ...rest] = positionals;
  if (approvalId === undefined || decision === undefined || rest.length > 0) {
    throw new UsageError('an approval and one decision are needed: APPROVAL_ID approve, or APPROVAL_ID deny');
  }
  const parsed = DecideRequest.safeParse({ approvalId, decision, reason });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const names: Record<string, [string, string]> = {
      approvalId: ['APPROVAL_ID', approvalId],
      decision: ['the decision', decision],
      reason: ['--reason', reason],
    };
    const [name, value] = names[String(issue?.path[0])] ?? ['the request', ''];
    const must = name === 'the decision' ? 'must be approve or deny' : issue?.message;
    throw new UsageError(`${name} is "${value.slice(0, 80)}": ${must}`);
  }
  if (decision === 'deny' && reason.trim() === '') {
    throw new UsageError('--reason is needed with deny: why, for whoever reads the audit');
  }
  return parsed.data;
}
