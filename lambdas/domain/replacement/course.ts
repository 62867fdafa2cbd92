import type { Replacement } from '../settings/replacement.ts';
import type { Arrival } from './arrival.ts';
import type { Changed } from './changed.ts';
import { type Cordon, cordonAnnotation } from './cordon.ts';
import type { CourseEnd, ReplacementState } from './course-state.ts';
import { startDrain } from './drain.ts';
import type { DrainNext, DrainReport, DrainState } from './drain-state.ts';
import { callFor, type Owner } from './owner.ts';
import type { Relief } from './relief.ts';

/** So many failures in a row of one act, some minutes in all, and it is given up. */
export const mostFailures = 6;
const failureSeconds = 10;

/** What became of the act that the state asks for. failure: nobody knows whether it was done. */
export type Happened =
  | {
      of: 'examine';
      node: { name: string; owner: Owner; cordon: Cordon; whyNot?: string | undefined } | null;
    }
  | { of: 'cordon' | 'uncordon' | 'hand-over'; changed: Changed }
  | { of: 'drain'; state: DrainState; next: DrainNext }
  | { of: 'evict'; answers: ReplacementState['answers'] }
  | { of: 'arrive'; seen: Arrival }
  | { of: 'failure'; says: string };

/**
 * A drain of some pods only, of a node that an earlier rung of the incident has cordoned. That cordon is not its own: it makes none, and
 * takes none back.
 */
export function startRelief(instanceId: string, relief: Relief): ReplacementState {
  return { ...startReplacement(instanceId), relief };
}

/** @param begunBefore whether the trail of this incident has a replacement already, whose cordon may stand */
export function startReplacement(instanceId: string, begunBefore = false): ReplacementState {
  return {
    instanceId,
    at: 'examine',
    node: null,
    owner: null,
    cordon: begunBefore ? 'maybe' : 'no',
    drain: null,
    evict: [],
    answers: [],
    askedAt: null,
    handedOverAt: null,
    failures: 0,
    handOverFailures: 0,
    waitSeconds: 0,
    end: null,
  };
}

/**
 * The course of a replacement, one act after the other: examine, cordon, drain, hand over, arrive; or the cordon taken back. Each
 * act may have been made although its answer was lost, so that what cannot be known counts as done where it has to be taken
 * back, and as not done where the next act rests on it.
 */
export function afterAct(
  state: ReplacementState,
  happened: Happened,
  { settings, now }: { settings: Replacement; now: Date },
): ReplacementState {
  if (state.at === 'over') return state;
  if (happened.of === 'failure') return afterFailure(state, happened.says, settings, now);
  const going = { ...state, failures: 0, waitSeconds: 0 };
  switch (happened.of) {
    case 'examine':
      return examined(going, happened.node, settings, now);
    case 'cordon':
      return cordoned(going, happened.changed, settings, now);
    case 'drain':
      return drained(
        { ...going, drain: happened.state, answers: [], evict: [] },
        happened.next,
        settings,
        now,
      );
    case 'evict':
      return {
        ...going,
        at: 'drain',
        evict: [],
        answers: happened.answers,
        waitSeconds: state.thenSeconds ?? 5,
      };
    case 'hand-over':
      return handedOver(going, happened.changed, settings, now);
    case 'arrive':
      return arrived(going, happened.seen, settings, now);
    case 'uncordon':
      return uncordoned(going, happened.changed);
  }
}

/** Ends a replacement that must not go on, unless its owner has been told already: then the node goes, whatever anybody says. */
export function stopReplacement(state: ReplacementState, says: string): ReplacementState {
  const goes = state.at === 'arrive' || state.at === 'uncordon' || state.at === 'over';
  return goes ? state : finish(state, 'refused', says);
}

/** The call to the owner of the node, where the state asks for it. */
export function handOverOf({ owner, instanceId }: ReplacementState) {
  return callFor(owner ?? { kind: 'unknown', why: 'it was not examined' }, instanceId);
}

