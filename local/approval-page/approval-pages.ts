import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DecideAnswer } from '../../lambdas/domain/approval/decide-answer.ts';
import type { Question } from '../question.ts';
import { refusalOf } from './allowed.ts';
import { contentSecurityPolicy, endOf, pageHtml, type Shown } from './page-html.ts';

const address = '127.0.0.1';
const tokenBytes = 32;
const mostBytes = 16 * 1024;
/** A page that waits for the end of its question is answered after so long at the latest, and asks again. */
const longestWaitMs = 20_000;

const headers = {
  'cache-control': 'no-store',
  'content-security-policy': contentSecurityPolicy,
  // With "no-referrer" a browser sends "Origin: null" with a form, and nobody could say whose it is.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  connection: 'close',
};

type Page = { digest: Buffer; question: Question };

/** The pages of the questions of one run, each behind a link that nobody can guess, for this machine only. */
export class ApprovalPages {
  readonly #pages: Page[] = [];
  readonly #closed = new AbortController();
  #server: Promise<Server> | undefined;

  /** @returns the link. Whoever has it may decide once; afterwards it says what was decided */
  async open(question: Question): Promise<string> {
    this.#server ??= this.#listen();
    const authority = authorityOf(await this.#server);
    const token = randomBytes(tokenBytes).toString('base64url');
    this.#pages.push({ digest: digestOf(token), question });
    return `http://${authority}/${token}/`;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    const server = await this.#server?.catch(() => undefined);
    if (server === undefined) return;
    const closed = new Promise((done) => server.close(done));
    const late = setTimeout(() => server.closeAllConnections(), 500);
    await closed;
    clearTimeout(late);
  }

  #listen(): Promise<Server> {
    return new Promise((done, fail) => {
      const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
        this.#answer(request, response, authorityOf(server)).catch(() => response.destroy());
      });
      server.on('error', fail);
      server.listen(0, address, () => done(server));
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse, authority: string): Promise<void> {
    const { method = '', url = '' } = request;
    const refusal = refusalOf({ method, headers: request.headers }, authority);
    if (refusal !== undefined) return send(response, refusal.status, `Refused${refusal.hint}.\n`);
    const [, token = '', name, ...rest] = url.split('/');
    const question = this.#find(token);
    const route = rest.length === 0 ? `${method === 'POST' ? 'POST' : 'GET'} ${name}` : '';
    if (question === undefined) return send(response, 404, 'Not found.\n');
    switch (route) {
      case 'GET ':
        return sendPage(response, 200, question);
      case 'GET state':
        return this.#sendState(response, question);
      case 'POST decide':
        return decide(request, response, question);
      default:
        return send(response, 404, 'Not found.\n');
    }
  }

  #find(token: string): Question | undefined {
    const digest = digestOf(token);
    return this.#pages.find((page) => timingSafeEqual(page.digest, digest))?.question;
  }

  async #sendState(response: ServerResponse, question: Question): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const wait = [question.signal, this.#closed.signal, gone.signal, AbortSignal.timeout(longestWaitMs)];
    await fired(AbortSignal.any(wait));
    const text = endOf(question);
    send(response, 200, JSON.stringify({ open: text === undefined, text: text ?? '' }), 'application/json');
  }
}

async function decide(request: IncomingMessage, response: ServerResponse, question: Question): Promise<void> {
  const body = await bodyOf(request);
  if (body === undefined) return send(response, 413, 'Too long.\n');
  const form = new URLSearchParams(body);
  // A browser sends line ends as two characters, and counts them as one.
  const reason = (form.get('reason') ?? '').replaceAll('\r\n', '\n').trim();
  const decision = form.get('decision');
  if (decision !== 'approve' && decision !== 'deny') {
    return sendPage(response, 400, question, {
      refusal: 'Not taken: it is neither approve nor deny.',
      reason,
    });
  }
  const said = decision === 'deny' && reason !== '' ? { reason } : {};
  let answer: DecideAnswer;
  try {
    answer = await question.decide({ decision, ...said }, 'page');
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const refusal = `It is not known whether this was recorded: ${message}. To decide the same once more is safe.`;
    return sendPage(response, 500, question, { refusal, reason });
  }
  if (answer.status === 'recorded' && answer.approval.status === 'pending') {
    const { decisions, quorum } = answer.approval;
    const note = `Recorded: ${decisions} of ${quorum}. Somebody else has to approve as well.`;
    return sendPage(response, 200, question, { note });
  }
  // The second half of a double click was answered by the first.
  const stands = question.settled?.status === (decision === 'approve' ? 'approved' : 'denied');
  if (answer.status === 'refused' && !stands) {
    const status = endOf(question) === undefined ? 422 : 409;
    return sendPage(response, status, question, { refusal: `Not taken: ${answer.reason}.`, reason });
  }
  // A reload shows what was decided, and sends nothing again.
  response.writeHead(303, { ...headers, location: './' }).end();
}

function sendPage(response: ServerResponse, status: number, question: Question, shown?: Shown): void {
  send(response, status, pageHtml(question, shown), 'text/html; charset=utf-8');
}

function send(response: ServerResponse, status: number, body: string, type = 'text/plain'): void {
  response.writeHead(status, { ...headers, 'content-type': type }).end(body);
}

/** @returns `undefined` for one that is too long */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > mostBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function fired(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
}

function authorityOf(server: Server): string {
  return `${address}:${(server.address() as AddressInfo).port}`;
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
