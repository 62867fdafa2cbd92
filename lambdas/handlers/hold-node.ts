import { setTimeout as sleep } from 'node:timers/promises';
import { nodeNamesOf } from '../adapters/instance-names.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { openCordons } from '../domain/audit/open-changes.ts';
import type { Command, IncidentState } from '../domain/incident-state.ts';
import type { Changed } from '../domain/replacement/changed.ts';
import { afterLook, type Hold, notHeld, toHold } from '../domain/replacement/hold.ts';
import { readDocumentResult } from '../domain/treatments/document-result.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import { actorOf } from './allowed-by.ts';
import { keepPlace } from './budget.ts';
import { LeaseLostError, type PhaseContext, phase } from './phase.ts';
import { problemOf } from './problem-of.ts';
import { uncordon } from './uncordon.ts';
import { type Changer, changerFor } from './way-to-changer.ts';

const attempts = 3;
const rule = { kind: 'rule', id: 'hold' } as const;

/**
 * Keeps new pods off the node before a treatment; and after it, at each call, looks whether the node has settled, and lets go of
 * it once it has, or will not. The cordon is in the audit before it is made, with how it is taken back.
 */
export const handler = phase('hold-node', async (state, context) => {
  const { rung } = state;
  if (rung === undefined) throw new MedicError('there is no rung that the node is held for');
  const { id: incident, cluster, instanceId } = state.incident;
  const change: Changer = (one) => changerFor({ cluster, instanceId, incident })(one);
  return state.hold === undefined
    ? begin(state, rung, change, context)
    : settle({ ...state, hold: state.hold }, rung, change, context);
});

async function begin(
  state: IncidentState,
  rung: Rung,
  change: Changer,
  context: PhaseContext,
): Promise<IncidentState> {
  const { instanceId } = state.incident;
  if (!(await keepPlace(state, context))) {
    return over(
      state,
      notHeld('refused', 'its place in the budget of the cluster has expired, and others may have taken it'),
    );
  }
  // Only a guess that spares reading the list of all nodes.
  const names = await nodeNamesOf(instanceId).catch(() => []);
  const found = await change({ do: 'condition', names }).catch((error: unknown) => ({
    gap: problemOf(error),
  }));
  if ('gap' in found) {
    return over(
      state,
      notHeld('refused', `how the node is could not be read, so it is not cordoned: ${found.gap}`),
    );
  }
  const step = toHold(found.node, rung.kind === 'cordon');
  if ('refused' in step) return over(state, notHeld('refused', step.refused));
  if ('asItIs' in step) return { ...state, hold: step.asItIs };
  const held = step.cordon;
  const { node } = held;
  if (node === null) throw new MedicError('the node that is to be cordoned has no name');
  const subject = { rung: state.ladder.index, treatment: rung.treatment };
  await context.audit({
    step: 'cordon.intended',
    actor: actorOf(state),
    what: `the node ${node} is about to be cordoned for ${rung.treatment}: ${rung.reason}`,
    ...subject,
    details: { undo: { uncordon: { node } } },
  });
  const { is, says } = await cordoned(change, node, instanceId, context);
  if (is === 'done' || is === 'already') return { ...state, hold: held };
  if (is === 'unknown')
    return over(state, notHeld('failed', `whether the node was cordoned is not known: ${says}`, node));
  await context.audit({ step: 'cordon.finished', actor: rule, what: says, outcome: 'nothing', ...subject });
  return over(state, notHeld('refused', `the node ${node} was not cordoned: ${says}`, node));
}

/** Asks for the cordon until somebody answers: it does nothing twice. */
async function cordoned(
  change: Changer,
  node: string,
  instanceId: string,
  { settings, logger, renewFor }: PhaseContext,
): Promise<Changed | { is: 'unknown'; says: string }> {
  for (let attempt = 1; ; attempt += 1) {
    // The last look before each try: whoever took the node over meanwhile has moved the fencing number, and has taken the cordon back.
    const renewal = await renewFor(settings.lease.seconds);
    if (renewal.status !== 'ours')
      throw new LeaseLostError(`the lease of ${instanceId} was lost before its node was cordoned`);
    try {
      return await change({ do: 'cordon', node });
    } catch (error) {
      logger.error('the node could not be cordoned', { error, node, attempt });
      if (attempt === attempts) return { is: 'unknown', says: problemOf(error) };
      await sleep(settings.command.pollSeconds * attempt * 1000);
    }
  }
}

async function settle(
  state: IncidentState & { hold: Hold },
  { treatment }: Rung,
  change: Changer,
  context: PhaseContext,
): Promise<IncidentState> {
  const { hold, command } = state;
  const { node } = hold;
  if (node === null) throw new MedicError('the node that was held has no name');
  await keepPlace(state, context);
  const treated = command?.status === 'succeeded';
  const seen = await change({ do: 'condition', names: [node] }).catch((error: unknown) => {
    context.logger.error('the node could not be looked at', { error, node });
    return { gap: problemOf(error) };
  });
  const next = afterLook(hold, 'gap' in seen ? seen : seen.node, {
    treated,
    startedAt: startedAtOf(command),
    now: context.now(),
    settleSeconds: context.cluster.replacement.settleSeconds,
    lookSeconds: context.settings.command.pollSeconds,
  });
  if (next.at === 'settling') return { ...state, hold: next };
  return { ...state, hold: await letGo(next, state, treatment, context) };
}

/** Since when the service runs that the document has restarted, as it says itself. */
function startedAtOf(command: Command | undefined): string | null {
  const read = readDocumentResult(command?.output);
  const { startedAt } = read.kind === 'result' ? read.result.after : {};
  return typeof startedAt === 'string' ? startedAt : null;
}

/** Takes the cordon back, unless an earlier rung has it for as long as the node is not well. */
async function letGo(
  hold: Hold,
  state: IncidentState,
  treatment: string,
  { trail, audit }: PhaseContext,
): Promise<Hold> {
  const { id: incident, cluster, instanceId } = state.incident;
  const rung = state.ladder.index;
  const open = openCordons(await trail.entries(incident));
  const own = open.find((change) => change.rung === rung && change.treatment === treatment);
  if (!hold.ours || own === undefined) return { ...hold, lifted: true };
  const keeps = hold.settled !== true && open.some((change) => change !== own);
  const { status, reason } = keeps
    ? ({ status: 'kept', reason: 'it stays cordoned, for an earlier rung has cordoned it' } as const)
    : await uncordon(own, { incident, cluster, instanceId }, audit, rule);
  await audit({
    step: 'cordon.finished',
    actor: rule,
    what: `${hold.says}; ${reason}`,
    outcome: status,
    rung,
    treatment,
    details: { settled: hold.settled },
  });
  const lifted = status !== 'failed';
  return { ...hold, lifted, says: lifted ? hold.says : `${hold.says}; ${reason}` };
}

/** The treatment does not begin: what is recorded of it is why. */
function over(state: IncidentState, hold: Hold): IncidentState {
  const command: Command = {
    status: hold.at === 'refused' ? 'refused' : 'failed',
    waitSeconds: 0,
    reason: hold.says,
  };
  return { ...state, hold, command };
}
