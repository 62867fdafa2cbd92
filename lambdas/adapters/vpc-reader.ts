import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { ClusterProbes, type ClusterQuestion } from './cluster-reader.ts';
import { MedicError } from './medic-error.ts';

/**
 * Asks a cluster through the function in its VPC.
 *
 * @throws MedicError where that function failed, or answered something else
 */
export async function askInVpc(
  client: LambdaClient,
  functionName: string,
  question: ClusterQuestion,
): Promise<ClusterProbes> {
  const { FunctionError, Payload } = await client.send(
    new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(question)) }),
  );
  const answer: unknown = JSON.parse(Buffer.from(Payload ?? []).toString('utf8') || 'null');
  if (FunctionError !== undefined) {
    const { errorMessage } = (answer ?? {}) as { errorMessage?: unknown };
    throw new MedicError(
      `the function in the VPC of ${question.cluster} failed: ${String(errorMessage).slice(0, 300)}`,
    );
  }
  const parsed = ClusterProbes.safeParse(answer);
  // A probe that is not there would pass for one that nobody has collected.
  const whole = Object.keys(ClusterProbes.shape).every((name) => Object.hasOwn(Object(answer), name));
  if (!parsed.success || !whole) {
    throw new MedicError(
      `the function in the VPC of ${question.cluster} answered something else than probes`,
    );
  }
  return parsed.data;
}