function examined(
  state: ReplacementState,
  node: Extract<Happened, { of: 'examine' }>['node'],
  settings: Replacement,
  now: Date,
): ReplacementState {
  if (node === null) return finish({ ...state, cordon: 'no' }, 'gone', `no node is ${state.instanceId}`);
  if (state.relief !== undefined) return examinedForRelief(state, state.relief, node, now);
  const call = callFor(node.owner, state.instanceId);
  // Ours: an earlier attempt has died after it. Whatever speaks against the node now, that is taken back.
  const cordon = node.cordon === 'ours' ? 'ours' : node.cordon === 'lifted' ? 'maybe' : 'no';
  const known: ReplacementState = { ...state, node: node.name, owner: node.owner, cordon };
  if (node.whyNot !== undefined) return finish(known, 'refused', node.whyNot);
  if ('refused' in call) return finish(known, 'refused', call.refused);
  switch (node.cordon) {
    case 'none':
      return { ...known, at: 'cordon' };
    case 'ours':
      return beginDrain(known, settings, now);
    case 'lifted':
      return finish(known, 'refused', 'somebody has uncordoned it since this incident cordoned it');
    case 'another':
      return finish(known, 'refused', 'another incident has cordoned it');
    case 'foreign':
      // They are at work on it, or want to keep it as it is.
      return finish(known, 'refused', 'somebody else has cordoned it');
  }
}

/** Only on a node that this incident has cordoned: elsewhere the pods that go may come back. */
function examinedForRelief(
  state: ReplacementState,
  relief: Relief,
  { name, owner, cordon, whyNot }: NonNullable<Extract<Happened, { of: 'examine' }>['node']>,
  now: Date,
): ReplacementState {
  const known: ReplacementState = { ...state, node: name, owner };
  if (whyNot !== undefined) return finish(known, 'refused', whyNot);
  if (cordon !== 'ours') {
    return finish(
      known,
      'refused',
      'it does not have the cordon of this incident, and pods could come back to it',
    );
  }
  const drain = startDrain({ cordonedByUs: true, drainMinutes: relief.minutes, relief }, now);
  return { ...known, at: 'drain', drain };
}

function cordoned(
  state: ReplacementState,
  { is, says }: Changed,
  settings: Replacement,
  now: Date,
): ReplacementState {
  switch (is) {
    case 'done':
    case 'already':
      return beginDrain({ ...state, cordon: 'ours' }, settings, now);
    case 'gone':
      return finish({ ...state, cordon: 'no' }, 'gone', says);
    case 'refused':
      // After an answer that was lost, or a function that died after the act, it may still have our name on it.
      return finish({ ...state, cordon: 'maybe' }, 'refused', says);
  }
}

function beginDrain(state: ReplacementState, { drainMinutes }: Replacement, now: Date): ReplacementState {
  return { ...state, at: 'drain', drain: startDrain({ cordonedByUs: true, drainMinutes }, now) };
}

function drained(
  state: ReplacementState,
  next: DrainNext,
  settings: Replacement,
  now: Date,
): ReplacementState {
  if (next.do === 'evict') return { ...state, at: 'evict', evict: next.pods, thenSeconds: next.thenSeconds };
  if (next.do === 'wait') return { ...state, at: 'drain', waitSeconds: next.seconds };
  switch (next.end.is) {
    case 'done':
      if (state.relief !== undefined) return finish(state, 'relieved', reliefText(state));
      return { ...state, at: 'hand-over', askedAt: state.askedAt ?? now.toISOString() };
    case 'gone':
      // Its owner was asked, and nobody heard the answer.
      if (state.handOverFailures > 0) return arriving(state, settings, now);
      return finish({ ...state, cordon: 'no' }, 'gone', 'the node has gone while it was drained');
    case 'gave-up':
      return finish(state, 'not-drained', next.end.report.why, next.end.report);
  }
}

function reliefText({ node, drain }: ReplacementState): string {
  const evicted = drain?.evicted ?? 0;
  if (evicted === 0) return `no pod of the node ${node} is of the kind that may go`;
  return `${evicted === 1 ? '1 pod' : `${evicted} pods`} of the node ${node} were evicted, and have gone`;
}

function handedOver(
  state: ReplacementState,
  { is, says }: Changed,
  settings: Replacement,
  now: Date,
): ReplacementState {
  if (is === 'refused') return finish(state, 'refused', says);
  // Gone: its owner has let go of it already.
  return arriving(state, settings, now);
}

function arriving(state: ReplacementState, { lookSeconds }: Replacement, now: Date): ReplacementState {
  return { ...state, at: 'arrive', handedOverAt: now.toISOString(), waitSeconds: lookSeconds };
}

