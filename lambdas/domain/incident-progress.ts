import { figureWithLimit } from './explanation.ts';
import { heldBack, heldBackSentence, mayFollow } from './held-back.ts';
import type { IncidentState, Outcome, RungResult } from './incident-state.ts';
import { lookAgainFor } from './look-again.ts';
import { repeats, StandingTreatment } from './standing/standing.ts';
import { standingChanges } from './standing-changes.ts';
import type { Rung } from './treatments/treatment.ts';
import { figureOf, type Sample } from './verification.ts';

/** The present rung as it will stand in the record. */
export function rungResult(state: IncidentState): RungResult | undefined {
  const { rung, gate, approval, treatment, verification, undo } = state;
  if (rung === undefined) return undefined;
  return {
    treatment: rung.treatment,
    arguments: rung.arguments,
    risk: rung.risk,
    ...(gate === undefined
      ? {}
      : { gate: { gate: gate.gate, decision: gate.decision, reason: gate.reason } }),
    ...(approval === undefined
      ? agreedBy(gate)
      : {
          approval: {
            id: approval.id,
            status: approval.decision,
            ...(approval.by === undefined ? {} : { by: approval.by }),
            ...(approval.reason === undefined ? {} : { reason: approval.reason }),
          },
        }),
    status: statusOf(state),
    ...(treatment === undefined ? {} : { reason: treatment.reason }),
    ...(treatment?.result === undefined ? {} : { result: treatment.result }),
    ...(verification === undefined
      ? {}
      : {
          verification: {
            cured: verification.verdict === 'cured',
            verdict: verification.verdict,
            provisional: verification.provisional,
            ...(verification.unseen ? { unseen: true } : {}),
            ...(verification.harmed ? { harmed: true } : {}),
            findings: verification.findings,
            ...(verification.alsoFound.length === 0 ? {} : { alsoFound: verification.alsoFound }),
            samples: keptLooks(verification.samples),
          },
        }),
    ...(undo === undefined ? {} : { undo }),
  };
}

/** The approval for the whole group of the node, where there was none for this rung. */
function agreedBy(gate: IncidentState['gate']): Pick<RungResult, 'approval'> {
  if (gate?.agreed === undefined) return {};
  const { id, by, approval, until } = gate.agreed;
  return {
    approval: { id: approval, status: 'approved', by, reason: `standing treatment ${id}, until ${until}` },
  };
}

/** Looks that a record carries on: a ladder of eight rungs has to fit into what Step Functions hands over. */
const mostLooks = 12;

/** At most twelve looks, spread evenly, the first and the last among them. The audit has all. */
export function keptLooks(samples: readonly Sample[]): Sample[] {
  if (samples.length <= mostLooks) return [...samples];
  const step = (samples.length - 1) / (mostLooks - 1);
  return Array.from({ length: mostLooks }, (_, index) => samples[Math.round(index * step)]).flatMap(
    (sample) => sample ?? [],
  );
}

function statusOf({ gate, treatment, command, rung, replacement }: IncidentState): RungResult['status'] {
  if (treatment !== undefined) return treatment.status;
  // It was sent, and something broke before its end was written down.
  if (command?.document !== undefined && command.document === rung?.document) return 'failed';
  if (replacement !== undefined) return 'failed';
  return gate?.decision === 'skip' ? 'skipped' : 'not-started';
}

/** The state on the next rung, or at the end of the ladder. What was learnt on this rung is in `results`. */
export function climb(state: IncidentState): IncidentState {
  const result = rungResult(state);
  const {
    rung: _,
    gate: __,
    approval: ___,
    recheck: ____,
    treatment: _____,
    verification,
    undo: ______,
    voided: _______,
    replacement: ________,
    cohort: _________,
    hold: __________,
    ...rest
  } = state;
  const cure = cureOf(state);
  const results = result === undefined ? state.results : [...state.results, result];
  const index = nextRung(state.plan, state.ladder.index, results, cure !== undefined);
  const rung = state.plan[index];
  const before = verification?.samples.at(-1) ?? state.before;
  return {
    ...rest,
    results,
    ...(cure === undefined ? {} : { cure }),
    ...(before === undefined ? {} : { before }),
    ladder: { index, status: rung === undefined ? 'exhausted' : 'rung' },
    ...(rung === undefined ? {} : { rung }),
  };
}

