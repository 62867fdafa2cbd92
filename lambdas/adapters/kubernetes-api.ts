import type * as z from 'zod';
import { List } from '../domain/around/kubernetes.ts';
import type { Read } from '../domain/around/read.ts';
import { printable } from '../domain/printable.ts';
import { type HttpsAnswer, type HttpsGetter, NoAnswerError } from './https-get.ts';
import { MedicError } from './medic-error.ts';

/** A page of 100 nodes of EKS with their lists of images is some 3 MB. */
const mostBytes = 16 * 1024 * 1024;

/** Raised where the API server did not give what was asked for; the message is a gap, and names a right that is missing. */
export class ApiServerError extends MedicError {
  override readonly name = 'ApiServerError';
}

export interface ListRequest<T> {
  readonly path: string;
  readonly item: z.ZodType<T>;
  /** The right it takes, in words: "list pods". */
  readonly right: string;
  readonly fieldSelector?: string;
  readonly pageSize: number;
  readonly maxPages: number;
  /** Ends the reading once it holds of one of the items. */
  readonly until?: (item: T) => boolean;
}

/** Reads, and nothing else, from the API server of one cluster. */
export class KubernetesApi {
  readonly #endpoint: string;
  readonly #https: HttpsGetter;

  constructor(endpoint: string, https: HttpsGetter) {
    this.#endpoint = endpoint;
    this.#https = https;
  }

  /**
   * One object; `undefined` where there is none of that name.
   *
   * @throws ApiServerError
   */
  async get<T>(path: string, item: z.ZodType<T>, right: string): Promise<T | undefined> {
    const { status, body } = await this.#ask(path, right);
    return status === 404 ? undefined : parse(item, body, path);
  }

  /**
   * A list, page by page, up to a bound; `partial` says that there are more. `undefined` where the API server knows no
   * such kind of object.
   *
   * @throws ApiServerError
   */
  async list<T>(request: ListRequest<T>): Promise<{ value: T[]; partial?: string } | undefined> {
    const { path, item, right, fieldSelector, pageSize, maxPages, until } = request;
    const value: T[] = [];
    let next = '';
    for (let page = 0; page < maxPages; page += 1) {
      const query = new URLSearchParams({ limit: String(pageSize) });
      if (fieldSelector !== undefined) query.set('fieldSelector', fieldSelector);
      if (next !== '') query.set('continue', next);
      const { status, body } = await this.#ask(`${path}?${query}`, right);
      if (status === 404) return undefined;
      if (status === 410)
        return { value, partial: `only the first ${value.length} were read: the list had expired` };
      const list = parse(List, body, path);
      for (const raw of list.items) value.push(checked(item, raw, path));
      next = list.metadata.continue;
      if (next === '' || (until !== undefined && value.some(until))) return { value };
    }
    return { value, partial: `only the first ${value.length} were read: there are more` };
  }

  /** An answer that is one: done, not there, or no longer there. One that is busy is asked a second time. */
  async #ask(path: string, right: string): Promise<HttpsAnswer> {
    const url = new URL(path, this.#endpoint);
    let answer = await this.#once(url);
    if (answer.status === 429 || answer.status === 503) answer = await this.#once(url);
    const { status, body } = answer;
    if (status === 200 || status === 404 || status === 410) return answer;
    throw new ApiServerError(refusal(status, body, right));
  }

  async #once(url: URL): Promise<HttpsAnswer> {
    try {
      return await this.#https.get(url, 'application/json', mostBytes);
    } catch (error) {
      if (error instanceof NoAnswerError) throw new ApiServerError(`the API server: ${error.message}`);
      throw error;
    }
  }
}

/** What was read, or the gap in its place. */
export async function reading<T>(
  read: Promise<{ value: T; partial?: string } | undefined>,
  absent: Read<T>,
): Promise<Read<T>> {
  try {
    return (await read) ?? absent;
  } catch (error) {
    if (error instanceof ApiServerError) return { gap: error.message };
    throw error;
  }
}

/** What an answer other than "here it is" means, and what to do. */
export function refusal(
  status: number,
  body: string,
  right: string,
  { who = 'the API server', page = 'docs/around.md' } = {},
): string {
  if (status === 401)
    return `${who} does not know the role of this function (401): ${page} has the access entry it needs`;
  if (status === 403)
    return `${who} refuses it (403): the role of this function lacks the right to ${right}; ${page} has the ClusterRole`;
  return `${who} answered ${right} with ${status}: ${printable(body.slice(0, 200))}`;
}

function parse<T>(schema: z.ZodType<T>, body: string, path: string): T {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new ApiServerError(`the API server answered ${path} with something that is not JSON`);
  }
  return checked(schema, json, path);
}

function checked<T>(schema: z.ZodType<T>, json: unknown, path: string): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ApiServerError(
    `what the API server answered to ${path} does not fit: ${issue?.path.join('.')}: ${issue?.message}`,
  );
}
