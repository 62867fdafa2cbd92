import {
  CancelCommandCommand,
  GetCommandInvocationCommand,
  InvalidInstanceId,
  InvocationDoesNotExist,
  SendCommandCommand,
  type SendCommandCommandOutput,
  type SSMClient,
  SSMServiceException,
} from '@aws-sdk/client-ssm';
import type { Command } from '../domain/incident-state.ts';
import type { Arguments } from '../domain/treatments/treatment.ts';
import { MedicError } from './medic-error.ts';
import type { PinnedDocument } from './ssm-documents.ts';

/** Sends one pinned document to one instance and returns the id of the command. */
export async function sendCommand(
  client: SSMClient,
  request: {
    document: PinnedDocument;
    instanceId: string;
    arguments: Arguments;
    deliverySeconds: number;
    comment: string;
  },
): Promise<string> {
  const { Command: sent } = await send(
    client,
    new SendCommandCommand({
      DocumentName: request.document.name,
      DocumentVersion: request.document.version,
      DocumentHash: request.document.hash,
      DocumentHashType: 'Sha256',
      InstanceIds: [request.instanceId],
      Parameters: Object.fromEntries(Object.entries(request.arguments).map(([key, value]) => [key, [value]])),
      // Delivery only; how long the document may run is its own timeoutSeconds.
      TimeoutSeconds: request.deliverySeconds,
      Comment: request.comment.slice(0, 100),
    }),
  );
  if (sent?.CommandId === undefined) throw new MedicError('SSM took the command but answered without an id');
  return sent.CommandId;
}

/** Raised when SSM has no such node, or none that is in a state to take commands: nothing was sent. */
export class NodeUnreachableError extends MedicError {
  override readonly name = 'NodeUnreachableError';
}

async function send(client: SSMClient, command: SendCommandCommand): Promise<SendCommandCommandOutput> {
  try {
    return await client.send(command);
  } catch (error) {
    if (!(error instanceof InvalidInstanceId)) throw error;
    throw new NodeUnreachableError(
      'SSM does not reach this node: it is gone, or its agent is not running or not registered',
      { cause: error },
    );
  }
}

/** How a command stands on its node, in the words of the incident. */
export type Invocation = Pick<Command, 'status' | 'reason' | 'output' | 'responseCode'>;

/** Looks at a command. One that the service does not know yet is running: it can take seconds to appear. */
export async function lookAtCommand(
  client: SSMClient,
  commandId: string,
  instanceId: string,
): Promise<Invocation> {
  try {
    const answer = await client.send(
      new GetCommandInvocationCommand({ CommandId: commandId, InstanceId: instanceId }),
    );
    const details = answer.StatusDetails ?? answer.Status ?? 'no status';
    const status = statusOf(answer.Status, details);
    if (status === 'running') return { status };
    const errorOutput = (answer.StandardErrorContent ?? '').trim();
    return {
      status,
      ...(answer.ResponseCode === undefined ? {} : { responseCode: answer.ResponseCode }),
      ...(answer.StandardOutputContent ? { output: answer.StandardOutputContent } : {}),
      ...(status === 'succeeded'
        ? {}
        : { reason: [inWords(details), lastLine(errorOutput)].filter(Boolean).join(': ') }),
    };
  } catch (error) {
    // A service that is busy or ill says nothing about the node; whoever looks has a deadline.
    if (error instanceof InvocationDoesNotExist || isPassing(error)) return { status: 'running' };
    throw error;
  }
}

/** Asks the node to end a command. Best effort, as in the service: the command may have ended, or the node be gone. */
export async function cancelCommand(client: SSMClient, commandId: string, instanceId: string): Promise<void> {
  await client.send(new CancelCommandCommand({ CommandId: commandId, InstanceIds: [instanceId] }));
}

/** The words of the service, and what they mean for whoever is called, where that is not plain. */
function inWords(details: string): string {
  return /^Execution ?Timed ?Out$/.test(details)
    ? `${details}: the node took the command and did not finish it in its time, or something killed it there; it is very busy or short of memory`
    : details;
}

/** A throttle or a fault of the service, after the SDK has tried often enough. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof SSMServiceException &&
    (error.$fault === 'server' ||
      error.$retryable?.throttling === true ||
      /Throttl|TooManyRequests/.test(error.name))
  );
}

/** The agent never had it, so nothing has run: the details, not the status, tell that apart from a failed run. */
const undelivered = new Set([
  'Undeliverable',
  'Delivery Timed Out',
  'DeliveryTimedOut',
  'Invalid Platform',
  'Access Denied',
]);

function statusOf(status: string | undefined, details: string): Command['status'] {
  if (undelivered.has(details)) return 'no-answer';
  switch (status) {
    case 'Pending':
    case 'InProgress':
    case 'Delayed':
    case 'Cancelling':
      return 'running';
    case 'Success':
      return 'succeeded';
    case 'TimedOut':
      return 'timed-out';
    default:
      return 'failed';
  }
}

function lastLine(text: string): string {
  return (text.split('\n').at(-1) ?? '').slice(0, 300);
}
