import * as z from 'zod';

/** What Lambda makes of a request to a function URL: payload format 2.0, as far as it is used. */
export const UrlRequest = z.object({
  requestContext: z.object({
    requestId: z.string().default(''),
    http: z.object({ method: z.string(), sourceIp: z.string().default('') }),
  }),
  headers: z.record(z.string(), z.string().optional()).default({}),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().default(false),
});

export type HttpAnswer = { statusCode: number; headers: Record<string, string>; body: string };

export function jsonAnswer(statusCode: number, content: unknown): HttpAnswer {
  return {
    statusCode,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(content),
  };
}
