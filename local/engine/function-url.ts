import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Engine } from './engine.ts';
import { isJsonObject, type JsonObject } from './json.ts';

/** A function URL of the stack on a loopback port of this machine. */
export type LocalUrl = { url: string; close(): Promise<void> };

/** Lambda takes no larger request. */
const mostBytes = 6 * 1024 * 1024;

/** Answers the requests to a function URL with what its function says: payload format 2.0. */
export async function serveFunctionUrl(engine: Engine, called: string): Promise<LocalUrl> {
  const server = createServer((message, response) => {
    message.on('error', () => {});
    requestOf(message)
      .then((event) => engine.functions.invoke(called, event))
      .then((answer) => {
        const { statusCode, headers, body } = isJsonObject(answer) ? answer : {};
        response.writeHead(
          Number(statusCode ?? 502),
          isJsonObject(headers) ? (headers as Record<string, string>) : {},
        );
        response.end(typeof body === 'string' ? body : '');
      })
      // A function that fails is a bad gateway to whoever asks.
      .catch(() => response.writeHead(502, { 'content-type': 'text/plain' }).end('Internal Server Error'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function requestOf(message: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += (chunk as Buffer).length;
    if (bytes > mostBytes) throw new Error('the request is too large');
    chunks.push(chunk as Buffer);
  }
  const { pathname, search } = new URL(message.url ?? '/', 'http://localhost');
  const body = Buffer.concat(chunks);
  // Lambda codes every body whose type it does not know as text.
  const isText = /^(text\/|application\/(json|javascript|xml)|$)/.test(message.headers['content-type'] ?? '');
  const headers = Object.entries(message.headers).map(([name, value]) => [name, [value].flat().join(',')]);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: pathname,
    rawQueryString: search.slice(1),
    headers: Object.fromEntries(headers),
    requestContext: {
      requestId: randomUUID(),
      http: {
        method: message.method ?? 'GET',
        path: pathname,
        protocol: 'HTTP/1.1',
        sourceIp: message.socket.remoteAddress ?? '',
        userAgent: message.headers['user-agent'] ?? '',
      },
    },
    ...(bytes === 0 ? {} : { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: bytes > 0 && !isText,
  };
}
