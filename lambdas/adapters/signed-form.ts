import { parseXML } from '@aws-sdk/xml-builder';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Credentials } from './eks-token.ts';
import { Sha256 } from './sha256.ts';

export const answerMs = 5000;

/**
 * One call of a service that speaks the query protocol: a form, signed with these credentials. The clients of the SDK for such
 * services bring the schemas of all their calls.
 *
 * @returns the HTTP status, and the element that is the answer, as plain objects; `undefined` where it is no XML
 * @throws whatever `fetch` throws, after five seconds at the latest
 */
export async function signedForm(
  url: URL,
  form: Readonly<Record<string, string>>,
  { service, region, credentials }: { service: string; region: string; credentials: Credentials },
): Promise<{ status: number; element: unknown }> {
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  const signed = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    path: '/',
    headers: { host: url.host, 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    body: new URLSearchParams(form).toString(),
  });
  const { host: _, ...headers } = signed.headers;
  const signal = AbortSignal.timeout(answerMs);
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body: signed.body,
    redirect: 'error',
    signal,
  });
  const [element] = Object.values(parse(await response.text()));
  return { status: response.status, element };
}

/** Something on the way may answer with something else than XML. */
function parse(body: string): Record<string, unknown> {
  try {
    return parseXML(body);
  } catch {
    return {};
  }
}
