import type { ExecutionEvent } from '../engine/run-state-machine.ts';
import type { Visit } from './projection.ts';

/** Writes down the states that each execution goes through, by its events. */
export function visit(
  visits: Map<string, Visit[]>,
  execution: string,
  { type, state, at }: ExecutionEvent,
): void {
  if (state === undefined) return;
  const own = visits.get(execution) ?? [];
  visits.set(execution, own);
  if (type === 'StateEntered') {
    own.push({ state: state.name, type: state.type, enteredAt: at.getTime(), exitedAt: at.getTime() });
  }
  const last = own.at(-1);
  if ((type === 'StateExited' || type === 'StateCaught') && last?.state === state.name)
    last.exitedAt = at.getTime();
}