function arrived(
  state: ReplacementState,
  { oldGone, arrived: newcomer }: Arrival,
  settings: Replacement,
  now: Date,
): ReplacementState {
  const byClaim = state.owner?.kind === 'karpenter' || state.owner?.kind === 'auto-mode';
  if (oldGone && byClaim) {
    return finish(state, 'replaced', 'the node has gone; a new one comes where pods need one');
  }
  if (oldGone && newcomer?.ready) {
    const done = finish(state, 'replaced', `${newcomer.node} is Ready, and runs pods`);
    return done.end === null ? done : { ...done, end: { ...done.end, newNode: newcomer.node } };
  }
  if (isLate(state, settings, now)) {
    const seen = newcomer === null ? 'no new node' : `${newcomer.node}, which is not Ready or runs no pod`;
    const late = `after ${settings.arriveMinutes} min there is ${seen}`;
    if (oldGone) return finish(state, 'failed', `${late}, and the old one has gone`);
    return keptCordoned(state, `${late}, and the old one is still there`);
  }
  return { ...state, waitSeconds: settings.lookSeconds };
}

function uncordoned(state: ReplacementState, { is, says }: Changed): ReplacementState {
  const { end } = state;
  if (end === null) return finish(state, 'failed', says);
  // Refused: it has another name on it by now, or none, and is not ours to take back.
  const adds = is === 'refused' && !end.says.endsWith(says);
  return {
    ...state,
    at: 'over',
    end: { ...end, cordonLeft: false, ...(adds ? { says: `${end.says}; ${says}` } : {}) },
  };
}

function afterFailure(
  state: ReplacementState,
  says: string,
  settings: Replacement,
  now: Date,
): ReplacementState {
  const failures = state.failures + 1;
  const again: ReplacementState = { ...state, failures, waitSeconds: failureSeconds * failures };
  const given = failures >= mostFailures;
  switch (state.at) {
    case 'examine':
      return given ? finish(state, 'failed', `the node could not be examined: ${says}`) : again;
    case 'cordon': {
      const maybe: ReplacementState = { ...again, cordon: 'maybe' };
      return given ? finish(maybe, 'failed', `it could not be cordoned: ${says}`) : maybe;
    }
    case 'evict':
    case 'drain':
      // What was evicted shows in the next look.
      return given
        ? finish(state, 'failed', `it could not be drained: ${says}`)
        : { ...again, at: 'drain', evict: [], answers: [] };
    case 'hand-over': {
      const handOverFailures = state.handOverFailures + 1;
      if (handOverFailures >= mostFailures) {
        return finish(state, 'failed', `whether its owner ends it is not known: ${says}`);
      }
      // Before its owner is asked again, the node is looked at: it has to be cordoned and empty still.
      const drain = state.drain === null ? null : { ...state.drain, end: null };
      return {
        ...again,
        at: 'drain',
        failures: 0,
        handOverFailures,
        drain,
        answers: [],
        waitSeconds: failureSeconds * handOverFailures,
      };
    }
    case 'arrive':
      return isLate(state, settings, now)
        ? keptCordoned(state, `whether a new node has come is not known: ${says}`)
        : { ...again, waitSeconds: settings.lookSeconds };
    case 'uncordon':
      return given ? { ...state, at: 'over', waitSeconds: 0 } : again;
    case 'over':
      return state;
  }
}

/** Before anything ends, a cordon of ours is taken back, unless the node has been handed over and goes. */
function finish(
  state: ReplacementState,
  is: CourseEnd['is'],
  says: string,
  report?: DrainReport,
): ReplacementState {
  const ours = state.cordon !== 'no' && state.handedOverAt === null;
  const end: CourseEnd = { is, says, cordonLeft: ours, ...(report === undefined ? {} : { report }) };
  return {
    ...state,
    // Without its name nothing can be taken back, and the end says so.
    at: ours && state.node !== null ? 'uncordon' : 'over',
    failures: 0,
    waitSeconds: 0,
    evict: [],
    answers: [],
    end,
  };
}

/**
 * Ends without an uncordon a replacement whose old node may never go: its owner was told that it goes, so that no pod shall come to
 * it; and nobody comes back for its cordon but a person.
 */
function keptCordoned(state: ReplacementState, says: string): ReplacementState {
  const { node } = state;
  const ended = finish(state, 'failed', says);
  if (ended.end === null || state.cordon === 'no') return ended;
  const what = `the node ${node} stays cordoned, for its owner was asked to end it: see why it has not, and end it there, or take it back (kubectl uncordon ${node} && kubectl annotate node ${node} ${cordonAnnotation}-)`;
  return { ...ended, end: { ...ended.end, says: `${says}; ${what}`, cordonLeft: true } };
}

function isLate({ handedOverAt }: ReplacementState, { arriveMinutes }: Replacement, now: Date): boolean {
  return now.getTime() >= Date.parse(handedOverAt ?? '') + arriveMinutes * 60_000;
}
