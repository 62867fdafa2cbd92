import { setTimeout as sleep } from 'node:timers/promises';
import { SignatureV4 } from '@smithy/signature-v4';
import { lambdaIdentity } from './eks-token.ts';
import { MedicError } from './medic-error.ts';
import { Sha256 } from './sha256.ts';
import { answerMs } from './signed-form.ts';

const attempts = 2;
const pauseMs = 200;

/** A refusal of EKS, or no answer that can be read. `name` is its own word, such as `ResourceNotFoundException`. */
export class EksError extends MedicError {
  override readonly name: string;
  readonly passing: boolean;

  constructor(name: string, message: string, passing: boolean, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = name;
    this.passing = passing;
  }
}

/**
 * One GET of the EKS API, as the role of this function, in its region: the client of the SDK brings 55 KB of schemas of all the
 * calls that are not made here. A throttle, a fault of the service and a connection that breaks are tried once more.
 *
 * @param action what IAM calls it, for the reader and for the tests of rights
 * @throws EksError
 */
export async function eksQuery(action: string, path: string): Promise<unknown> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(action, path);
    } catch (error) {
      if (attempt === attempts || !(error instanceof EksError) || !error.passing) throw error;
      await sleep(Math.random() * pauseMs);
    }
  }
}

async function ask(action: string, path: string): Promise<unknown> {
  const { region, credentials } = lambdaIdentity();
  const { AWS_ENDPOINT_URL_EKS, AWS_ENDPOINT_URL } = process.env;
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const base = AWS_ENDPOINT_URL_EKS || AWS_ENDPOINT_URL || `https://eks.${region}.${domain}`;
  const url = new URL(path, base);
  const signer = new SignatureV4({ service: 'eks', region, credentials, sha256: Sha256 });
  const { host: _, ...headers } = (
    await signer.sign({
      method: 'GET',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      headers: { host: url.host },
    })
  ).headers;
  let response: Response;
  let body: string;
  try {
    response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(answerMs) });
    body = await response.text();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EksError(
      'EksUnreachableError',
      `eks:${action}: ${url.host} gave no answer: ${why}`,
      true,
      error,
    );
  }
  const answer = jsonOf(body);
  if (response.status === 200 && answer !== undefined) return answer;
  const [code = ''] = (response.headers.get('x-amzn-errortype') ?? '').split(':');
  const { message = `eks:${action} was refused with HTTP ${response.status}` } = (answer ?? {}) as {
    message?: string;
  };
  const passing = response.status === 429 || response.status >= 500 || code.startsWith('Throttl');
  throw new EksError(code || 'UnreadableAnswer', String(message).slice(0, 500), passing);
}

function jsonOf(body: string): object | undefined {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === 'object' && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}
