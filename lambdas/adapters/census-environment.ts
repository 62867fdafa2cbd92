import * as z from 'zod';
import { DocumentReference, json } from './environment.ts';
import { MedicError } from './medic-error.ts';

/** What the functions of the census know of their deployment; less than those of an incident. */
const CensusEnvironment = z.object({
  STATE_TABLE: z.string().min(1),
  NOTIFY_TOPIC_ARN: z.string().min(1),
  /** The documents of this deployment, by their short name. */
  DOCUMENTS: json.pipe(z.record(z.string(), DocumentReference)),
  /** Runs whose answers are still to be read, and those that are to be closed. */
  CENSUS_QUEUE_URL: z.url(),
  CENSUS_ENDS_QUEUE_URL: z.url(),
  /** Where alarms go in. Without it the census measures, and raises nothing. */
  INTAKE_QUEUE_URL: z.url().optional(),
});
type CensusEnvironment = z.infer<typeof CensusEnvironment>;

let known: CensusEnvironment | undefined;

/**
 * The environment, read and checked once per cold start.
 *
 * @throws MedicError that names the variables that are missing or wrong (never their values)
 */
export function censusEnvironment(): CensusEnvironment {
  if (known === undefined) {
    const parsed = CensusEnvironment.safeParse(process.env);
    if (!parsed.success) {
      const wrong = parsed.error.issues
        .map(({ path, message }) => `${path.join('.')}: ${message}`)
        .join('; ');
      throw new MedicError(`the function's environment is wrong, deploy the stack again: ${wrong}`);
    }
    known = parsed.data;
  }
  return known;
}
