import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Json, JsonObject } from '../engine/json.ts';

/** An error as a service would answer it; `name` is what the SDK makes its exception of. */
export class ServiceError extends Error {
  readonly statusCode: number;

  constructor(name: string, message: string, statusCode = 400) {
    super(message);
    this.name = name;
    this.statusCode = statusCode;
  }
}

/** One call that reached the local cloud. */
export type RecordedCall = {
  service: string;
  call: string;
  at: Date;
  /** The access key that it was signed with, which each worker of a function has for itself. */
  accessKey: string;
  /** What the caller was told, if it was an error. */
  error?: string;
};

/** One request, read to its end. */
export type WireRequest = {
  /** The service that the request was signed for, such as `monitoring`. */
  signedFor: string;
  /** The call, such as `SendCommand`; for REST services method and path. */
  call: string;
  protocol: 'json' | 'query';
  contentType: string;
  body: Buffer;
  message: IncomingMessage;
};

/** A service of the local cloud: one file under local/cloud/, and the calls it answers. */
export type Service = {
  /** Its name in IAM actions and in messages. */
  name: string;
  /** Its name in signatures, where that is another. */
  signingName?: string;
  file: string;
  calls: readonly string[];
  /** The name of a call that is made by method and path; `undefined` for one that is not known here. */
  operationOf?(restCall: string): string | undefined;
  answer(request: WireRequest, response: ServerResponse): Promise<void>;
};

export type Operations = Record<string, (input: JsonObject) => JsonObject | Promise<JsonObject>>;

const unzip = promisify(gunzip);

export async function readRequest(message: IncomingMessage): Promise<WireRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  const body = message.headers['content-encoding'] === 'gzip' ? await unzip(raw) : raw;
  const contentType = String(message.headers['content-type'] ?? '')
    .split(';')[0]
    ?.trim();
  const query = contentType === 'application/x-www-form-urlencoded';
  const target = String(message.headers['x-amz-target'] ?? '')
    .split('.')
    .at(-1);
  const action = query ? new URLSearchParams(body.toString('utf8')).get('Action') : null;
  return {
    signedFor: signedFor(message),
    call: (query ? action : target) || `${message.method} ${message.url}`,
    protocol: query ? 'query' : 'json',
    contentType: contentType || 'application/json',
    body,
    message,
  };
}

/** The access key that a request was signed with. */
export function accessKeyOf({ headers }: IncomingMessage): string {
  return /Credential=([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? 'unknown';
}

/** The service is part of the credential scope: `Credential=KEY/date/region/SERVICE/aws4_request`. */
function signedFor({ headers }: IncomingMessage): string {
  return /Credential=[^/]+\/[^/]+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? 'unknown';
}

/** Answers the calls of a service that speaks AWS JSON. */
export function jsonService(
  service: Pick<Service, 'name' | 'signingName' | 'file'>,
  operations: Operations,
): Service {
  return {
    ...service,
    calls: Object.keys(operations),
    async answer({ call, contentType, body }, response) {
      const input = JSON.parse(body.toString('utf8') || '{}');
      const output = (await operations[call]?.(input)) ?? {};
      response.writeHead(200, { 'content-type': contentType }).end(JSON.stringify(output));
    },
  };
}

type RestOperations = Record<
  string,
  {
    /** Method and path; its groups are handed to `answer`. */
    route: RegExp;
    answer(groups: string[], body: Buffer, response: ServerResponse): Promise<Json>;
  }
>;

/** Answers the calls of a service that are made by method and path, with JSON in the body. */
export function restService(
  service: Pick<Service, 'name' | 'signingName' | 'file'>,
  operations: RestOperations,
): Service {
  return {
    ...service,
    calls: Object.keys(operations),
    operationOf: (restCall) => Object.entries(operations).find(([, { route }]) => route.test(restCall))?.[0],
    async answer({ call, body, message }, response) {
      const operation = operations[call];
      const groups = operation?.route.exec(`${message.method} ${message.url}`)?.slice(1) ?? [];
      const output = (await operation?.answer(groups, body, response)) ?? {};
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(output));
    },
  };
}

/** Answers the calls of a service that speaks the query protocol: forms in, XML out. Flat values only. */
export function queryService(
  service: Pick<Service, 'name' | 'signingName' | 'file'>,
  operations: Operations,
): Service {
  return {
    ...service,
    calls: Object.keys(operations),
    async answer({ call, body }, response) {
      const output =
        (await operations[call]?.(Object.fromEntries(new URLSearchParams(body.toString('utf8'))))) ?? {};
      const fields = Object.entries(output).map(
        ([key, value]) => `<${key}>${escapeXml(String(value))}</${key}>`,
      );
      const xml = `<${call}Response><${call}Result>${fields.join('')}</${call}Result><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></${call}Response>`;
      response.writeHead(200, { 'content-type': 'text/xml' }).end(xml);
    },
  };
}

/** Writes an error the way the protocol of the request has it. */
export function answerError(
  { protocol, contentType, signedFor }: WireRequest,
  response: ServerResponse,
  error: ServiceError,
): void {
  const { name, message, statusCode } = error;
  if (protocol === 'query') {
    const error = `<Code>${escapeXml(name)}</Code><Message>${escapeXml(message)}</Message>`;
    const xml =
      signedFor === 'ec2'
        ? `<Response><Errors><Error>${error}</Error></Errors><RequestID>local</RequestID></Response>`
        : `<ErrorResponse><Error><Type>Sender</Type>${error}</Error><RequestId>local</RequestId></ErrorResponse>`;
    response.writeHead(statusCode, { 'content-type': 'text/xml' }).end(xml);
    return;
  }
  const headers = { 'content-type': contentType, 'x-amzn-errortype': name };
  response.writeHead(statusCode, headers).end(JSON.stringify({ __type: name, message }));
}

export function escapeXml(text: string): string {
  return text.replace(
    /[<>&"']/g,
    (character) =>
      ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;', "'": '&apos;' })[character] ?? '',
  );
}
