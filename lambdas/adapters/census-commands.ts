import {
  GetCommandInvocationCommand,
  InvocationDoesNotExist,
  ListCommandInvocationsCommand,
  ListCommandsCommand,
  SendCommandCommand,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import type { Arguments } from '../domain/treatments/treatment.ts';
import { clusterTag } from './instance-cluster.ts';
import { MedicError } from './medic-error.ts';
import type { PinnedDocument } from './ssm-documents.ts';

/**
 * Sends one pinned document to all nodes of a cluster that SSM knows, by their tag, and returns the id of the command.
 * One call, and no list of nodes that is old when it is used.
 */
export async function sendToCluster(
  client: SSMClient,
  request: {
    document: PinnedDocument;
    cluster: string;
    arguments: Arguments;
    deliverySeconds: number;
    nodesAtOnce: number;
    comment: string;
  },
): Promise<string> {
  const { Command } = await client.send(
    new SendCommandCommand({
      DocumentName: request.document.name,
      DocumentVersion: request.document.version,
      DocumentHash: request.document.hash,
      DocumentHashType: 'Sha256',
      Targets: [{ Key: `tag:${clusterTag}`, Values: [request.cluster] }],
      MaxConcurrency: String(request.nodesAtOnce),
      // Where nothing is said, the first node that fails keeps all others from being asked.
      MaxErrors: '100%',
      Parameters: Object.fromEntries(Object.entries(request.arguments).map(([key, value]) => [key, [value]])),
      TimeoutSeconds: request.deliverySeconds,
      Comment: request.comment.slice(0, 100),
    }),
  );
  if (Command?.CommandId === undefined)
    throw new MedicError('SSM took the command but answered without an id');
  return Command.CommandId;
}

/** Statuses after which nothing more comes from a command, or from a node of it. */
const over = new Set(['Success', 'Cancelled', 'TimedOut', 'Failed']);

/** Whether a command is over on all of its nodes. One that the service does not know yet is not. */
export async function isOver(client: SSMClient, commandId: string): Promise<boolean> {
  const { Commands } = await client.send(new ListCommandsCommand({ CommandId: commandId }));
  return over.has(Commands?.[0]?.Status ?? '');
}

/** A cluster of 5,000 nodes has a hundred pages. */
const mostPages = 200;

/** Nodes on which a command is over, and whether it succeeded there. */
export async function finishedOn(client: SSMClient, commandId: string): Promise<Map<string, boolean>> {
  const finished = new Map<string, boolean>();
  let next: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await client.send(
      new ListCommandInvocationsCommand({
        CommandId: commandId,
        MaxResults: 50,
        ...(next === undefined ? {} : { NextToken: next }),
      }),
    );
    for (const { InstanceId, Status } of answer.CommandInvocations ?? []) {
      if (InstanceId !== undefined && over.has(Status ?? '')) finished.set(InstanceId, Status === 'Success');
    }
    next = answer.NextToken;
    if (next === undefined) return finished;
  }
  throw new MedicError(`command ${commandId} has more than ${mostPages} pages of invocations`);
}

/** What one node has printed: all of it, where a list has its first 2,500 characters. `undefined` where there is nothing. */
export async function outputOn(
  client: SSMClient,
  commandId: string,
  instanceId: string,
): Promise<string | undefined> {
  try {
    const answer = await client.send(
      new GetCommandInvocationCommand({ CommandId: commandId, InstanceId: instanceId }),
    );
    return answer.Status === 'Success' ? (answer.StandardOutputContent ?? '') : undefined;
  } catch (error) {
    if (error instanceof InvocationDoesNotExist) return undefined;
    throw error;
  }
}
