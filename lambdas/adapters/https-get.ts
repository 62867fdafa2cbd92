import { Agent, request } from 'node:https';
import { MedicError } from './medic-error.ts';

export type HttpsAnswer = { status: number; body: string };

export interface HttpsGetterProps {
  /** Certificate authority in PEM form, and the only one that is trusted: not even those of the system are. */
  readonly ca: string;
  /** Sent as a bearer token, and to nobody whose certificate that authority has not signed for this very address. */
  readonly token: string;
  /** Ends every request. */
  readonly signal: AbortSignal;
}

/** Raised where there was no answer; the message says why, and never holds the token. */
export class NoAnswerError extends MedicError {
  override readonly name = 'NoAnswerError';
}

export interface HttpsRequest {
  readonly method: 'GET' | 'PATCH' | 'POST' | 'DELETE';
  readonly url: URL;
  readonly accept: string;
  readonly maxBytes: number;
  readonly body?: { readonly type: string; readonly text: string };
}

/** Asks servers of one cluster over HTTPS. */
export class HttpsGetter {
  readonly #props: HttpsGetterProps;
  readonly #agent: Agent;

  constructor(props: HttpsGetterProps) {
    this.#props = props;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 6,
      ca: props.ca,
      // Said here, so that no NODE_TLS_REJECT_UNAUTHORIZED in the environment can say otherwise.
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    });
  }

  /** One GET; throws as `send`. */
  get(url: URL, accept: string, maxBytes: number): Promise<HttpsAnswer> {
    return this.send({ method: 'GET', url, accept, maxBytes });
  }

  /**
   * One request, sent once. Redirects are answers like any other: nothing is followed, so the token goes nowhere else.
   *
   * @throws NoAnswerError for a server that cannot be reached or trusted, is too slow, or says more than `maxBytes`; whether it
   * has done what it was asked is not known then
   */
  send({ method, url, accept, maxBytes, body }: HttpsRequest): Promise<HttpsAnswer> {
    const { token, signal } = this.#props;
    // Without its length Node sends the body of a DELETE as if it were the next request.
    const content =
      body === undefined ? {} : { 'content-type': body.type, 'content-length': Buffer.byteLength(body.text) };
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        const reason = signal.aborted ? 'it took too long' : reasonOf(error);
        reject(new NoAnswerError(`${url.host} gave no answer: ${reason}`));
      };
      if (url.protocol !== 'https:') {
        fail(new Error(`${url.protocol} is not https:`));
        return;
      }
      const sent = request(
        url,
        {
          method,
          agent: this.#agent,
          signal,
          headers: { accept, authorization: `Bearer ${token}`, ...content },
        },
        (response) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > maxBytes) response.destroy(new Error(`it says more than ${maxBytes} bytes`));
            else chunks.push(chunk);
          });
          response.on('error', fail);
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
          );
        },
      );
      sent.on('error', fail);
      sent.end(body?.text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message } = error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return code === undefined || message.includes(code) ? message : `${message} (${code})`;
}
