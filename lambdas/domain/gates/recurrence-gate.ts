import type { History, Past } from '../history/past.ts';
import type { Recurrence } from '../settings/gates.ts';
import type { Rung } from '../treatments/treatment.ts';
import type { GateResult } from './gate.ts';
import type { Agreed } from './standing-gate.ts';

/**
 * A node or a machine image that has to be treated again and again is not cured by one treatment more: a person decides
 * whether this one is worth it.
 *
 * @param history `undefined` where it could not be read, with the reason in `problem`
 */
export function recurrenceGate(
  history: History | undefined,
  {
    rung,
    settings,
    approved,
    agreed,
    problem,
  }: {
    rung: Pick<Rung, 'kind'>;
    settings: Recurrence;
    approved: boolean;
    /** Who agreed that it is done again and again, for the whole group of the node. */
    agreed?: Agreed | undefined;
    problem?: string;
  },
): GateResult {
  const answer = (decision: GateResult['decision'], reason: string): GateResult => ({
    gate: 'recurrence',
    decision,
    reason,
  });
  if (rung.kind === 'notify') return answer('pass', 'telling people is never too much');
  if (history === undefined) {
    return answer('refuse', `what was done before could not be read: ${problem ?? 'no reason given'}`);
  }
  const { days, node, image } = history;
  const treated = node.filter(wasTreated);
  const often =
    treated.length >= settings.perNode
      ? `this node was treated ${times(treated.length)} in the last ${days} days (${ways(treated)}): what leaks here comes back`
      : image === null
        ? 'the machine image of this node is not known, nor whether it leaks on other nodes'
        : imageLeaks(image, days, settings);
  if (often === undefined)
    return answer('pass', `this node was treated ${times(treated.length)} in the last ${days} days`);
  if (agreed !== undefined) {
    return answer(
      'pass',
      `${agreed.by} agreed that it is done again and again (${agreed.approval}), although ${often}`,
    );
  }
  return approved ? answer('pass', `a person approved it, although ${often}`) : answer('ask', often);
}

/** Something was done to the node, or may have been. */
function wasTreated({ done }: Past): boolean {
  return done.length > 0;
}

function imageLeaks(
  { id, pasts }: NonNullable<History['image']>,
  days: number,
  { perImage }: Recurrence,
): string | undefined {
  const treated = pasts.filter(wasTreated);
  const nodes = new Set(treated.map(({ instanceId }) => instanceId)).size;
  return nodes < perImage
    ? undefined
    : `${nodes} nodes of the machine image ${id} were treated in the last ${days} days (${ways(treated)}): the image leaks, and a new node of it will as well`;
}

function ways(pasts: readonly Past[]): string {
  return [...new Set(pasts.flatMap(({ done }) => done.map(({ treatment }) => treatment)))].join(', ');
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
