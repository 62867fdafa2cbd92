import * as z from 'zod';
import { CensusProfile, InstanceId } from './node.ts';
import { Tally } from './tally.ts';

/** What a schedule asks for: one cluster, and how much is asked of its nodes. */
export const CensusRequest = z.object({ cluster: z.string().min(1).max(100), profile: CensusProfile });
export type CensusRequest = z.infer<typeof CensusRequest>;

/** Nodes of one cluster that one run can remember: their ids travel in a message, which holds 256 KiB. */
export const mostNodes = 5000;

/**
 * One run of the census over one cluster, as it travels from look to look: everything that the next look needs. A
 * message that is delivered twice repeats a look, and changes nothing twice that counts.
 */
export const CensusRun = z.object({
  version: z.literal(1),
  id: z.string().min(1).max(200),
  cluster: z.string().min(1).max(100),
  profile: CensusProfile,
  startedAt: z.iso.datetime(),
  /** The commands, one for each document. */
  commands: z.object({ evidence: z.string().min(1), services: z.string().min(1).optional() }),
  /** Nodes that have told something that can be read. */
  answered: z.array(InstanceId).max(mostNodes),
  /** Nodes that have answered without it: their run failed, or nobody can read what they printed. */
  unread: z.array(InstanceId).max(mostNodes),
  tally: Tally,
});
export type CensusRun = z.infer<typeof CensusRun>;

/** Seconds from the command to the first look, and from one look to the next. */
export const lookSeconds = 45;

/**
 * Seconds after which a run is closed with what it has: before the next one begins, and after ten minutes at the latest,
 * for a figure that is older than that misleads. A report that is written once a week waits for half an hour.
 */
export function givesUpAfterSeconds(profile: CensusProfile, everyMinutes: number): number {
  return profile === 'full' ? 1800 : Math.min(600, everyMinutes * 48);
}

/** Names a run for people and in logs. */
export function runId({ cluster, profile }: CensusRequest, startedAt: Date): string {
  return `census-${cluster}-${profile}-${startedAt.toISOString()}`;
}
