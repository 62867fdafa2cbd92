import type { Logger } from '@aws-lambda-powertools/logger';
import { CourseStore } from '../adapters/course-store.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { endStanding } from '../adapters/standing-end.ts';
import { readStanding } from '../adapters/standing-reader.ts';
import { within } from '../adapters/within.ts';
import { probeValue } from '../domain/evidence/probe.ts';
import type { GateResult } from '../domain/gates/gate.ts';
import { oneOfGroup, type StandingAnswer, standingGate } from '../domain/gates/standing-gate.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Cluster } from '../domain/settings.ts';
import { atOnceOf, hasPlace, withoutPlace, withPlace } from '../domain/standing/course.ts';
import {
  repeats,
  type Standing,
  type StandingEnd,
  type StandingRead,
  StandingTreatment,
  standingFor,
  whyOver,
} from '../domain/standing/standing.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import { heldUntil } from './budget.ts';
import type { PhaseContext } from './phase.ts';
import { problemOf } from './problem-of.ts';

const limitMs = 10_000;

type Asking = Pick<PhaseContext, 'cluster' | 'settings' | 'now' | 'logger'>;

/** Why the kubelet of a node is not restarted now by what was agreed to for its group. */
export type WhyNoRestart = (
  agreed: Standing,
  evidence: IncidentState['evidence'],
  cluster: Cluster,
  now: Date,
) => string | undefined;
type Incident = IncidentState['incident'];

const rule = 'rule standing';

function courses(): CourseStore {
  return new CourseStore(dynamo(), environment().STATE_TABLE);
}

/**
 * Asks whether the standing treatment still holds that an incident was opened for, as the table has it now. `undefined` for an
 * incident that was opened in any other way, unless it asks for one.
 */
export async function askStanding(
  { incident, diagnosis, evidence }: IncidentState,
  rung: Rung,
  { cluster: known, now, logger }: Asking,
  approved: boolean,
  whyNoRestart?: WhyNoRestart,
): Promise<StandingAnswer | undefined> {
  if (rung.kind === 'standing') return { result: await askGroup(incident, rung, { now, logger }) };
  const { standing: id } = incident.alarm;
  if (id === undefined) return undefined;
  const { cluster, nodeGroup } = incident;
  const dying = evidence && probeValue(evidence.probes.cgroups)?.dying;
  const asked = {
    ...{ id, cluster, nodeGroup, rung, cause: diagnosis?.cause, dying, approved },
    ...(whyNoRestart === undefined
      ? {}
      : { whyNoRestart: (agreed: Standing) => whyNoRestart(agreed, evidence, known, now()) }),
  };
  try {
    const read = await within(limitMs, 'the state table', readOf(incident, standingFor(diagnosis?.cause)));
    return standingGate(read, { ...asked, now: now() });
  } catch (error) {
    logger.error('the standing treatment could not be read', { error });
    return standingGate(undefined, { ...asked, now: now(), problem: problemOf(error) });
  }
}

/**
 * Takes one of the few places for nodes of a group that are treated at the same time, and keeps it until the incident closes.
 *
 * @param others what all other gates say: a place is taken only by what nothing else stops
 */
export async function askStandingPlace(
  { incident, diagnosis }: IncidentState,
  answer: StandingAnswer | undefined,
  { cluster, settings, now, logger }: Asking,
  others: GateResult,
): Promise<GateResult | undefined> {
  if (answer?.agreed === undefined || incident.nodeGroup === undefined || others.decision !== 'pass') {
    return answer?.result;
  }
  const refuse = (reason: string): GateResult => ({ gate: 'standing', decision: 'refuse', reason });
  const treatment = standingFor(diagnosis?.cause);
  if (treatment === undefined) return refuse('no standing treatment speaks of its diagnosis');
  const most = atOnceOf(treatment, cluster.standing);
  try {
    const place = {
      incident: incident.id,
      instanceId: incident.instanceId,
      until: heldUntil({ cluster, settings }, now()).toISOString(),
    };
    const key = {
      cluster: incident.cluster,
      nodeGroup: incident.nodeGroup,
      treatment,
      id: answer.agreed.id,
    };
    const course = await courses().change(key, (present) => withPlace(present, place, most, now()));
    return hasPlace(course, incident.id, now())
      ? answer.result
      : refuse(
          `as many nodes of group ${incident.nodeGroup} are being treated by it as may at once: ${most}${treatment === 'standing-reclaim' ? ' (settings standing.nodesAtOnce)' : ''}; the census raises this one again`,
        );
  } catch (error) {
    logger.error('the place of a standing treatment could not be taken', { error });
    return refuse(`how many nodes it treats at the moment could not be read: ${problemOf(error)}`);
  }
}

