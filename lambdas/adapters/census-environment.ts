import * as z from 'zod';
import { DocumentReference, json, readEnvironment } from './environment.ts';

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

/** The environment of a function of the census. Throws as `environment`. */
export function censusEnvironment(): CensusEnvironment {
  known ??= readEnvironment(CensusEnvironment);
  return known;
}
