import type { Logger } from '@aws-lambda-powertools/logger';
import { BreakerStore } from '../adapters/breaker-store.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { embed } from '../adapters/embedded-metrics.ts';
import { environment } from '../adapters/environment.ts';
import { KeptChangingError, surelyMs } from '../adapters/revised-item.ts';
import type { AuditDraft } from '../domain/audit/entry.ts';
import {
  type BreakerState,
  type Failure,
  withCanary,
  withFailure,
  withoutCanary,
  withSuccess,
} from '../domain/gates/breaker.ts';
import { breakerBusy, breakerGate } from '../domain/gates/breaker-gate.ts';
import type { GateResult } from '../domain/gates/gate.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Breaker } from '../domain/settings/gates.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import type { PhaseContext } from './phase.ts';
import { problemOf } from './problem-of.ts';

type Asked = Pick<PhaseContext, 'cluster' | 'now' | 'logger'>;
/** What a change is written down with. */
type Tools = { audit(draft: AuditDraft): Promise<unknown>; logger: Pick<Logger, 'error'> };

function breakers(): BreakerStore {
  return new BreakerStore(dynamo(), environment().STATE_TABLE);
}

/**
 * Asks the breaker of the cluster about one rung.
 *
 * @param others what all other gates say: only where they let the rung go on does it take the one place of a canary
 */
export async function askBreaker(
  { incident }: IncidentState,
  rung: Rung,
  { cluster, now, logger }: Asked,
  others: GateResult,
): Promise<GateResult> {
  const settings = cluster.gates.breaker;
  const asked = { incident: incident.id, rung, settings, now: now() };
  let state: BreakerState | undefined;
  try {
    state = await breakers().read(incident.cluster);
    if (rung.kind !== 'notify') publish(incident.cluster, state.openedAt !== null);
    const answer = breakerGate(state, asked);
    const isCanary = state.canary?.incident === incident.id;
    if (answer.decision !== 'canary' && !isCanary) return answer;
    const goesOn = others.decision === 'pass' || others.decision === 'ask';
    if (!goesOn) return { gate: 'breaker', decision: 'pass', reason: answer.reason };
    // One that has the place already, and comes back with an approval, holds it from now on.
    const hold = holdSeconds(cluster, rung);
    const taken = await breakers().change(incident.cluster, (present) =>
      withCanary(present, incident.id, settings, asked.now, hold),
    );
    const again = breakerGate(taken.after, asked);
    // Somebody else has the place, or has closed the breaker, since.
    return again.decision === 'canary'
      ? { gate: 'breaker', decision: 'refuse', reason: 'the place of the canary could not be taken' }
      : again;
  } catch (error) {
    logger.error('the breaker could not be asked', { error });
    if (error instanceof KeptChangingError) return breakerBusy(now());
    const answer = breakerGate(undefined, { ...asked, problem: problemOf(error) });
    return answer.decision === 'canary' ? { ...answer, decision: 'refuse' } : answer;
  }
}

/** A treatment did not help, or nobody knows what it did. */
export async function countFailure(
  state: IncidentState,
  { why, harmed }: Pick<Failure, 'why' | 'harmed'>,
  context: PhaseContext,
): Promise<void> {
  const { incident, rung } = state;
  if (rung === undefined) return;
  const failure: Failure = {
    incident: incident.id,
    instanceId: incident.instanceId,
    treatment: rung.treatment,
    why: why.slice(0, 200),
    harmed,
    at: context.now().toISOString(),
  };
  await change(incident.cluster, context, aboutRung(state), (breaker) =>
    withFailure(breaker, failure, context.cluster.gates.breaker),
  );
}

/** A treatment has helped. */
export async function countSuccess(state: IncidentState, context: PhaseContext): Promise<void> {
  const { id, cluster } = state.incident;
  await change(cluster, context, aboutRung(state), (breaker) => withSuccess(breaker, id));
}

/** The incident is over: if it was the canary, another may be. */
export async function leavePlace(state: IncidentState, context: PhaseContext): Promise<void> {
  const { id, cluster } = state.incident;
  await change(cluster, context, aboutRung(state), (breaker) => withoutCanary(breaker, id));
}

/**
 * The execution of an incident died. With a change of ours on the node that is a treatment that broke off; without one it was
 * at most the canary, and is not any more.
 */
export async function countDeath(
  { incident, cluster, instanceId }: { incident: string; cluster: string; instanceId: string },
  treatment: string | undefined,
  settings: Breaker,
  tools: Tools,
): Promise<void> {
  const at = new Date().toISOString();
  const why = 'its execution died';
  await change(cluster, tools, {}, (breaker) =>
    treatment === undefined
      ? withoutCanary(breaker, incident)
      : withFailure(breaker, { incident, instanceId, treatment, why, harmed: false, at }, settings),
  );
}

/** What cannot be written is logged, and the incident itself goes on; a table that is away keeps the gate of the breaker shut as well. */
async function change(
  cluster: string,
  { audit, logger }: Tools,
  about: Pick<AuditDraft, 'rung' | 'treatment'>,
  by: (breaker: BreakerState) => BreakerState,
): Promise<void> {
  let changed: Awaited<ReturnType<BreakerStore['change']>>;
  try {
    changed = await breakers().change(cluster, by, undefined, surelyMs);
  } catch (error) {
    return logger.error('the breaker could not be changed', { error, cluster });
  }
  const { before, after } = changed;
  if (before.openedAt === after.openedAt) return;
  const opened = after.openedAt !== null;
  publish(cluster, opened);
  await audit({
    step: 'breaker.changed',
    actor: { kind: 'rule', id: 'gate:breaker' },
    what: opened
      ? `the breaker of ${cluster} opens: ${after.failures.length} incidents were not helped`
      : `the breaker of ${cluster} closes: the canary was helped`,
    outcome: opened ? 'open' : 'closed',
    ...about,
    details: { failures: (opened ? after : before).failures },
  });
}

function aboutRung({ ladder, rung }: IncidentState): Pick<AuditDraft, 'rung' | 'treatment'> {
  return { rung: ladder.index, ...(rung === undefined ? {} : { treatment: rung.treatment }) };
}

/** With each question and each change, so that a change of which the figure was lost shows at the next incident. */
function publish(cluster: string, open: boolean): void {
  embed({ Cluster: cluster }, [{ metric: 'BreakerOpen', unit: 'Count', value: open ? 1 : 0 }]);
}

/** An approval may take its time, and so may the looks after the treatment; half an hour is for all the rest. */
function holdSeconds({ approval, verification }: PhaseContext['cluster'], { risk }: Rung): number {
  const wait = risk === 'none' ? 0 : approval.expirySeconds[risk];
  return wait + verification.windowSeconds + 1800;
}
