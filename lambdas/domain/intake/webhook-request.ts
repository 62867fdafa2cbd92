/** Why the webhook takes nothing in. With the reasons of the intake, the values of the dimension Reason of AlarmsRefused. */
export const webhookReasons = [
  'unauthorized',
  'method',
  'content-type',
  'oversized',
  'malformed',
  /** The secret cannot be read, or the queue does not answer: the sender tries again. */
  'unavailable',
] as const;
export type WebhookReason = (typeof webhookReasons)[number];

/** A request, as its header names come: in lower case. */
export type HttpRequest = {
  method: string;
  headers: Readonly<Record<string, string | undefined>>;
  body: string;
  isBase64Encoded: boolean;
};

/** Largest body in bytes. With what the queue's message has around it, it is less than the 256 KiB that the intake reads. */
export const largestRequest = 200 * 1024;
/** No longer token is hashed. */
const longestToken = 512;

export type Judged = { token: string | undefined } & (
  | { payload: unknown }
  | { refused: [statusCode: number, reason: WebhookReason, sentence: string] }
);

/** The token of a request, and what is in it or what is wrong with it. */
export function judge({ method, headers, body, isBase64Encoded }: HttpRequest): Judged {
  const token = /^Bearer ([\x21-\x7e]+)$/i.exec((headers.authorization ?? '').slice(0, longestToken))?.[1];
  const refused = (...because: [number, WebhookReason, string]): Judged => ({ token, refused: because });
  if (method !== 'POST') return refused(405, 'method', 'only POST is answered here');
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    return refused(415, 'content-type', 'the content type must be application/json');
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > largestRequest) {
    return refused(
      413,
      'oversized',
      `the body has ${bytes.length} bytes: at most ${largestRequest} are taken; set group_by and max_alerts`,
    );
  }
  try {
    return { token, payload: JSON.parse(bytes.toString('utf8')) };
  } catch {
    return refused(400, 'malformed', 'the body is no JSON');
  }
}
