import * as z from 'zod';
import { given } from '../around/read.ts';
import type { EvictionAnswer } from './eviction-answer.ts';

/** An object of kind Status: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
const Status = z.object({
  kind: z.literal('Status'),
  status: z.string().default(''),
  message: z.string().default(''),
  code: z.int().optional(),
  details: z
    .object({
      causes: z
        .array(z.object({ reason: z.string().default(''), message: z.string().default('') }))
        .default([]),
      retryAfterSeconds: z.int().nonnegative().optional(),
    })
    .prefault({}),
});
type Status = z.infer<typeof Status>;

/** The cause of a 429 that comes from a PodDisruptionBudget, and not from a busy API server. */
const ofABudget = 'DisruptionBudget';
const severalBudgets = 'more than one PodDisruptionBudget';

/** Reads the answer to `POST …/pods/NAME/eviction`. What it does not know ends the drain. */
export function readEvictionAnswer(httpStatus: number, body: string): EvictionAnswer {
  const status = statusOf(body);
  const code = codeOf(httpStatus, status);
  const says = given(status?.message || body.slice(0, 200));
  const causes = status?.details.causes ?? [];
  if (code === 200 || code === 201) return { is: 'going' };
  // 409: the uid is that of another pod, which has only the name.
  if (code === 404 || code === 409) return { is: 'gone' };
  if (code === 429) {
    const ofBudgets = causes.filter(({ reason }) => reason === ofABudget);
    if (ofBudgets.length === 0) return { is: 'busy', says: `the API server is busy: ${says}` };
    const { retryAfterSeconds } = status?.details ?? {};
    return {
      is: 'refused',
      budgets: ofBudgets.flatMap(({ message }) => budgetIn(message) ?? []),
      says: given(ofBudgets.map(({ message }) => message).join('; ')),
      ...(retryAfterSeconds === undefined ? {} : { retrySeconds: retryAfterSeconds }),
    };
  }
  // Its namespace is being deleted, and so will it be.
  if (code === 403 && causes.some(({ reason }) => reason === 'NamespaceTerminating')) {
    return { is: 'busy', says: `its namespace is being deleted: ${says}` };
  }
  // 502 to 504: something before the API server, a write of the budget that took too long.
  if (code >= 502 && code <= 504) return { is: 'busy', says: `it answered with ${code}: ${says}` };
  if (code === 500 && (status?.message ?? '').includes(severalBudgets)) {
    return {
      is: 'stop',
      says: 'more than one PodDisruptionBudget selects it, and no pod like that can be evicted',
    };
  }
  if (code === 401)
    return { is: 'stop', says: 'the API server does not know the role of this function (401)' };
  if (code === 403) return { is: 'stop', says: `the API server refuses the eviction (403): ${says}` };
  return { is: 'stop', says: `the API server answered the eviction with ${code}: ${says}` };
}

/** The API server has answered with the HTTP status of a success and a failure in the body: the body counts then. */
function codeOf(httpStatus: number, status: Status | undefined): number {
  if (httpStatus >= 300 || status?.status !== 'Failure') return httpStatus;
  return status.code !== undefined && status.code >= 300 ? status.code : 500;
}

function statusOf(body: string): Status | undefined {
  try {
    return Status.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

/** "The disruption budget NAME needs 3 healthy pods and has 3 currently" */
function budgetIn(message: string): string | undefined {
  const [, name] = /^The disruption budget (\S+) /.exec(message) ?? [];
  return name === undefined ? undefined : given(name);
}
