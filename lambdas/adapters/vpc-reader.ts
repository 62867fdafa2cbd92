import { LambdaClient } from '@aws-sdk/client-lambda';
import type * as z from 'zod';
import { ClusterProbes } from './cluster-reader.ts';
import type { ClusterQuestion } from './find-node.ts';
import { impatient } from './impatient.ts';
import { invokeFunction } from './invoke-function.ts';
import { MedicError } from './medic-error.ts';
import { NodeAnswer, type NodeQuestion } from './node-instance.ts';
import { MarksAnswer, type MarksQuestion } from './node-marks.ts';

/**
 * The function in the VPC of a cluster, and a client that waits for its answer so long.
 *
 * @param readers the functions by cluster, as the stack names them
 * @throws MedicError where there is none for this cluster
 */
export function vpcReader(
  readers: Readonly<Record<string, string>>,
  cluster: string,
  limitMs: number,
): { lambda: LambdaClient; functionName: string } {
  const functionName = Object.hasOwn(readers, cluster) ? readers[cluster] : undefined;
  if (functionName === undefined) {
    throw new MedicError(`there is no function in the VPC of ${cluster}: deploy the stack again`);
  }
  const requestHandler = { ...impatient.requestHandler, requestTimeout: limitMs };
  return { lambda: new LambdaClient({ maxAttempts: 1, requestHandler }), functionName };
}

/**
 * Asks a cluster about one of its nodes through the function in its VPC.
 *
 * @throws MedicError where that function failed, or answered something else
 */
export async function askInVpc(
  client: LambdaClient,
  functionName: string,
  question: ClusterQuestion,
): Promise<ClusterProbes> {
  return ask(client, functionName, question, ClusterProbes, 'probes');
}

/** Asks a cluster through the function in its VPC which instance one of its nodes is. Throws as `askInVpc`. */
export async function askNodeInVpc(
  client: LambdaClient,
  functionName: string,
  question: NodeQuestion,
): Promise<NodeAnswer> {
  return ask(client, functionName, question, NodeAnswer, 'an instance');
}

/** Asks a cluster through the function in its VPC for the marks of one of its nodes. Throws as `askInVpc`. */
export async function askMarksInVpc(
  client: LambdaClient,
  functionName: string,
  question: MarksQuestion,
): Promise<MarksAnswer> {
  return ask(client, functionName, question, MarksAnswer, 'marks of a node');
}

async function ask<T extends z.ZodObject>(
  client: LambdaClient,
  functionName: string,
  question: ClusterQuestion | NodeQuestion | MarksQuestion,
  schema: T,
  wanted: string,
): Promise<z.infer<T>> {
  const who = `the function in the VPC of ${question.cluster}`;
  const answer = await invokeFunction(client, functionName, question, who);
  const parsed = schema.safeParse(answer);
  // A probe that is not there would pass for one that nobody has collected.
  const whole = Object.keys(schema.shape).every((name) => Object.hasOwn(Object(answer), name));
  if (!parsed.success || !whole) {
    throw new MedicError(`${who} answered something else than ${wanted}`);
  }
  return parsed.data;
}
