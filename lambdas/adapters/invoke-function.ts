import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { MedicError } from './medic-error.ts';

/**
 * Has a function of this stack answer one request.
 *
 * @param who what that function is, for whoever reads that it failed
 * @returns its answer, which nobody has checked yet
 * @throws MedicError with what it says where it failed, and whatever the client throws where it did not answer
 */
export async function invokeFunction(
  client: LambdaClient,
  functionName: string,
  request: unknown,
  who: string,
): Promise<unknown> {
  const { FunctionError, Payload } = await client.send(
    new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(request)) }),
  );
  const answer: unknown = JSON.parse(Buffer.from(Payload ?? []).toString('utf8') || 'null');
  if (FunctionError === undefined) return answer;
  const { errorMessage } = (answer ?? {}) as { errorMessage?: unknown };
  throw new MedicError(`${who} failed: ${String(errorMessage).slice(0, 300)}`);
}