/**
 * Where the next rung is that has anything to do; the length of the plan where none has. Once a rung has stopped the
 * producer, no other need stop it; and until one has, what it made is freed once and not again and again.
 */
function nextRung(
  plan: readonly Rung[],
  index: number,
  results: readonly RungResult[],
  cured = false,
): number {
  const stopped = standingChanges(results).length > 0;
  const held = heldBack(results)?.by;
  const next = plan.findIndex(
    (rung, at) =>
      at > index &&
      mayFollow(rung, held) &&
      (stopped ? !rung.standing : !rung.onceStopped) &&
      (rung.kind === 'standing' ? isWorthRepeating(rung, results) : !cured),
  );
  return next < 0 ? plan.length : next;
}

/** What is to be repeated has to have helped here. */
function isWorthRepeating({ treatment }: Rung, results: readonly RungResult[]): boolean {
  const known = StandingTreatment.safeParse(treatment);
  const last = results.findLast((result) => known.success && result.treatment === repeats[known.data]);
  return last?.verification?.verdict === 'cured' || last?.verification?.verdict === 'relieved';
}

/** Whether something is left to ask about the group of the node, once the node itself is cured. */
export function asksOn(state: IncidentState): boolean {
  return climb(state).ladder.status === 'rung';
}

/** That the present rung has cured the node, or one before it has. */
function cureOf(state: IncidentState): IncidentState['cure'] {
  if (state.cure !== undefined) return state.cure;
  if (state.verification?.verdict !== 'cured') return undefined;
  const { reason } = endingOf(state);
  const lookAgain = lookAgainFor(state, new Date(state.verification.samples.at(-1)?.at ?? 0));
  return { reason, ...(lookAgain === undefined ? {} : { lookAgain }) };
}

/**
 * Where the ladder begins: at the first rung that this incident has not tried. A plan that is made anew, because an
 * approval was void or a gate had to be waited for, does not start over with what has not helped, and does nothing more to a node
 * that is cured.
 */
export function firstRung(plan: readonly Rung[], results: readonly RungResult[], cured = false): number {
  const tried = ({ treatment, onceStopped }: Rung): boolean =>
    !onceStopped && results.some((result) => result.treatment === treatment && result.status === 'done');
  const from = plan.findIndex((rung) => !tried(rung));
  return from < 0 ? plan.length : nextRung(plan, from - 1, results, cured);
}

/** The rungs between the present one and the next that were passed over, for the record. */
export function passedOver(before: IncidentState, after: IncidentState): Rung[] {
  return before.plan.slice(before.ladder.index + 1, after.ladder.index);
}

export type Ending = { outcome: Outcome; reason: string };

