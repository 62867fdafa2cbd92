import { Risk } from '../settings/policy.ts';
import type { Windows } from '../settings/windows.ts';
import type { Rung } from '../treatments/treatment.ts';
import type { GateResult } from './gate.ts';
import { nextOpening, openWindow, windowText } from './window.ts';

/**
 * A treatment that may disturb begins only when people have said that it may.
 *
 * @param approved whether a person has approved this rung: then it does not wait, for they said yes to a node as it is now
 */
export function windowGate(
  { open, fromRisk, waitMinutes }: Windows,
  { rung, now, approved }: { rung: Pick<Rung, 'kind' | 'risk'>; now: Date; approved: boolean },
): GateResult {
  const answer = (decision: GateResult['decision'], reason: string): GateResult => ({
    gate: 'windows',
    decision,
    reason,
  });
  if (rung.kind === 'notify') return answer('pass', 'telling people is never too much');
  if (rung.kind === 'standing') {
    return answer('pass', 'it changes no node by itself; what it has done later is asked about then');
  }
  if (open.length === 0) return answer('pass', 'this cluster has no maintenance windows: it is always open');
  if (isBelow(rung.risk, fromRisk)) {
    return answer('pass', `a treatment of ${rung.risk} risk needs no window; those of ${fromRisk} risk do`);
  }
  try {
    const present = openWindow(open, now);
    if (present !== undefined) return answer('pass', `the window ${windowText(present)} is open`);
    const next = nextOpening(open, now);
    if (next === undefined) return answer('skip', 'no maintenance window opens within two weeks');
    const until = next.toISOString();
    const opens = `no maintenance window is open for ${rung.risk} risk; the next opens at ${until}`;
    if (approved)
      return answer('refuse', `${opens}. The approval came too late, and does not last until then`);
    if (next.getTime() - now.getTime() > waitMinutes * 60_000) {
      return answer('skip', `${opens}, and an incident waits ${waitMinutes} minutes at most`);
    }
    return { ...answer('wait', opens), until };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return answer('refuse', `whether a maintenance window is open cannot be told: ${problem}`);
  }
}

function isBelow(risk: Risk, limit: Risk): boolean {
  return Risk.options.indexOf(risk) < Risk.options.indexOf(limit);
}
