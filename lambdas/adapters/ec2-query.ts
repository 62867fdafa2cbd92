import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { lambdaIdentity } from './eks-token.ts';
import { MedicError } from './medic-error.ts';
import { answerMs, signedForm } from './signed-form.ts';

/** The API version that the SDK for EC2 asks for. */
const version = '2016-11-15';
const attempts = 3;
/** Of a call that is throttled: where many incidents open at once, their calls are through within some seconds. */
const throttledAttempts = 5;

/** Codes with which EC2 asks to be called more slowly: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html, and those of other services beside it. */
const throttles = ['RequestLimitExceeded', 'Throttling', 'ThrottlingException', 'EC2ThrottledException'];

/** A refusal of EC2. `code` is its own word, such as `UnauthorizedOperation`. */
export class Ec2Error extends MedicError {
  override readonly name = 'Ec2Error';
  readonly code: string;
  readonly status: number;

  constructor(action: string, status: number, { code, message, requestId }: Refusal) {
    super(`ec2:${action} was refused with ${code} (HTTP ${status}): ${message}`, { context: { requestId } });
    this.code = code;
    this.status = status;
  }
}

/** Raised where EC2 gave no answer that can be read. */
export class Ec2UnreachableError extends MedicError {
  override readonly name = 'Ec2UnreachableError';
}

type Refusal = { code: string; message: string; requestId?: string | undefined };

/**
 * One call of the EC2 query API, as the role of this function, in its region. The client of the SDK brings half a megabyte of
 * schemas of all the calls that are not made here, which no bundler can leave out. Throttles, faults of the service and
 * connections that break are tried again, three times in all (throttles five), after a random part of a growing wait.
 *
 * @param parameters in the form of the API: `{ 'InstanceId.1': 'i-…' }`
 * @returns the element in the answer, as plain objects: `{ requestId, … }`; an element that is empty is `''`
 * @throws Ec2Error where EC2 refuses, Ec2UnreachableError where it does not answer
 */
export async function ec2Query(
  action: string,
  parameters: Readonly<Record<string, string>>,
): Promise<unknown> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(action, parameters);
    } catch (error) {
      const most = error instanceof Ec2Error && isThrottle(error) ? throttledAttempts : attempts;
      if (attempt >= most || !isPassing(error)) throw error;
      await sleep(Math.random() * waitMs(error) * 2 ** attempt);
    }
  }
}

const Tags = z.object({
  tagSet: items(z.object({ resourceId: z.string(), key: z.string(), value: z.string().default('') })),
  nextToken: z.string().default(''),
});
export type Tag = z.infer<typeof Tags>['tagSet'][number];

/**
 * Tags of EC2 resources.
 *
 * @param filters values by the names of the API's filters, such as `resource-id` and `key`
 * @throws MedicError where they are more than fit on one page: narrower filters are needed
 */
export async function describeTags(filters: Readonly<Record<string, readonly string[]>>): Promise<Tag[]> {
  const { tagSet, nextToken } = read('DescribeTags', Tags, await ec2Query('DescribeTags', formOf(filters)));
  if (nextToken !== '') {
    throw new MedicError(
      `ec2:DescribeTags has more than one page for ${JSON.stringify(filters)}: filter for less`,
    );
  }
  return tagSet;
}

/** Filters, values by their names, in the form of the API. */
export function formOf(filters: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  const fields = Object.entries(filters).flatMap(([name, values], index) => [
    [`Filter.${index + 1}.Name`, name],
    ...values.map((value, at) => [`Filter.${index + 1}.Value.${at + 1}`, value]),
  ]);
  return Object.fromEntries(fields);
}

/** A list in an answer: `''` where it is empty, one object where it has one item. @param element what EC2 calls an item, and other services `member` */
export function items<T extends z.ZodType>(item: T, element: 'item' | 'member' = 'item') {
  return z.preprocess((list) => {
    if (list === '') return [];
    return typeof list === 'object' && list !== null && element in list
      ? [(list as Record<string, unknown>)[element]].flat()
      : list;
  }, z.array(item));
}

async function ask(action: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
  const { region, credentials } = lambdaIdentity();
  const url = endpoint(region);
  const form = { Action: action, Version: version, ...parameters };
  const answer = await signedForm(url, form, { service: 'ec2', region, credentials }).catch(
    (error: unknown) => {
      throw new Ec2UnreachableError(`ec2:${action}: ${url.host} gave no answer: ${reasonOf(error)}`, {
        cause: error,
      });
    },
  );
  const { status, element } = answer;
  if (status === 200 && element !== undefined) return element;
  throw new Ec2Error(action, status, refusalOf(element));
}

/** As the SDK finds it; of the partitions of AWS, those of the commercial regions and of China. */
function endpoint(region: string): URL {
  const { AWS_ENDPOINT_URL_EC2, AWS_ENDPOINT_URL } = process.env;
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return new URL(AWS_ENDPOINT_URL_EC2 || AWS_ENDPOINT_URL || `https://ec2.${region}.${domain}`);
}

const Failure = z.object({
  Errors: z.object({ Error: z.object({ Code: z.string(), Message: z.string() }) }),
  RequestID: z.string().optional(),
});

function refusalOf(element: unknown): Refusal {
  const parsed = Failure.safeParse(element);
  if (!parsed.success) return { code: 'UnreadableAnswer', message: 'the answer is none of EC2' };
  const { Errors, RequestID } = parsed.data;
  return { code: Errors.Error.Code, message: Errors.Error.Message, requestId: RequestID };
}

/** The part of an answer that a schema names. */
export function read<T extends z.ZodType>(action: string, schema: T, element: unknown): z.infer<T> {
  const parsed = schema.safeParse(element);
  if (parsed.success) return parsed.data;
  throw new MedicError(`the answer to ec2:${action} cannot be read: ${z.prettifyError(parsed.error)}`);
}

/** Whether the same question may be answered a moment later. */
function isPassing(error: unknown): boolean {
  if (error instanceof Ec2UnreachableError) return true;
  return error instanceof Ec2Error && (isThrottle(error) || error.status >= 500);
}

function isThrottle({ code, status }: Ec2Error): boolean {
  return throttles.includes(code) || status === 429;
}

/** The first waits of the SDK: half a second for a throttle, a tenth for anything else; the first retry waits at most twice that. */
function waitMs(error: unknown): number {
  return error instanceof Ec2Error && isThrottle(error) ? 500 : 100;
}

/** What `fetch` throws says "fetch failed", and keeps why in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `it took longer than ${answerMs / 1000} s`;
  return error.cause instanceof Error ? error.cause.message : error.message;
}
