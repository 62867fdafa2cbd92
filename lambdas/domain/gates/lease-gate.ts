import type { GateResult } from './gate.ts';

/** What became of the attempt to renew the lease. */
export type Renewal =
  | { status: 'ours'; until: string }
  | { status: 'lost'; holder: string }
  | { status: 'error'; reason: string };

/** One incident per node: a lease that is no longer ours, or of which we do not know, ends the incident. */
export function leaseGate(renewal: Renewal): GateResult {
  switch (renewal.status) {
    case 'ours':
      return {
        gate: 'lease',
        decision: 'pass',
        reason: `the node is leased to this incident until ${renewal.until}`,
      };
    case 'lost':
      return {
        gate: 'lease',
        decision: 'refuse',
        reason: `the node is leased to incident ${renewal.holder}`,
      };
    case 'error':
      return {
        gate: 'lease',
        decision: 'refuse',
        reason: `the lease could not be renewed: ${renewal.reason}`,
      };
  }
}