/**
 * An incident of a standing treatment is over: its place is free, and whether it helped is counted.
 *
 * @param helped `undefined` where nothing was done, or nobody knows
 * @returns the end that it came to by this, for people to be told
 */
export async function leaveStanding(
  incident: Pick<Incident, 'id' | 'cluster' | 'nodeGroup' | 'alarm'>,
  helped: boolean | undefined,
  failures: number,
  logger: Pick<Logger, 'error'>,
): Promise<StandingEnd | undefined> {
  const { id: by, cluster, nodeGroup, alarm } = incident;
  if (alarm.standing === undefined || nodeGroup === undefined) return undefined;
  try {
    // A later one of the same group has a course of its own, which this incident is no part of.
    const read = await openedBy({ cluster, nodeGroup, id: alarm.standing });
    if (read === undefined) return undefined;
    const { treatment, id } = read.standing;
    const key = { cluster, nodeGroup, treatment, id };
    const { acts } = await courses().change(key, (course) =>
      hasPlace(course, by, new Date(0)) ? withoutPlace(course, by, helped) : course,
    );
    const now = new Date();
    const last = `the last in incident ${by}`;
    // Ended by an earlier try of this same close, which may have died before it told people: told twice rather than never.
    if (read.end?.by === rule && read.end.reason.endsWith(last)) return read.end;
    if (acts.failedInRow < failures || whyOver(read, now) !== undefined) return undefined;
    const end: StandingEnd = {
      version: 1,
      id: key.id,
      at: now.toISOString(),
      by: rule,
      reason: `${repeats[treatment]} did not help ${acts.failedInRow} times in a row, ${last}`,
    };
    return (await endStanding(dynamo(), environment().STATE_TABLE, cluster, end)) ? end : undefined;
  } catch (error) {
    logger.error('what came of a standing treatment could not be counted', { error });
    return undefined;
  }
}

/** The standing treatment of a group with this id, whichever of the kinds that there are: its node may be ill in another way by now. */
async function openedBy({
  id,
  ...of
}: {
  cluster: string;
  nodeGroup: string;
  id: string;
}): Promise<StandingRead | undefined> {
  for (const treatment of StandingTreatment.options) {
    const read = await readStanding(dynamo(), environment().STATE_TABLE, { ...of, treatment });
    if (read?.standing.id === id) return read;
  }
  return undefined;
}

async function askGroup(
  incident: Incident,
  rung: Rung,
  { now, logger }: Pick<Asking, 'now' | 'logger'>,
): Promise<GateResult> {
  try {
    const treatment = StandingTreatment.parse(rung.treatment);
    return oneOfGroup(await within(limitMs, 'the state table', readOf(incident, treatment)), now());
  } catch (error) {
    logger.error('the standing treatment of the group could not be read', { error });
    return oneOfGroup(undefined, now(), problemOf(error));
  }
}

function readOf(
  { cluster, nodeGroup }: Incident,
  treatment: StandingTreatment | undefined,
): Promise<StandingRead | undefined> {
  return nodeGroup === undefined || treatment === undefined
    ? Promise.resolve(undefined)
    : readStanding(dynamo(), environment().STATE_TABLE, { cluster, nodeGroup, treatment });
}
