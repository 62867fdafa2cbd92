import { identityOf } from '../adapters/instance-identity.ts';
import { vetoTagOf } from '../adapters/instance-veto.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { nodeGroupNow } from '../adapters/node-group.ts';
import { makeAct, type ReplacementTools } from '../adapters/replacement-act.ts';
import { membersOf, sizeOf, terminateInGroup } from '../adapters/scaling-group.ts';
import type { AuditEntry } from '../domain/audit/entry.ts';
import { openCordons } from '../domain/audit/open-changes.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import { handedOverMessage } from '../domain/progress-message.ts';
import { actSentence } from '../domain/replacement/act-sentence.ts';
import { afterAct, startRelief, startReplacement, stopReplacement } from '../domain/replacement/course.ts';
import type { ReplacementState } from '../domain/replacement/course-state.ts';
import { reliefOf, settingsOfRelief } from '../domain/treatments/evict-pods.ts';
import { settingsOf } from '../domain/treatments/replace-node.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import { actorOf } from './allowed-by.ts';
import { keepPlace } from './budget.ts';
import { LeaseLostError, type PhaseContext, phase } from './phase.ts';
import { problemOf } from './problem-of.ts';
import { tellProgress } from './tell-progress.ts';
import { changerFor } from './way-to-changer.ts';

/** From here on the node, or a pod of it, is not what it was, or goes: whoever says no is asked once more right before. */
const irreversible: readonly ReplacementState['at'][] = ['cordon', 'evict', 'hand-over'];

/**
 * Makes one act of a replacement, which can be asked for again: what it is about to change is in the audit before. The state machine
 * waits, and calls it for the next act. Each call renews the lease and the place in the budget.
 */
export const handler = phase('replace-step', async (state, context) => {
  const { cluster, audit, now, trail } = context;
  const { rung } = state;
  if (rung?.kind !== 'replace' && rung?.kind !== 'evict') {
    throw new MedicError('the present rung replaces no node, and evicts no pod');
  }
  const { id, cluster: name, instanceId } = state.incident;
  const before = state.replacement ?? (await begin(rung, instanceId, () => trail.entries(id)));
  const subject = { rung: state.ladder.index, treatment: rung.treatment };
  const told = (what: string, act: ReplacementState['at'], next: ReplacementState) =>
    audit({
      step: 'replacement.acted',
      actor: { kind: 'rule', id: 'replace' },
      what,
      ...subject,
      details: { act, next: next.at, node: next.node },
    });

  const settings =
    rung.kind === 'evict'
      ? settingsOfRelief(rung.arguments, cluster.replacement)
      : settingsOf(rung.arguments, cluster.replacement);
  const why = await whyNotOn(state, before, context);
  if (why !== undefined) {
    const next =
      'stop' in why
        ? stopReplacement(before, why.stop)
        : afterAct(before, { of: 'failure', says: why.unknown }, { settings, now: now() });
    const says = 'stop' in why ? why.stop : why.unknown;
    await told('stop' in why ? `it goes no further: ${says}` : `${says}; no pod is evicted`, before.at, next);
    return { ...state, replacement: { ...next, says } };
  }
  const tools: ReplacementTools = {
    change: async (change) => changerFor({ cluster: name, instanceId, incident: id })(change),
    terminateInGroup,
    membersOf,
    ownerNow: async (owner) => ({
      nodeGroup: owner.kind === 'managed-node-group' ? await nodeGroupNow(name, owner.nodeGroup) : undefined,
      group: 'group' in owner ? await sizeOf(owner.group, instanceId) : undefined,
    }),
    known: () => identityOf(instanceId),
    intend: (act, what) => intend(state, rung, before, { act, what }, context),
  };
  const happened = await makeAct(before, tools, settings);
  const replacement = afterAct(before, happened, { settings, now: now() });
  const sentence = actSentence(before, happened, replacement);
  if (sentence !== undefined) await told(sentence, before.at, replacement);
  if (before.at !== 'arrive' && replacement.at === 'arrive') {
    await tellProgress(state, handedOverMessage(state, replacement), context);
  }
  return { ...state, replacement: { ...replacement, says: sentence } };
});

async function begin(
  { kind, arguments: args }: Rung,
  instanceId: string,
  entries: () => Promise<AuditEntry[]>,
): Promise<ReplacementState> {
  if (kind === 'replace') return startReplacement(instanceId, openCordons(await entries()).length > 0);
  const relief = reliefOf(args);
  if (relief === undefined) throw new MedicError('the rung does not say which pods are to go');
  return startRelief(instanceId, relief);
}

/** stop: it ends here. unknown: the act is not made now, and is asked for again. */
type WhyNot = { stop: string } | { unknown: string };

/** Why the replacement must not go on, although it was allowed to begin. Only asked for as long as it can be taken back. */
async function whyNotOn(
  state: IncidentState,
  { at, handedOverAt }: ReplacementState,
  context: PhaseContext,
): Promise<WhyNot | undefined> {
  const kept = await keepPlace(state, context);
  if (handedOverAt !== null || at === 'uncordon' || at === 'over') return undefined;
  if (!kept)
    return { stop: 'its place in the budget of the cluster has expired, and others may have taken it' };
  if (!irreversible.includes(at)) return undefined;
  const { key } = context.cluster.gates.veto;
  try {
    const veto = await vetoTagOf(state.incident.instanceId, key);
    if (veto === null) return undefined;
    return { stop: `the instance has the tag ${key} by now: ${veto.slice(0, 200)}` };
  } catch (error) {
    const says = `whether there is a veto could not be read again: ${problemOf(error)}`;
    // Between two rounds of a drain there is time to ask again, until its deadline.
    return at === 'evict' ? { unknown: says } : { stop: says };
  }
}

/** Writes down what is about to be changed. With the cordon, how it is taken back: whatever happens from there on, it is found. */
async function intend(
  state: IncidentState,
  rung: Rung,
  { node }: ReplacementState,
  { act, what }: { act: ReplacementState['at']; what: string },
  { audit, renewFor, settings }: PhaseContext,
): Promise<void> {
  const subject = { rung: state.ladder.index, treatment: rung.treatment, arguments: rung.arguments };
  if (act === 'cordon') {
    await audit({
      step: 'treatment.intended',
      actor: actorOf(state),
      what: `${rung.treatment}: ${what}; ${rung.reason}`,
      ...subject,
      ...(state.before === undefined ? {} : { before: { ...state.before } }),
      details: { undo: { uncordon: { node } }, standing: false },
    });
  } else {
    const actor = { kind: 'rule', id: 'replace' } as const;
    await audit({ step: 'replacement.intended', actor, what, ...subject, details: { act, node } });
  }
  if (!irreversible.includes(act)) return;
  // The last look before the act: whoever took the node over meanwhile has moved the fencing number.
  const renewal = await renewFor(settings.lease.seconds);
  if (renewal.status === 'ours') return;
  throw new LeaseLostError(
    `the lease of ${state.incident.instanceId} was lost before ${rung.treatment}: ${act}`,
  );
}
