import type { CauseId } from '../causes/cause-id.ts';
import {
  repeats,
  type Standing,
  type StandingRead,
  standingFor,
  standingText,
  whyOver,
} from '../standing/standing.ts';
import type { Rung } from '../treatments/treatment.ts';
import type { GateResult } from './gate.ts';

/** Who agreed to a rung beforehand, for the whole group of its node. */
export type Agreed = { id: string; by: string; approval: string; until: string };

export type StandingAnswer = { result: GateResult; agreed?: Agreed };

/** A group has one at a time: whoever comes with another is passed over. */
export function oneOfGroup(read: StandingRead | undefined, now: Date, problem?: string): GateResult {
  const answer = (decision: GateResult['decision'], reason: string): GateResult => ({
    gate: 'standing',
    decision,
    reason,
  });
  if (problem !== undefined)
    return answer('refuse', `whether the group has one could not be read: ${problem}`);
  return read === undefined || whyOver(read, now) !== undefined
    ? answer('pass', 'the group of the node has none')
    : answer('skip', `the group of the node has one already: ${standingText(read.standing)}`);
}

/**
 * Whether what an incident was opened for still stands: only then does the approval for the group take the place of one for this
 * node. One that ended, cannot be read, or is not that of this node refuses: whoever ended it must not see it act on.
 *
 * @param read what the state table has for the group of the node; `undefined` where that is nothing, or could not be read (`problem`)
 */
export function standingGate(
  read: StandingRead | undefined,
  {
    id,
    cluster,
    nodeGroup,
    rung,
    cause,
    dying,
    whyNoRestart,
    approved,
    now,
    problem,
  }: {
    /** The standing treatment that the incident says it was opened for. */
    id: string;
    cluster: string;
    nodeGroup: string | undefined;
    rung: Pick<Rung, 'kind' | 'treatment'>;
    /** Of the node, as its incident has found out. */
    cause: CauseId | undefined;
    /** How many dying cgroups it has; `undefined` where nobody counted them. */
    dying: number | undefined;
    /** Why its kubelet is not restarted now by what was agreed to; where nobody says, it is not. */
    whyNoRestart?: (agreed: Standing) => string | undefined;
    approved: boolean;
    now: Date;
    problem?: string;
  },
): StandingAnswer {
  const answer = (decision: GateResult['decision'], reason: string): StandingAnswer => ({
    result: { gate: 'standing', decision, reason },
  });
  if (rung.kind === 'notify') return answer('pass', 'telling people is never too much');
  if (approved) return answer('pass', 'a person approved this very treatment');
  if (!Object.values<string>(repeats).includes(rung.treatment)) {
    return answer('pass', `no standing treatment speaks of ${rung.treatment}`);
  }
  // The node is ill in another way: who agreed for the group has not agreed to this.
  if (standingFor(cause) === undefined) {
    return answer('pass', `no standing treatment speaks of ${cause ?? 'a node without a diagnosis'}`);
  }
  if (problem !== undefined)
    return answer('refuse', `the standing treatment ${id} could not be read: ${problem}`);
  if (read === undefined)
    return answer('refuse', `there is no standing treatment ${id} of group ${nodeGroup}`);
  const { standing } = read;
  if (standing.id !== id || standing.cluster !== cluster || standing.nodeGroup !== nodeGroup) {
    return answer(
      'refuse',
      `${id} is not the standing treatment of group ${nodeGroup} in ${cluster} any more`,
    );
  }
  if (repeats[standing.treatment] !== rung.treatment) {
    return answer('refuse', `${standing.treatment} does not repeat ${rung.treatment}`);
  }
  const over = whyOver(read, now);
  if (over !== undefined) return answer('refuse', `the standing treatment ${id} is over: ${over}`);
  // The alarm may be of anybody who can write into the queue: what was agreed to begins at the threshold.
  const why =
    standing.treatment === 'standing-reclaim'
      ? tooFew(standing, dying)
      : whyNoRestart === undefined
        ? 'nobody says where the memory of its kubelet goes'
        : whyNoRestart(standing);
  if (why !== undefined) return answer('refuse', why);
  return {
    ...answer('pass', standingText(standing)),
    agreed: { id, by: standing.approvedBy, approval: standing.approval, until: standing.until },
  };
}

function tooFew({ id, threshold }: Standing, dying: number | undefined): string | undefined {
  return dying === undefined || dying < threshold
    ? `the node has ${dying ?? 'an unknown number of'} dying cgroups, and ${id} was agreed to from ${threshold} on`
    : undefined;
}
