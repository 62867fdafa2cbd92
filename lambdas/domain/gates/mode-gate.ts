import { Mode } from '../settings.ts';
import type { Rung } from '../treatments/treatment.ts';
import type { GateResult } from './gate.ts';
import type { Agreed } from './standing-gate.ts';

/**
 * The cluster's mode and the policy for this rung.
 *
 * @param mode the text of the mode parameter, or `undefined` where it could not be read
 * @param approved whether a person has approved this very rung
 * @param agreed who agreed to it beforehand, for the whole group of the node
 */
export function modeGate(
  mode: string | undefined,
  rung: Rung,
  approved: boolean,
  agreed?: Agreed,
): GateResult {
  const answer = (decision: GateResult['decision'], reason: string): GateResult => ({
    gate: 'mode',
    decision,
    reason,
  });
  const known = Mode.safeParse(mode);
  if (!known.success) {
    return answer(
      'refuse',
      mode === undefined
        ? 'the mode parameter could not be read, and an unknown mode does nothing'
        : `the mode parameter says "${mode.slice(0, 40)}"; it must be observe, approve or auto`,
    );
  }
  if (known.data === 'observe') return answer('observe', 'mode is observe: nothing is done, only said');
  if (rung.needs === 'never') return answer('skip', `the policy never does ${rung.treatment}`);
  if (rung.kind === 'notify') return answer('pass', 'telling people needs no approval');
  if (approved) return answer('pass', 'a person approved this rung');
  if (agreed !== undefined) {
    return answer('pass', `${agreed.by} approved it for the group of this node (${agreed.approval})`);
  }
  if (known.data === 'approve') return answer('ask', 'mode is approve: every treatment asks');
  if (rung.needs === 'approval') return answer('ask', `the policy asks for ${rung.risk} risk`);
  return answer('pass', `mode is auto and the policy does ${rung.risk} risk without asking`);
}
