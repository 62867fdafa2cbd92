import { LambdaClient } from '@aws-sdk/client-lambda';
import { impatient } from './impatient.ts';
import { invokeFunction } from './invoke-function.ts';
import { MedicError } from './medic-error.ts';
import {
  type NodeChange,
  NodeChangeAnswer,
  type NodeChangeAnswer as NodeChangeAnswers,
  type NodeChangeRequest,
} from './node-change.ts';

/** A little longer than the function may run. */
const limitMs = 27_000;

/** Of whom, and for which incident, nodes are changed. */
export type ChangesFor = Omit<NodeChangeRequest, 'change'>;

/**
 * The function that changes nodes of a cluster.
 *
 * @param changers the functions by cluster, as the stack names them
 * @throws MedicError where there is none for this cluster
 */
export function changerOf(changers: Readonly<Record<string, string>>, cluster: string): string {
  const functionName = Object.hasOwn(changers, cluster) ? changers[cluster] : undefined;
  if (functionName !== undefined) return functionName;
  throw new MedicError(
    `no function may change nodes of ${cluster}: set clusters.${cluster}.replacement.enabled, and deploy the stack again`,
  );
}

/**
 * Has that function do one thing about a node.
 *
 * @throws MedicError where it failed, or answered something else; whether it was done is then not known
 */
export async function changeThrough<C extends NodeChange>(
  functionName: string,
  about: ChangesFor,
  change: C,
): Promise<NodeChangeAnswers[C['do']]> {
  const requestHandler = { ...impatient.requestHandler, requestTimeout: limitMs };
  // One try: after no answer the course decides what may be asked for again.
  const client = new LambdaClient({ maxAttempts: 1, requestHandler });
  const who = `the function that changes nodes of ${about.cluster}`;
  const answer = await invokeFunction(client, functionName, { ...about, change }, who);
  const parsed = NodeChangeAnswer[change.do].safeParse(answer);
  if (!parsed.success) throw new MedicError(`${who} answered something else than is asked: ${change.do}`);
  return parsed.data as NodeChangeAnswers[C['do']];
}
