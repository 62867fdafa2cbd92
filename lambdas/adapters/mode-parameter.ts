import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';

/**
 * The text of a cluster's mode parameter, or `undefined` where it cannot be read. The gate refuses both an unknown
 * text and a missing one; `onError` gets the reason, for the function's log.
 */
export async function readMode(
  client: SSMClient,
  prefix: string,
  cluster: string,
  onError: (error: unknown) => void,
): Promise<string | undefined> {
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: `${prefix}/${cluster}/mode` }));
    return Parameter?.Value;
  } catch (error) {
    onError(error);
    return undefined;
  }
}
