import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { lambdaIdentity } from './eks-token.ts';
import { MedicError } from './medic-error.ts';
import { signedForm } from './signed-form.ts';

/** The API version that the SDK for Auto Scaling asks for. */
const version = '2011-01-01';
const attempts = 3;
/** Codes with which a call was turned away before anything was done: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html */
const throttles = ['Throttling', 'ThrottlingException', 'RequestLimitExceeded'];

/** A refusal of Auto Scaling, or no answer. `code` is its own word, such as `ScalingActivityInProgress`. */
export class AutoScalingError extends MedicError {
  override readonly name = 'AutoScalingError';
  readonly code: string;

  constructor(action: string, code: string, message: string, cause?: unknown) {
    super(`autoscaling:${action} was refused with ${code}: ${message}`, { cause });
    this.code = code;
  }
}

const Failure = z.object({ Error: z.object({ Code: z.string(), Message: z.string().default('') }) });

/**
 * One call of the Auto Scaling API, as the role of this function, in its region (why not by the SDK: ec2-query.ts). Only a
 * throttle is tried again: after no answer nobody knows what was done, and the caller has to look.
 *
 * @param parameters in the form of the API: `{ 'AutoScalingGroupNames.member.1': '…' }`
 * @returns the element in the answer, as plain objects
 * @throws AutoScalingError where the service refuses or does not answer
 */
export async function autoscalingQuery(
  action: string,
  parameters: Readonly<Record<string, string>>,
): Promise<unknown> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(action, parameters);
    } catch (error) {
      const throttled = error instanceof AutoScalingError && throttles.includes(error.code);
      if (!throttled || attempt === attempts) throw error;
      await sleep(Math.random() * 500 * 2 ** attempt);
    }
  }
}

async function ask(action: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
  const { region, credentials } = lambdaIdentity();
  const form = { Action: action, Version: version, ...parameters };
  const { status, element } = await signedForm(endpoint(region), form, {
    service: 'autoscaling',
    region,
    credentials,
  }).catch((error: unknown) => {
    throw new AutoScalingError(action, 'NoAnswer', 'whether it was done is not known', error);
  });
  if (status === 200 && element !== undefined) return element;
  const failure = Failure.safeParse(element);
  if (!failure.success) throw new AutoScalingError(action, 'UnreadableAnswer', `HTTP ${status}`);
  const { Code, Message } = failure.data.Error;
  throw new AutoScalingError(action, Code, Message);
}

/** As the SDK finds it; of the partitions of AWS, those of the commercial regions and of China. */
function endpoint(region: string): URL {
  const { AWS_ENDPOINT_URL_AUTO_SCALING, AWS_ENDPOINT_URL } = process.env;
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return new URL(
    AWS_ENDPOINT_URL_AUTO_SCALING || AWS_ENDPOINT_URL || `https://autoscaling.${region}.${domain}`,
  );
}
