import { ApprovalReader } from '../adapters/approval-reader.ts';
import { CohortStore } from '../adapters/cohort-store.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { KeptChangingError, surelyMs } from '../adapters/revised-item.ts';
import type { Approval } from '../domain/approval/approval.ts';
import { type Cohort, memberOf } from '../domain/cohort/cohort.ts';
import { cohortKey } from '../domain/cohort/cohort-key.ts';
import { factsOf } from '../domain/cohort/facts.ts';
import {
  type At,
  askedBy,
  begins,
  comeTo,
  type Decided,
  decided,
  type Joining,
  leaves,
} from '../domain/cohort/steps.ts';
import {
  type CohortRole,
  cohortBusy,
  cohortGate,
  cohortProblem,
  goesTogether,
  withoutCohort,
} from '../domain/gates/cohort-gate.ts';
import { unknownPlace } from '../domain/gates/fleet.ts';
import type { GateResult } from '../domain/gates/gate.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import { whereaboutsNow } from './budget.ts';
import { referenceTo } from './documents.ts';
import type { PhaseContext } from './phase.ts';
import { problemOf } from './problem-of.ts';

type Asking = Pick<PhaseContext, 'cluster' | 'settings' | 'now' | 'logger'>;

/** Beside the longest look at a node: somebody who waits asks every five minutes at the latest. */
const spareSeconds = 1800;
/** Who acts is through long before, whatever the treatment: its own end, or the janitor, says what came of it. */
const actSeconds = 4 * 3600;
/** Somebody whose approval has expired goes on at once. */
const afterExpirySeconds = 600;
export function cohorts(): CohortStore {
  return new CohortStore(dynamo(), environment().STATE_TABLE);
}

/** A change that must not be lost because many incidents come or end at the same moment. */
export async function changeSurely(
  cluster: string,
  key: string,
  by: (cohort: Cohort) => Cohort | undefined,
): Promise<Cohort> {
  return (await cohorts().change(cluster, by, key, surelyMs)).after;
}

export type AskedCohort = {
  result: GateResult;
  role: CohortRole;
  /** What the incident remembers of it; `undefined`: it belongs to none. */
  cohort: IncidentState['cohort'];
  /** The decision that was made for all of them. */
  decision: Cohort['decision'];
  /** The wave that is treated now. */
  wave?: Pick<Cohort['wave'], 'number' | 'size'>;
  whereabouts?: IncidentState['whereabouts'];
};

const alone = (why: string): AskedCohort => ({
  result: withoutCohort(why),
  role: 'alone',
  cohort: undefined,
  decision: null,
});

/**
 * Whether an incident that waits for its cohort still has to: then no other gate is asked. One read of one item, for hundreds
 * may wait.
 */
export async function stillWaits(state: IncidentState, context: Asking): Promise<AskedCohort | undefined> {
  const { cohort, gate } = state;
  if (cohort?.waits !== true || gate?.decision !== 'wait' || gate.gate !== 'cohort') return undefined;
  const asked = await ask(state, cohort, context);
  return asked.role === 'waits' ? asked : undefined;
}

/**
 * Asks the cohort about one rung: joins it, waits for its decision or its wave, or learns how it ended.
 *
 * @param answer the strictest of the other gates, before any approval
 * @param asks gates that ask a person
 */
export async function askCohort(
  state: IncidentState,
  rung: Rung,
  context: Asking,
  { answer, asks }: { answer: GateResult; asks: readonly string[] },
): Promise<AskedCohort> {
  const { cohort } = state;
  const apart = whyApart(rung, context);
  if (apart !== undefined) {
    // Otherwise its turn would be kept for it until it is given up for lost.
    await leaveQuietly(state, context);
    return alone(apart);
  }
  try {
    const key = keyOf(state, rung, asks);
    const isMember = cohort !== undefined && (cohort.key === key || (await isDecided(state, rung, asks)));
    const goesOn = answer.decision === 'pass' || answer.decision === 'ask';
    // What another gate says for now takes nobody out; what is something else than before does.
    if (cohort !== undefined && !isMember && goesOn) await leaveQuietly(state, context);
    if (!isMember && !goesTogether(rung, answer.decision)) {
      if (goesOn) return alone('nobody is asked, and it disrupts nothing');
      // It is still of the one that it came to, and leaves it as its rung ends.
      return { ...alone(`not asked: ${answer.gate} stops it already`), cohort };
    }
    const whereabouts = isMember ? state.whereabouts : await placeOf(state, context);
    const placed = whereabouts === undefined ? state : { ...state, whereabouts };
    return { ...(await ask(placed, isMember ? cohort : { key, asks }, context)), whereabouts };
  } catch (error) {
    context.logger.error('the cohort could not be asked', { error });
    return { ...alone(''), role: 'stopped', cohort, result: cohortProblem(problemOf(error)) };
  }
}

