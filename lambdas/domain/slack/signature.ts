import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** How far the clock of a request may be off, to either side. https://docs.slack.dev/authentication/verifying-requests-from-slack */
export const mostSkewSeconds = 300;

export type SignedRequest = {
  /** The header X-Slack-Request-Timestamp. */
  timestamp: string | undefined;
  /** The header X-Slack-Signature. */
  signature: string | undefined;
  /** As it came, before anything has read it. */
  body: Buffer;
};

/**
 * Whether Slack has signed this request, now. Nothing of the request is looked into before, and whatever is wrong with it,
 * the same work is done and the same answer given: a signature of all zeros takes as long as one that is nearly right.
 *
 * @param now seconds since the epoch
 */
export function isFromSlack(
  { timestamp = '', signature = '', body }: SignedRequest,
  signingSecret: string,
  now: number,
): boolean {
  // A time of the future is as wrong as one of the past: a request that was recorded could be kept for it.
  const inTime = /^\d{1,11}$/.test(timestamp) && Math.abs(now - Number(timestamp)) <= mostSkewSeconds;
  const expected = createHmac('sha256', signingSecret)
    .update(`v0:${inTime ? timestamp : '0'}:`)
    .update(body)
    .digest('hex');
  const fits = timingSafeEqual(hashOf(`v0=${expected}`), hashOf(signature));
  return fits && inTime;
}

/** Names a request so that it is taken once. The signature covers its time and its body. */
export function nameOfRequest(signature: string): string {
  return hashOf(signature).toString('hex');
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
