import { LambdaClient } from '@aws-sdk/client-lambda';
import { CordonedAnswer, type CordonedQuestion } from './cordoned-nodes.ts';
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
  const who = whoIn(about.cluster);
  const answer = await invokeFunction(client(), functionName, { ...about, change }, who);
  const parsed = NodeChangeAnswer[change.do].safeParse(answer);
  if (!parsed.success) throw new MedicError(`${who} answered something else than is asked: ${change.do}`);
  return parsed.data as NodeChangeAnswers[C['do']];
}

/**
 * Asks that function which nodes of its cluster have a cordon of ours.
 *
 * @throws MedicError where it failed, or answered something else
 */
export async function cordonedThrough(
  functionName: string,
  question: CordonedQuestion,
): Promise<CordonedAnswer> {
  const who = whoIn(question.cluster);
  const parsed = CordonedAnswer.safeParse(await invokeFunction(client(), functionName, question, who));
  if (!parsed.success) throw new MedicError(`${who} answered something else than nodes that are cordoned`);
  return parsed.data;
}

/** One try: after no answer whoever asks decides what may be asked for again. */
function client(): LambdaClient {
  const requestHandler = { ...impatient.requestHandler, requestTimeout: limitMs };
  return new LambdaClient({ maxAttempts: 1, requestHandler });
}

function whoIn(cluster: string): string {
  return `the function that changes nodes of ${cluster}`;
}
