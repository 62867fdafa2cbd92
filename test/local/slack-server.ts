import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = Record<string, unknown>;
export type SlackCall = { method: string; body: Json };
export type SlackMessage = {
  channel: string;
  ts: string;
  text: string;
  blocks: Json[];
  thread?: string;
  edited: boolean;
};

/** Words by which Slack refuses. https://docs.slack.dev/reference/methods/chat.postMessage#errors */
export type Refusal = (typeof permanent)[number] | (typeof passing)[number];
export const permanent = ['invalid_auth', 'channel_not_found', 'not_in_channel', 'missing_scope'] as const;
export const passing = ['internal_error', 'service_unavailable', 'ratelimited'] as const;

/** Milliseconds for which what a click gives may open a form. https://docs.slack.dev/interactivity/handling-user-interaction */
const triggerMs = 3000;

/**
 * A server of Slack's shape on loopback: the methods in use, with the checks that Slack makes of them (token, channel, block
 * limits, trigger ids that expire and are used once), its rate limit, and its ways of not being there.
 */
export class SlackServer {
  readonly botToken = `xoxb-${randomBytes(12).toString('hex')}`;
  readonly signingSecret = randomBytes(16).toString('hex');
  readonly calls: SlackCall[] = [];
  readonly messages: SlackMessage[] = [];
  readonly ephemerals: { channel: string; user: string; text: string }[] = [];
  readonly views: Json[] = [];
  readonly #channels: ReadonlySet<string>;
  readonly #triggers = new Map<string, number>();
  readonly #server = createServer((request, response) => {
    request.on('error', () => {});
    this.#serve(request, response).catch(() => response.destroy());
  });
  #count = 0;
  /** What happens to the next calls, one by one; then all is well again. */
  readonly troubles: ('busy' | 'gone' | 'error 500' | Refusal)[] = [];
  /** Nobody answers at all. */
  down = false;

  constructor(channels: readonly string[]) {
    this.#channels = new Set(channels);
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** What Slack sends with a click: it can open one form, for three seconds. */
  trigger(): string {
    const id = randomBytes(8).toString('hex');
    this.#triggers.set(id, Date.now());
    return id;
  }

  /** The headers by which Slack signs a body. @param now seconds since the epoch */
  sign(body: string, now = Math.floor(Date.now() / 1000)): Record<string, string> {
    const hmac = createHmac('sha256', this.signingSecret).update(`v0:${now}:${body}`).digest('hex');
    return {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': String(now),
      'x-slack-signature': `v0=${hmac}`,
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const trouble = this.down ? 'gone' : this.troubles.shift();
    if (trouble === 'gone') return void response.destroy();
    if (trouble === 'error 500') return void response.writeHead(500).end('oops');
    if (trouble === 'busy') {
      return void response
        .writeHead(429, { 'retry-after': '1' })
        .end(JSON.stringify({ ok: false, error: 'ratelimited' }));
    }
    const method = (request.url ?? '').replace('/api/', '');
    const body: Json = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    this.calls.push({ method, body });
    const known = request.headers.authorization === `Bearer ${this.botToken}` && trouble === undefined;
    const answer = known ? this.#answer(method, body) : { ok: false, error: trouble ?? 'invalid_auth' };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  #answer(method: string, body: Json): Json {
    const error = (name: string): Json => ({ ok: false, error: name });
    if (method === 'views.open') return this.#open(body);
    const channel = String(body.channel);
    if (!this.#channels.has(channel)) return error('channel_not_found');
    if (method === 'chat.postEphemeral') {
      if (typeof body.user !== 'string') return error('user_not_in_channel');
      this.ephemerals.push({ channel, user: body.user, text: String(body.text) });
      return { ok: true, message_ts: '1.0' };
    }
    const problem = blockProblem(body.blocks, 50);
    if (problem !== undefined) return { ...error('invalid_blocks'), problem };
    const blocks = body.blocks as Json[];
    if (method === 'chat.update') {
      const message = this.messages.find((one) => one.channel === channel && one.ts === body.ts);
      if (message === undefined) return error('message_not_found');
      Object.assign(message, { text: String(body.text), blocks, edited: true });
      return { ok: true, channel, ts: message.ts };
    }
    if (method !== 'chat.postMessage') return error('unknown_method');
    this.#count += 1;
    const ts = `1763700000.${String(this.#count).padStart(6, '0')}`;
    const thread = typeof body.thread_ts === 'string' ? { thread: body.thread_ts } : {};
    this.messages.push({ channel, ts, text: String(body.text), blocks, edited: false, ...thread });
    return { ok: true, channel, ts };
  }

  #open({ trigger_id, view }: Json): Json {
    const since = this.#triggers.get(String(trigger_id));
    if (since === undefined) return { ok: false, error: 'exchanged_trigger_id' };
    this.#triggers.delete(String(trigger_id));
    if (Date.now() - since > triggerMs) return { ok: false, error: 'expired_trigger_id' };
    const { blocks, title } = view as { blocks: unknown; title: { text: string } };
    if (title.text.length > 24 || blockProblem(blocks, 100) !== undefined) {
      return { ok: false, error: 'invalid_arguments' };
    }
    this.views.push(view as Json);
    return { ok: true, view: { id: 'V1' } };
  }
}

/** What Slack would find wrong with blocks. https://docs.slack.dev/reference/block-kit/blocks */
export function blockProblem(blocks: unknown, most: number): string | undefined {
  if (!Array.isArray(blocks) || blocks.length === 0 || blocks.length > most) return 'number of blocks';
  for (const block of blocks as Json[]) {
    const text = block.text as { text?: string } | undefined;
    const length = text?.text?.length ?? 0;
    if (block.type === 'section' && (length < 1 || length > 3000)) return `section of ${length}`;
    if (block.type === 'header' && (length < 1 || length > 150)) return `header of ${length}`;
    for (const element of (block.elements ?? []) as Json[]) {
      if (String(element.value ?? '').length > 2000) return 'value of a button';
      if (element.type === 'mrkdwn' && String(element.text).length > 2000) return 'text of a context';
    }
  }
  return undefined;
}
