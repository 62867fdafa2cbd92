import type { AuditEntry } from '../../../lambdas/domain/audit/entry.ts';
import type { Facts, Trail, Violation } from '../facts.ts';

const refusing = ['refuse', 'skip', 'observe', 'ask', 'wait'];
const ends = ['incident.closed', 'janitor.started'];

/** A node was treated after somebody or something had said no: a veto, a gate, a person, the breaker, or the end of its incident. */
export function afterNo({ nodes, trails }: Pick<Facts, 'nodes' | 'trails'>): Violation[] {
  const vetoed = new Set(nodes.filter(({ fate }) => fate === 'vetoed').map(({ instanceId }) => instanceId));
  const open = openTimes(trails);
  return trails.flatMap((trail) =>
    trail.entries.flatMap((entry, index) => {
      if (entry.step !== 'treatment.intended') return [];
      const before = trail.entries.slice(0, index);
      const no = vetoed.has(trail.instanceId)
        ? 'it has a veto'
        : (saidNo(entry, before) ?? whileOpen(before, trail, open));
      const what = `${entry.treatment} was done to ${trail.instanceId} by ${trail.incident}, although ${no}`;
      return no === undefined ? [] : [{ check: 'after-no', what }];
    }),
  );
}

/** The last word about this rung before it was done, where that is not a yes. */
function saidNo({ rung }: AuditEntry, before: readonly AuditEntry[]): string | undefined {
  if (before.some(({ step }) => ends.includes(step))) return 'its incident had ended';
  const own = before.filter((entry) => entry.rung === rung);
  const last = own.findLast(
    ({ step }) => step === 'gated' || step === 'approval.settled' || step === 'rechecked',
  );
  if (last === undefined) return 'no gate was asked';
  if (last.step === 'gated') {
    return refusing.includes(last.outcome ?? '') ? `the gates said ${last.outcome}: ${last.what}` : undefined;
  }
  const yes = last.step === 'rechecked' ? 'pass' : 'approved';
  // An approval is looked at once more before anything is done.
  if (last.step === 'approval.settled') return `it was ${last.outcome} and not looked at again`;
  return last.outcome === yes ? undefined : `the second look said ${last.outcome}`;
}

type Open = { from: number; until: number };

/** While the breaker was open. */
function openTimes(trails: readonly Trail[]): Open[] {
  const changes = trails
    .flatMap(({ entries }) => entries.filter(({ step }) => step === 'breaker.changed'))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return changes.flatMap(({ outcome, at }, index) => {
    if (outcome !== 'open') return [];
    const closed = changes.slice(index + 1).find((change) => change.outcome === 'closed');
    return [
      {
        from: Date.parse(at),
        until: closed === undefined ? Number.POSITIVE_INFINITY : Date.parse(closed.at),
      },
    ];
  });
}

/** What passed the gates before the breaker opened goes on; what is asked after that does not, but for a canary. */
function whileOpen(
  before: readonly AuditEntry[],
  { incident }: Trail,
  open: readonly Open[],
): string | undefined {
  const asked = before.findLast(({ step }) => step === 'gated' || step === 'rechecked');
  const gates = asked?.details?.gates;
  const said: unknown = Array.isArray(gates) ? gates.find((gate) => gate?.gate === 'breaker') : undefined;
  const isCanary = String((said as { reason?: unknown } | undefined)?.reason ?? '').includes('canary');
  const at = Date.parse(asked?.at ?? '');
  const one = open.find(({ from, until }) => at > from + settlesMs && at < until);
  return one === undefined || isCanary
    ? undefined
    : `the breaker had opened before its gates were asked (${incident})`;
}

/** Its gates may have been read just before the breaker was written. */
const settlesMs = 5000;
