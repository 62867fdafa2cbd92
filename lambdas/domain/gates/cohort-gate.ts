import { type Cohort, type Member, memberOf, mostMembers } from '../cohort/cohort.ts';
import { isFull } from '../cohort/steps.ts';
import { stoppedText } from '../cohort/waves.ts';
import type { CohortSettings } from '../settings/cohort.ts';
import type { Rung } from '../treatments/treatment.ts';
import type { GateResult } from './gate.ts';

/**
 * What a cohort means for one of its incidents. alone: it stands by itself. asks: it leads, and has people asked now. waits:
 * for the decision, its wave, or the end of a cohort that it came too late for. turn: it may act. busy: it could not be
 * asked yet. Of the others it ends.
 */
export type CohortRole =
  | 'alone'
  | 'asks'
  | 'waits'
  | 'turn'
  | 'stopped'
  | 'denied'
  | 'expired'
  | 'full'
  | 'busy';

export type AskedCohort = { incident: string; settings: CohortSettings; now: Date };

/** Whether incidents with this rung are treated together: those that people are asked about, and what disrupts. */
export function goesTogether(
  { kind, disrupts }: Pick<Rung, 'kind' | 'disrupts'>,
  decision: GateResult['decision'],
): boolean {
  // What is about a group is decided for all its nodes already.
  if (kind === 'standing') return false;
  return kind !== 'notify' && (decision === 'ask' || (decision === 'pass' && disrupts));
}

/** The gate where there is nothing to go together with. */
export function withoutCohort(why: string): GateResult {
  return { gate: 'cohort', decision: 'pass', reason: why };
}

/** A cohort that nobody can ask refuses. */
export function cohortProblem(problem: string): GateResult {
  return {
    gate: 'cohort',
    decision: 'refuse',
    reason: `whether others are treated with this node could not be asked: ${problem}`,
  };
}

/** Others kept writing first. */
export function cohortBusy(settings: CohortSettings, now: Date): GateResult {
  return {
    gate: 'cohort',
    decision: 'wait',
    reason: 'many incidents with the same cause come at once, and this one could not be added yet',
    until: soon(settings, now),
  };
}

/** What the cohort says of one incident that has come to it. */
export function cohortGate(
  cohort: Cohort,
  { incident, settings, now }: AskedCohort,
): { role: CohortRole; result: GateResult } {
  const say = (role: CohortRole, decision: GateResult['decision'], reason: string) => ({
    role,
    result: {
      gate: 'cohort',
      decision,
      reason,
      ...(decision === 'wait' ? { until: untilOf(cohort, settings, now) } : {}),
    },
  });
  const { phase, members, leader, wave, gathersUntil, decision, opensUntil } = cohort;
  const me = memberOf(cohort, incident);
  const isPast = now.getTime() >= Date.parse(opensUntil);
  const nodes = `${members.length} ${members.length === 1 ? 'node' : 'nodes'}`;
  switch (phase) {
    case 'none':
      return say('alone', 'pass', 'no other node is treated with this one');
    case 'gathers':
      if (me === undefined) return full();
      if (leader !== incident)
        return say('waits', 'wait', `${leader} will ask people about this node and others: ${nodes} so far`);
      return now.getTime() < Date.parse(gathersUntil)
        ? say('waits', 'wait', `until ${gathersUntil} others join that have the same cause: ${nodes} so far`)
        : say('asks', 'pass', `people are asked about ${nodes}`);
    case 'asks':
      if (me === undefined) return isFull(cohort) ? full() : late();
      if (leader === incident) return say('asks', 'pass', `people are asked about ${nodes}`);
      return say('waits', 'wait', `${leader} asks people about this cause and treatment: ${nodes} so far`);
    case 'goes':
      if (me === undefined) return isFull(cohort) ? full() : late();
      return me.is === 'waits'
        ? say('waits', 'wait', waitsText(cohort, me))
        : say('turn', 'pass', `it belongs to wave ${wave.number}, of ${wave.size}, of ${nodes}`);
    case 'stopped':
      // Whoever asks has not begun, though it has said that it would: its function may have died in between.
      if (me === undefined && isPast) return late();
      return say('stopped', 'refuse', stoppedText(cohort));
    case 'denied':
      if (me === undefined && isPast) return late();
      return say('denied', 'refuse', `${decision?.by ?? 'somebody'} denied it for all nodes with this cause`);
    case 'expired':
      if (me === undefined) return late();
      return say('expired', 'refuse', 'nobody approved it in time');
  }

  function full() {
    return say(
      'full',
      'refuse',
      `${mostMembers} incidents with the same cause wait already: that is no case for treating nodes`,
    );
  }
  function late() {
    return say(
      'waits',
      'wait',
      isPast && phase !== 'asks'
        ? `it came after ${opensUntil}, and waits until the ${nodes} before it are through`
        : `what people are asked or have decided does not cover this node: its group or image was not on the card, or it was treated by it already; it waits until the ${nodes} before it are through`,
    );
  }
}

function waitsText({ members, wave, tally }: Cohort, me: Member): string {
  const ahead = members.filter(({ is }) => is === 'waits').indexOf(me);
  const flight = members.filter(({ is }) => is !== 'waits').length;
  return `it waits for its wave: ${flight} of wave ${wave.number} are being treated, ${tally.helped} were helped, ${ahead} go before it`;
}

/** A leader that gathers is back as soon as it may ask; everybody else asks again at the usual pace. */
function untilOf({ phase, gathersUntil }: Cohort, settings: CohortSettings, now: Date): string {
  const usual = soon(settings, now);
  return phase === 'gathers' && Date.parse(gathersUntil) > now.getTime() && gathersUntil < usual
    ? gathersUntil
    : usual;
}

function soon({ askAgainSeconds }: CohortSettings, now: Date): string {
  return new Date(now.getTime() + askAgainSeconds * 1000).toISOString();
}
