import { once } from 'node:events';
import { Agent, createServer, type RequestOptions, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import type { ClusterEndpoint } from '../../lambdas/adapters/eks-cluster.ts';
import { selfSigned } from '../../local/cloud/certificate.ts';
import { type Answer, refusal } from '../../local/cloud/kubernetes-answer.ts';
import { isToken } from '../../local/cloud/kubernetes-api.ts';

/** An API server behind a front, and how somebody is asked of it who has the right token. */
export interface Behind {
  readonly server: string;
  readonly tls: Pick<RequestOptions, 'ca' | 'key' | 'cert'>;
  /** Headers by which the API server knows whom it answers. */
  identity(authorization: string): Record<string, string>;
  /** What is sent in place of a body. */
  translated(body: string): string;
}

/**
 * Stands before an API server as the authenticator of EKS does: it takes a token of EKS, and nothing else, for the identity
 * that the access entry names. It keeps what was asked and sent, and a test can do something before, or answer instead.
 */
export class Front {
  readonly asked: string[] = [];
  readonly sent: unknown[] = [];
  /** Called before a request goes on; with an answer, it does not. */
  before: (method: string, path: string) => Promise<Answer | undefined> = async () => undefined;
  readonly #identity = selfSigned('front');
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server: Server;
  readonly #behind: Behind;

  /** Use `startFront`. */
  constructor(behind: Behind) {
    this.#behind = behind;
    const { key, certificate: cert } = this.#identity;
    this.#server = createServer({ key, cert }, async (message, response) => {
      try {
        const { method = 'GET', url = '/', headers } = message;
        const body = await text(message);
        this.asked.push(`${method} ${new URL(url, behind.server).pathname}`);
        if (body !== '') this.sent.push(JSON.parse(body));
        const { authorization } = headers;
        const answer = isToken(authorization)
          ? ((await this.before(method, url)) ??
            (await this.#forward(method, url, String(authorization), String(headers['content-type']), body)))
          : refusal(401, 'Unauthorized');
        const { status, body: said } = answer;
        response
          .writeHead(status, { 'content-type': 'application/json' })
          .end(typeof said === 'string' ? said : JSON.stringify(said));
      } catch {
        response.destroy();
      }
    });
  }

  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  get endpoint(): ClusterEndpoint {
    const { port } = this.#server.address() as AddressInfo;
    return { endpoint: `https://127.0.0.1:${port}`, ca: this.#identity.certificate };
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #forward(
    method: string,
    path: string,
    authorization: string,
    type: string,
    body: string,
  ): Promise<Answer> {
    const { server, tls, identity, translated } = this.#behind;
    const content = translated(body);
    const headers = {
      accept: 'application/json',
      ...identity(authorization),
      ...(body === '' ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(content) }),
    };
    const sent = request(new URL(path, server), { method, headers, agent: this.#agent, ...tls }).end(content);
    const [response] = await once(sent, 'response');
    return { status: response.statusCode, body: (await buffer(response)).toString('utf8') };
  }
}

export async function startFront(behind: Behind): Promise<Front> {
  const front = new Front(behind);
  await front.listen();
  return front;
}
