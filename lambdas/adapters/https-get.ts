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

/** Reads over HTTPS from servers of one cluster. */
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

  /**
   * One GET. Redirects are answers like any other: nothing is followed, so the token goes nowhere else.
   *
   * @throws NoAnswerError for a server that cannot be reached or trusted, is too slow, or says more than `maxBytes`
   */
  get(url: URL, accept: string, maxBytes: number): Promise<HttpsAnswer> {
    const { token, signal } = this.#props;
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
        { agent: this.#agent, signal, headers: { accept, authorization: `Bearer ${token}` } },
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
      sent.end();
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