/** How an incident in this state ends. A state that no rule knows is a failure: it did nothing we can vouch for. */
export function endingOf(state: IncidentState): Ending {
  const { error, lease, gate, approval, recheck, verification, undo, diagnosis } = state;
  if (error !== undefined) {
    return {
      outcome: 'failed',
      reason: `${error.Error ?? 'an error'}: ${error.Cause ?? 'no cause given'}`.slice(0, 1000),
    };
  }
  if (lease.status === 'refused') return { outcome: 'refused', reason: lease.reason };
  if (undo?.status === 'failed') return { outcome: 'failed', reason: `the undo failed: ${undo.reason}` };
  if (state.cure !== undefined) {
    const { rung, treatment } = state;
    const why =
      treatment?.reason ?? approval?.reason ?? recheck?.reason ?? gate?.reason ?? 'it was not begun';
    const asked = rung?.kind === 'standing' && state.ladder.status === 'rung' ? rung.treatment : undefined;
    return {
      outcome: 'cured',
      reason: [
        state.cure.reason,
        ...(asked === undefined
          ? []
          : [`${asked}: ${approval?.decision === 'denied' ? 'denied, ' : ''}${why}`]),
      ].join('; '),
    };
  }
  if (state.rung?.kind === 'standing' && state.treatment?.status === 'done') {
    return leftOver(state, state.treatment.reason);
  }
  if (verification?.verdict === 'cured' && state.rung?.kind === 'replace') {
    return {
      outcome: 'cured',
      reason: `the node was replaced: ${state.treatment?.reason ?? 'no reason given'}`,
    };
  }
  if (verification?.verdict === 'cured') {
    const signal = state.rung?.expects.signal ?? 'dying';
    const last = state.rung?.treatment ?? 'it';
    const counts = `${figureOf(state.before, signal)} when looked at before ${last}, ${figureOf(verification.samples.at(-1), signal)} at the last look after it`;
    const helped = [
      ...standingChanges(state.results).map(({ treatment }) => treatment),
      state.rung?.treatment,
    ];
    const provisional = verification.provisional ? ' so far (provisional)' : '';
    return {
      outcome: 'cured',
      reason: `${helped.join(' and then ')} helped: ${counts}, and no new growth${provisional}`,
    };
  }
  const tried = state.results.filter(({ treatment, status }) => treatment !== 'notify' && status === 'done');
  if (state.ladder.status === 'empty') {
    // Diagnosed anew after an approval was void. Something was done, so "observed" would be a lie.
    if (tried.length > 0) return leftOver(state, `it is now diagnosed ${diagnosis?.cause}`);
    return {
      outcome: 'observed',
      reason: `${diagnosis?.cause ?? 'no diagnosis'}: nothing on this node asks for a treatment`,
    };
  }
  if (approval?.decision === 'denied' || approval?.decision === 'expired' || approval?.decision === 'void') {
    return { outcome: approval.decision, reason: approval.reason ?? `the approval is ${approval.decision}` };
  }
  if (recheck?.decision === 'refuse') return { outcome: 'refused', reason: recheck.reason };
  if (gate?.decision === 'observe' || gate?.decision === 'refuse') {
    // Something was done to this node, so "observed" would be a lie, whatever the gates say of the next rung.
    if (tried.length > 0) return leftOver(state, `stopped before ${state.rung?.treatment}: ${gate.reason}`);
  }
  if (gate?.decision === 'observe') return { outcome: 'observed', reason: gate.reason };
  if (gate?.decision === 'refuse') return { outcome: 'refused', reason: gate.reason };
  if (state.ladder.status === 'exhausted') {
    return leftOver(state, 'a person is asked to look');
  }
  return { outcome: 'failed', reason: 'the incident reached its end in a state that no rule knows' };
}

/** The end of an incident that cured nothing, by the best that a rung achieved. */
function leftOver(state: IncidentState, why: string): Ending {
  const relieved = state.results.find((result) => result.verification?.verdict === 'relieved');
  if (relieved !== undefined) {
    const against = (relieved.verification?.findings ?? [])
      .filter(({ speaks }) => speaks === 'against')
      .map(figureWithLimit);
    return {
      outcome: 'relieved',
      reason: `${relieved.treatment} made it better, but not well (${against.join('; ')}); ${why}`,
    };
  }
  const held = heldBack(state.results);
  if (held !== undefined) {
    return {
      outcome: 'unresolved',
      reason: `${heldBackSentence(held, state.plan)}, so nothing heavier was done; ${why}`,
    };
  }
  const done = state.results.filter(({ treatment, status }) => treatment !== 'notify' && status === 'done');
  const tried = done.map(({ treatment }) => treatment).join(', ');
  return {
    outcome: 'unresolved',
    reason: `${tried === '' ? 'nothing was treated' : `${tried} did not cure it`}; ${why}`,
  };
}
