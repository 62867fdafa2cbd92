import * as z from 'zod';
import { MedicError } from './medic-error.ts';

export const DocumentReference = z.object({ name: z.string().min(1), contentDigest: z.string().length(64) });
export type DocumentReference = z.infer<typeof DocumentReference>;

/** A variable that holds JSON. */
export const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'must be JSON' });
    return z.NEVER;
  }
});

const Environment = z.object({
  STATE_TABLE: z.string().min(1),
  AUDIT_TABLE: z.string().min(1),
  AUDIT_LOG_GROUP: z.string().min(1),
  NOTIFY_TOPIC_ARN: z.string().min(1),
  SIGNING_KEY_ID: z.string().min(1),
  MODE_PARAMETER_PREFIX: z.string().startsWith('/'),
  /** The documents of this deployment, by their short name. */
  DOCUMENTS: json.pipe(z.record(z.string(), DocumentReference)),
  SOFTWARE_VERSION: z.string().min(1),
  /** The runbook by which people decide at the AWS console. */
  DECIDE_DOCUMENT: z.string().min(1).optional(),
  /** Lambda sets it. */
  AWS_REGION: z.string().min(1).optional(),
  /** Only the one-machine engine sets it: there somebody at the keyboard may decide. */
  ONE_MACHINE: z.literal('yes').optional(),
  /** Functions in the VPCs of clusters, by cluster. */
  CLUSTER_READERS: json.pipe(z.record(z.string(), z.string().min(1))).default({}),
  /** Functions that change nodes, by cluster. */
  CLUSTER_CHANGERS: json.pipe(z.record(z.string(), z.string().min(1))).default({}),
});
type Environment = z.infer<typeof Environment>;

let known: Environment | undefined;

/**
 * The function's environment, read and checked once per cold start.
 *
 * @throws MedicError that names the variables that are missing or wrong (never their values)
 */
export function environment(): Environment {
  known ??= readEnvironment(Environment);
  return known;
}

/**
 * The part of the environment that a schema names.
 *
 * @throws MedicError that names the variables that are missing or wrong (never their values)
 */
export function readEnvironment<T>(schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(process.env);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new MedicError(`the function's environment is wrong, deploy the stack again: ${wrong}`);
}
