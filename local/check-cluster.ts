import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { type ClientOptions, explained } from './deployment.ts';

/**
 * Makes sure that a deployed stack looks after a cluster: one that is misspelt has nothing in the state table, which would read as
 * an answer about the one that was meant.
 *
 * @param policyOutput the output that names the managed policy with the right to ask
 * @throws DeploymentError
 */
export async function checkCluster(
  client: ClientOptions,
  cluster: string,
  policyOutput: string,
): Promise<void> {
  const name = `/cgroup-medic/${cluster}/mode`;
  const ssm = new SSMClient(client);
  try {
    await ssm.send(new GetParameterCommand({ Name: name }));
  } catch (error) {
    throw explained(error, `whether "${cluster}" is a cluster of this stack cannot be told`, {
      ParameterNotFound: `there is no parameter ${name}: is the name right, and the region?`,
      AccessDenied: `attach the managed policy to yourself that the output ${policyOutput} names`,
    });
  } finally {
    ssm.destroy();
  }
}
