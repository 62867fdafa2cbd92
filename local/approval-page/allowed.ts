export type RequestHead = { method: string; headers: Record<string, string | string[] | undefined> };

export type Refusal = {
  status: 403 | 405 | 415 /** What to do about it, for people who do no harm. */;
  hint: string;
};

const otherAddress =
  ': this page answers only at the address that was printed. Through "ssh -L" use the same port on both sides';

/**
 * What is wrong with a request, before anything else of it is looked at. A name that was made to lead here
 * (DNS rebinding) stands in `Host`; a page of somebody else that sends a form (CSRF) is in `Origin`, which a browser
 * sends with every POST and no page can choose.
 *
 * @param authority the only address and port at which the page is
 */
export function refusalOf({ method, headers }: RequestHead, authority: string): Refusal | undefined {
  if (headers.host !== authority) return { status: 403, hint: otherAddress };
  const status = statusOf(method, headers, authority);
  return status === undefined ? undefined : { status, hint: '' };
}

function statusOf(
  method: string,
  headers: RequestHead['headers'],
  authority: string,
): Refusal['status'] | undefined {
  const origin = headers.origin;
  if (origin !== undefined && origin !== `http://${authority}`) return 403;
  if (method === 'GET' || method === 'HEAD') return undefined;
  if (method !== 'POST') return 405;
  if (origin === undefined) return 403;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return 403;
  const [type = ''] = String(headers['content-type'] ?? '').split(';');
  return type.trim().toLowerCase() === 'application/x-www-form-urlencoded' ? undefined : 415;
}