/** Why an incident stands by itself, whatever the others do. */
function whyApart({ kind }: Rung, { cluster }: Asking): string | undefined {
  if (!cluster.gates.cohort.enabled)
    return 'incidents are not treated together here (settings gates.cohort.enabled)';
  return kind === 'notify' ? 'telling people is never too much' : undefined;
}

/** Gates that ask for a person, and show nothing of the node: each that was treated counts at recurrence, for one. */
const answeredForAll: readonly string[] = ['mode', 'recurrence'];

/**
 * What people have decided on all of them holds for each, though more gates would ask now; not for a node of which a gate asks
 * about something that was not there to see, such as a cordon.
 */
async function isDecided(state: IncidentState, rung: Rung, asks: readonly string[]): Promise<boolean> {
  const { cohort, incident } = state;
  if (cohort === undefined) return false;
  if (asks.some((gate) => !cohort.asks.includes(gate) && !answeredForAll.includes(gate))) return false;
  if (keyOf(state, rung, cohort.asks) !== cohort.key) return false;
  const present = await cohorts().read(incident.cluster, cohort.key);
  return present.decision !== null && memberOf(present, incident.id) !== undefined;
}

/** After an approval: whether it is still the turn of who asked for it. It does not join anything any more. */
export async function keepTurn(state: IncidentState, context: Asking): Promise<GateResult> {
  if (state.cohort === undefined) return withoutCohort('it was decided for this node alone');
  const { role, result } = await ask(state, state.cohort, context);
  return role === 'turn' || role === 'busy' ? result : { ...result, decision: 'refuse' };
}

/** For people to read: what cannot be learnt is left out. */
function placeOf(state: IncidentState, { logger }: Asking): Promise<IncidentState['whereabouts']> {
  return whereaboutsNow(state).catch((error: unknown) => {
    logger.warn('where the node stands could not be learnt', { error });
    return undefined;
  });
}

function keyOf({ diagnosis, incident }: IncidentState, rung: Rung, asks: readonly string[]): string {
  if (diagnosis === undefined) throw new MedicError('there is no diagnosis to find others with');
  return cohortKey({
    diagnosis,
    rung,
    documentDigest: rung.document === undefined ? undefined : referenceTo(rung.document).contentDigest,
    asks,
    requestedBy: incident.alarm.requestedBy,
  });
}

async function ask(
  state: IncidentState,
  { key, asks }: { key: string; asks: readonly string[] },
  context: Asking,
): Promise<AskedCohort> {
  const { id: incident, cluster } = state.incident;
  const settings = context.cluster.gates.cohort;
  const before = state.cohort?.key === key ? state.cohort : undefined;
  const unsaid = { cohort: before ?? { key, asks: [...asks], waits: false, many: false }, decision: null };
  try {
    const present = await withoutLostLeader(cluster, key, context);
    const at = atNow(context);
    const me = joiningOf(state, asks.length === 0);
    const come = (cohort: Cohort): Cohort => comeTo(cohort, me, at);
    const after = come(present) === present ? present : (await cohorts().change(cluster, come, key)).after;
    const { role, result } = cohortGate(after, { incident, settings, now: at.now });
    const cohort = { key, asks: [...asks], waits: role === 'waits', many: after.many };
    const { number, size } = after.wave;
    return { role, result, cohort, decision: after.decision, wave: { number, size } };
  } catch (error) {
    context.logger.error('the cohort could not be asked', { error });
    return error instanceof KeptChangingError
      ? { ...unsaid, role: 'busy', result: cohortBusy(settings, context.now()) }
      : { ...unsaid, role: 'stopped', result: cohortProblem(problemOf(error)) };
  }
}

/** Where the leader has not come back, what people decided holds all the same; where they have not, somebody else leads. */
async function withoutLostLeader(cluster: string, key: string, context: Asking): Promise<Cohort> {
  const cohort = await cohorts().read(cluster, key);
  const { phase, asked, leader } = cohort;
  const until = memberOf(cohort, leader)?.until ?? '';
  if (phase !== 'asks' || asked === null || Date.parse(until) > context.now().getTime()) return cohort;
  const decision = await decisionOn(asked.approvalId);
  const at = atNow(context);
  const { after } = await cohorts().change(
    cluster,
    (present) => {
      const settled = decided(present, decision, at);
      // Who has been away for so long is no canary either, whatever was decided: the next is.
      return settled === present
        ? present
        : leaves(settled, leader, { came: 'left', why: 'it was lost' }, at);
    },
    key,
  );
  return after;
}

/** What people have decided by now. What they have not is void. */
export async function decisionOn(approvalId: string): Promise<Decided> {
  const approval = await new ApprovalReader(dynamo(), environment().STATE_TABLE).get(approvalId);
  const { status, decisions = [] } = approval ?? {};
  return {
    approvalId,
    status: status === 'approved' || status === 'denied' ? status : 'void',
    by: decisions.map(({ person }) => person).join(', '),
    reason: decisions.at(-1)?.reason,
  };
}

