import { SignatureV4 } from '@smithy/signature-v4';
import { MedicError } from './medic-error.ts';
import { Sha256 } from './sha256.ts';

/**
 * What every client of EKS asks for, and old authenticators insist on. The one behind an API server takes a token for 15
 * minutes after its date, whatever stands here, and so does STS.
 */
const validSeconds = 60;

export type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };

/**
 * A token by which the API server of one EKS cluster, and the kubelets of its nodes, know the role of this function: a
 * presigned request to STS that says who asks, bound to the cluster by a signed header. Made without any call. Whoever
 * has it can act as this role towards that cluster for 15 minutes: it is never logged, and kept nowhere.
 */
export async function clusterToken(
  cluster: string,
  { region, credentials, now }: { region: string; credentials: Credentials; now: Date },
): Promise<string> {
  const signer = new SignatureV4({ service: 'sts', region, credentials, sha256: Sha256 });
  const hostname = `sts.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`;
  const { query = {} } = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname,
      path: '/',
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { host: hostname, 'x-k8s-aws-id': cluster },
    },
    { expiresIn: validSeconds, signingDate: now },
  );
  const url = new URL(`https://${hostname}/`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return `k8s-aws-v1.${Buffer.from(url.href).toString('base64url')}`;
}

/**
 * The credentials and region that Lambda gives to a function. Read from the environment, for a function in a subnet without a
 * way to any AWS service has nothing else.
 */
export function lambdaIdentity(): { region: string; credentials: Credentials } {
  const { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
  if (!AWS_REGION || !AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    throw new MedicError(
      'AWS_REGION, AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is missing from the environment',
    );
  }
  return {
    region: AWS_REGION,
    credentials: {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
    },
  };
}
