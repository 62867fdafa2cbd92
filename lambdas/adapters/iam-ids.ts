import * as z from 'zod';
import type { Principal } from '../domain/approval/person.ts';
import { lambdaIdentity } from './eks-token.ts';
import { MedicError } from './medic-error.ts';
import { signedForm } from './signed-form.ts';

/** The API version that the SDK for IAM asks for. */
const version = '2010-05-08';

const Role = z.object({
  GetRoleResult: z.object({ Role: z.object({ Arn: z.string(), RoleId: z.string() }) }),
});
const User = z.object({
  GetUserResult: z.object({ User: z.object({ Arn: z.string(), UserId: z.string() }) }),
});

/**
 * The unique id of a role or IAM user of this account, such as `AROA…`: by it AWS knows who wrote a message to a queue.
 *
 * @throws MedicError where IAM does not say it, or speaks of somebody else of that name
 */
export async function uniqueIdOf({ kind, name, arn }: Principal): Promise<string> {
  const { id, found } = kind === 'role' ? await roleNamed(name) : await userNamed(name);
  if (!isSame(found, { kind, name, arn })) {
    throw new MedicError(`IAM knows the ${kind} ${name} as ${found}, and that is not ${arn}`);
  }
  return id;
}

type Found = { id: string; found: string };

async function roleNamed(name: string): Promise<Found> {
  const { Role: role } = (await iamQuery('GetRole', { RoleName: name }, Role)).GetRoleResult;
  return { id: role.RoleId, found: role.Arn };
}

async function userNamed(name: string): Promise<Found> {
  const { User: user } = (await iamQuery('GetUser', { UserName: name }, User)).GetUserResult;
  return { id: user.UserId, found: user.Arn };
}

/** The ARN of a session has the name of its role and not its path, so only account and name can be compared. */
function isSame(found: string, { kind, name, arn }: Principal): boolean {
  const account = (of: string): string => of.split(':').slice(0, 5).join(':');
  const path = found.slice(account(found).length + 1).split('/');
  return account(found) === account(arn) && path[0] === kind && path.at(-1) === name;
}

async function iamQuery<T extends z.ZodType>(
  action: string,
  parameters: Readonly<Record<string, string>>,
  schema: T,
): Promise<z.infer<T>> {
  const { region: own, credentials } = lambdaIdentity();
  const { host, region } = endpointFor(own);
  const { AWS_ENDPOINT_URL_IAM, AWS_ENDPOINT_URL } = process.env;
  const url = new URL(AWS_ENDPOINT_URL_IAM || AWS_ENDPOINT_URL || `https://${host}`);
  try {
    const { status, element } = await signedForm(
      url,
      { Action: action, Version: version, ...parameters },
      { service: 'iam', region, credentials },
    );
    if (status === 200) return schema.parse(element);
    throw new MedicError(`HTTP ${status}: ${JSON.stringify(element)?.slice(0, 500)}`);
  } catch (error) {
    throw new MedicError(`iam:${action} was not answered`, { cause: error });
  }
}

/** IAM has one endpoint and one region for signatures in each partition: AWS General Reference, "IAM endpoints and quotas". */
function endpointFor(region: string): { host: string; region: string } {
  if (region.startsWith('cn-')) return { host: 'iam.cn-north-1.amazonaws.com.cn', region: 'cn-north-1' };
  if (region.startsWith('us-gov-')) return { host: 'iam.us-gov.amazonaws.com', region: 'us-gov-west-1' };
  return { host: 'iam.amazonaws.com', region: 'us-east-1' };
}
