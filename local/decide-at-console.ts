import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AutomationExecution,
  GetAutomationExecutionCommand,
  SSMClient,
  StartAutomationExecutionCommand,
} from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { ConsoleDecision } from '../lambdas/domain/approval/console-decision.ts';
import { type ClientOptions, DeploymentError, explained } from './deployment.ts';

export const DecideRequest = ConsoleDecision.omit({ executionId: true });
export type DecideRequest = z.infer<typeof DecideRequest>;

/** What came of a decision: the answer of the function behind the runbook. */
export const Outcome = z.object({
  status: z.literal('recorded'),
  approvalId: z.string(),
  approval: z.object({ status: z.string(), decisions: z.int(), quorum: z.int() }),
  person: z.string(),
});
export type Outcome = z.infer<typeof Outcome>;

/** The decision was refused; the message says why. */
export class RefusedDecision extends Error {
  override readonly name = 'RefusedDecision';
}

/** The step of the runbook takes a minute at the most. */
const longestMs = 90_000;
const pollMs = 1000;

/**
 * Runs the runbook and waits for what comes of it.
 *
 * @throws RefusedDecision, or DeploymentError where it could not be run or its end is not known
 */
export async function decideAtConsole(
  client: ClientOptions,
  document: string,
  { approvalId, decision, reason }: DecideRequest,
): Promise<Outcome> {
  const ssm = new SSMClient(client);
  try {
    const id = await start(ssm, document, {
      ApprovalId: [approvalId],
      Decision: [decision],
      ...(reason === '' ? {} : { Reason: [reason] }),
    });
    return outcomeOf(id, await ended(ssm, id));
  } finally {
    ssm.destroy();
  }
}

async function start(
  ssm: SSMClient,
  document: string,
  parameters: Record<string, string[]>,
): Promise<string> {
  try {
    const { AutomationExecutionId = '' } = await ssm.send(
      new StartAutomationExecutionCommand({ DocumentName: document, Parameters: parameters }),
    );
    return AutomationExecutionId;
  } catch (error) {
    throw explained(error, `nothing was decided: the runbook ${document} cannot be started`, {
      AutomationDefinitionNotFound: 'is the region that of the stack? Give it with --region',
      InvalidAutomationExecutionParameters: 'does the stack have this version?',
      AccessDenied: 'attach the managed policy to yourself that the output DecidePolicyArn names',
    });
  }
}

async function ended(ssm: SSMClient, id: string): Promise<AutomationExecution> {
  const until = Date.now() + longestMs;
  for (;;) {
    const found = await ssm
      .send(new GetAutomationExecutionCommand({ AutomationExecutionId: id }))
      .catch((error: unknown) => {
        throw explained(error, `execution ${id} was started, and what came of it is not known`, {
          AccessDenied: 'it takes ssm:GetAutomationExecution; look at it in the console',
        });
      });
    const execution = found.AutomationExecution ?? {};
    const running = ['Pending', 'InProgress', 'Waiting'].includes(execution.AutomationExecutionStatus ?? '');
    if (!running) return execution;
    if (Date.now() > until) {
      throw new DeploymentError(
        `execution ${id} still runs after ${longestMs / 1000} s, and what comes of it is not known: look at it in the console, or decide the same once more`,
      );
    }
    await sleep(pollMs);
  }
}

function outcomeOf(
  id: string,
  { AutomationExecutionStatus: status, Outputs = {}, FailureMessage = '' }: AutomationExecution,
): Outcome {
  const payload = Outputs['decide.Payload']?.[0] ?? '';
  const recorded = Outcome.safeParse(status === 'Success' ? jsonOf(payload) : undefined);
  if (recorded.success) return recorded.data;
  const reason = refusalIn(payload) ?? refusalIn(FailureMessage);
  if (reason !== undefined) throw new RefusedDecision(`refused: ${reason}`);
  throw new DeploymentError(
    `execution ${id} ended as ${status}, and whether the decision was recorded is not known: ${FailureMessage || payload || 'it gives no reason'}`,
  );
}

/** What the function has said, wherever Systems Manager has put its error. */
function refusalIn(text: string): string | undefined {
  if (!/"errorType":\s*"Refused"/.test(text)) return undefined;
  const [, message] = /"errorMessage":\s*("(?:[^"\\]|\\.)*")/.exec(text) ?? [];
  return message === undefined ? undefined : String(jsonOf(message));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
