import { rungResult } from '../incident-progress.ts';
import type { IncidentState } from '../incident-state.ts';
import type { Came } from './steps.ts';

/** What came of the present rung, as its cohort counts it. Only a treatment that was seen to help has helped. */
export function cameOf(state: IncidentState): Came {
  const result = rungResult(state);
  const { status = 'not-started', verification } = result ?? {};
  if (status === 'failed') return { came: 'failed', why: result?.reason ?? 'the treatment failed' };
  // Cordoned and partly evicted for nothing: what held its drain, such as a budget of pods, may hold that of the next.
  const end = state.replacement?.end;
  if (status === 'refused' && end?.is === 'not-drained') return { came: 'failed', why: end.says };
  if (status !== 'done') return { came: 'left', why: 'it was not treated' };
  // Nothing on the node has changed that could be looked at.
  if (state.rung?.kind === 'cordon') return { came: 'helped', why: 'it takes no new pods' };
  if (state.rung?.kind === 'evict') return { came: 'helped', why: 'the pods that were to go have gone' };
  const { verdict } = verification ?? {};
  if (verdict === 'cured' || verdict === 'relieved') return { came: 'helped', why: verdict };
  return { came: 'failed', why: `looked at after the treatment: ${verdict ?? 'not seen'}` };
}
