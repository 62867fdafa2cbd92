import * as z from 'zod';
import { MedicError } from './medic-error.ts';

/** Slack does not take a request now. It says itself when to come back. */
export class SlackBusyError extends MedicError {
  override readonly name = 'SlackBusyError';
  readonly retryAfterSeconds: number;

  constructor(method: string, retryAfterSeconds: number) {
    super(`Slack is busy: ${method} may be called again in ${retryAfterSeconds} s`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * Refusals that pass by themselves, of those that every method may have; of all others somebody has to mend something.
 * https://docs.slack.dev/reference/methods/chat.postMessage#errors
 */
const passing: ReadonlySet<string> = new Set([
  'fatal_error',
  'internal_error',
  'rate_limited',
  'ratelimited',
  'request_timeout',
  'service_unavailable',
  'team_added_to_org',
]);

/** Slack has understood a request and refuses it: its settings, its token or its channel are wrong, or it is not well itself. */
export class SlackRefusedError extends MedicError {
  override readonly name = 'SlackRefusedError';
  readonly code: string;
  /** The same request is refused again, until somebody mends what is wrong. */
  readonly isPermanent: boolean;

  constructor(method: string, code: string) {
    super(`Slack refuses ${method}: ${code}. docs/slack.md says what that means`);
    this.code = code;
    this.isPermanent = !passing.has(code);
  }
}

const Answer = z.object({
  ok: z.boolean(),
  error: z.string().max(200).optional(),
  ts: z.string().max(40).optional(),
  channel: z.string().max(40).optional(),
});
export type SlackAnswer = z.infer<typeof Answer>;

/**
 * The few methods of Slack's Web API that are used. Its own client would be larger than the function.
 * https://docs.slack.dev/apis/web-api/ , https://docs.slack.dev/apis/web-api/rate-limits
 */
export class SlackClient {
  readonly #token: string;
  readonly #url: string;
  readonly #timeoutMs: number;

  constructor(token: string, url: string, timeoutMs: number) {
    this.#token = token;
    this.#url = url.endsWith('/') ? url : `${url}/`;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @throws SlackBusyError for an answer 429, SlackRefusedError where Slack says no, MedicError where it says nothing that can be
   *   understood; never with the token or the content in it
   */
  async call(method: string, body: object): Promise<SlackAnswer> {
    let response: Response;
    try {
      response = await fetch(new URL(method, this.#url), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${this.#token}`,
          'content-type': 'application/json; charset=utf-8',
        },
        body: JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
    } catch (error) {
      const why = error instanceof Error ? error.name : 'unknown error';
      throw new MedicError(`Slack could not be reached for ${method}: ${why}`);
    }
    if (response.status === 429) {
      const seconds = Number(response.headers.get('retry-after'));
      throw new SlackBusyError(method, Number.isFinite(seconds) && seconds > 0 ? seconds : 30);
    }
    const parsed = Answer.safeParse(await response.json().catch(() => undefined));
    if (!response.ok || !parsed.success) {
      throw new MedicError(
        `Slack answered ${method} with status ${response.status}, and nothing that can be read`,
      );
    }
    if (!parsed.data.ok) throw new SlackRefusedError(method, parsed.data.error ?? 'internal_error');
    return parsed.data;
  }
}