function joiningOf(
  { incident, whereabouts, diagnosis, evidence, rung }: IncidentState,
  automatic: boolean,
): Joining {
  return {
    incident: incident.id,
    instanceId: incident.instanceId,
    treatment: rung?.treatment ?? '',
    automatic,
    zone: whereabouts?.zone ?? unknownPlace,
    group: whereabouts?.nodeGroup ?? unknownPlace,
    image: incident.imageId ?? null,
    facts: diagnosis === undefined ? [] : factsOf(diagnosis, evidence),
  };
}

/** The leader asks people now. @returns whether it may: it does not lead any more where it was away for too long */
export async function beginsToAsk(
  { incident, cohort }: IncidentState,
  { id, expiresAt }: NonNullable<IncidentState['approval']>,
  { gates }: PhaseContext['cluster'],
): Promise<boolean> {
  if (cohort === undefined) return true;
  const until = new Date(Date.parse(expiresAt) + afterExpirySeconds * 1000);
  const after = await changeSurely(incident.cluster, cohort.key, (present) =>
    askedBy(present, incident.id, id, until, gates.cohort),
  );
  return after.phase === 'asks' && after.leader === incident.id && after.asked?.approvalId === id;
}

/** The cohort that a card is about, where it speaks of more than one node. */
export async function cohortAsked({
  incident,
  cohort,
  approval,
}: IncidentState): Promise<{ key: string; cohort: Cohort } | undefined> {
  if (cohort === undefined) return undefined;
  const present = await cohorts().read(incident.cluster, cohort.key);
  const isAsked = present.asked?.approvalId === approval?.id && present.asked?.all === true;
  return isAsked ? { key: cohort.key, cohort: present } : undefined;
}

/**
 * What people have decided holds for the cohort from now on.
 *
 * @returns what the leader remembers; `undefined` where it goes on by itself: the card spoke of it alone, or it does not go on
 */
export async function decideForAll(
  { incident, cohort }: IncidentState,
  approval: Approval,
  reason: string | undefined,
  context: Pick<Asking, 'cluster' | 'settings' | 'now'>,
): Promise<IncidentState['cohort']> {
  if (cohort === undefined || approval.status === 'pending') return cohort;
  const { id: approvalId, status, decisions } = approval;
  const by = decisions.map(({ person }) => person).join(', ');
  const after = await changeSurely(incident.cluster, cohort.key, (present) =>
    decided(present, { approvalId, status, by, reason }, atNow(context)),
  );
  const goes = after.phase === 'goes' && after.decision?.approvalId === approvalId;
  return goes && memberOf(after, incident.id) !== undefined
    ? { ...cohort, waits: false, many: true }
    : undefined;
}

/** The treatment begins now. @returns why it may not, or not yet, where it may not */
export async function beginsToAct(
  { incident, cohort }: IncidentState,
  { cluster, now, logger }: Asking,
): Promise<GateResult | undefined> {
  const refuse = (reason: string): GateResult => ({ gate: 'cohort', decision: 'refuse', reason });
  if (cohort === undefined) return undefined;
  const until = new Date(now().getTime() + actSeconds * 1000);
  try {
    const after = await changeSurely(incident.cluster, cohort.key, (present) =>
      begins(present, incident.id, until),
    );
    if (after.phase === 'goes' && memberOf(after, incident.id)?.is === 'acts') return undefined;
    return refuse('its cohort was stopped, or its turn in it was over, just before');
  } catch (error) {
    logger.error('the cohort could not be told that a treatment begins', { error });
    if (error instanceof KeptChangingError) return cohortBusy(cluster.gates.cohort, now());
    return refuse(`its cohort could not be told that it begins: ${problemOf(error)}`);
  }
}

/**
 * It is not of this cohort any more, without having been treated; who ends next tells what that comes to.
 *
 * @returns whether others go on by what was decided
 */
export async function leaveQuietly({ incident, cohort }: IncidentState, context: Asking): Promise<boolean> {
  if (cohort === undefined) return false;
  try {
    const after = await changeSurely(incident.cluster, cohort.key, (present) =>
      leaves(present, incident.id, { came: 'left', why: 'the node has moved on' }, atNow(context)),
    );
    return after.phase === 'goes' && after.members.length > 0;
  } catch (error) {
    context.logger.error('an incident could not leave its cohort', { error });
    return cohort.many;
  }
}

export function atNow({ cluster, settings, now }: Pick<Asking, 'cluster' | 'settings' | 'now'>): At {
  const present = now();
  const { deliverySeconds, evidenceSeconds } = settings.command;
  const until = new Date(present.getTime() + (deliverySeconds + evidenceSeconds + spareSeconds) * 1000);
  return { now: present, settings: cluster.gates.cohort, until };
}
