import * as z from 'zod';
import type { Credentials } from '../lambdas/adapters/eks-token.ts';
import { signedForm } from '../lambdas/adapters/signed-form.ts';
import { explained } from './deployment.ts';

/** Somebody with credentials, as AWS knows them. */
export type Caller = { arn: string };

const Answer = z.object({ GetCallerIdentityResult: z.object({ Arn: z.string().min(1).max(2048) }) });

/** The configuration of an SDK client, as far as it says who somebody is. */
type Configured = { config: { region(): Promise<string>; credentials(): Promise<Credentials> } };

/** Who runs a command, as AWS says of whose credentials a client uses. @throws DeploymentError */
export async function whoRuns({ config }: Configured): Promise<Caller> {
  try {
    const [region, credentials] = await Promise.all([config.region(), config.credentials()]);
    return await callerIdentity(region, credentials);
  } catch (error) {
    throw explained(error, 'AWS does not say who you are', {});
  }
}

/**
 * Asks STS who has these credentials; nobody can be denied that (STS API reference, GetCallerIdentity).
 *
 * @throws where it does not answer, or refuses
 */
export async function callerIdentity(region: string, credentials: Credentials): Promise<Caller> {
  const { AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL } = process.env;
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const url = new URL(AWS_ENDPOINT_URL_STS || AWS_ENDPOINT_URL || `https://sts.${region}.${domain}`);
  const form = { Action: 'GetCallerIdentity', Version: '2011-06-15' };
  const ask = () => signedForm(url, form, { service: 'sts', region, credentials });
  // Once more where there was no answer.
  const { status, element } = await ask().catch(ask);
  const parsed = Answer.safeParse(element);
  if (status === 200 && parsed.success) return { arn: parsed.data.GetCallerIdentityResult.Arn };
  const refusal = z.object({ Error: z.object({ Code: z.string(), Message: z.string() }) }).safeParse(element);
  if (!refusal.success) throw new Error(`${url.host} answered with HTTP ${status}, and not who it is`);
  const error = new Error(refusal.data.Error.Message);
  error.name = refusal.data.Error.Code;
  throw error;
}
