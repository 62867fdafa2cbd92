import { Logger } from '@aws-lambda-powertools/logger';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { AuditLog } from '../adapters/audit-log.ts';
import { AuditTrail } from '../adapters/audit-trail.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { LeaseStore } from '../adapters/lease-store.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { clusterSettings, settings } from '../adapters/settings-file.ts';
import type { AuditDraft, AuditEntry } from '../domain/audit/entry.ts';
import type { Renewal } from '../domain/gates/lease-gate.ts';
import { IncidentState } from '../domain/incident-state.ts';
import type { Cluster, Settings } from '../domain/settings.ts';

/** What every phase of an incident works with. */
export type PhaseContext = {
  cluster: Cluster;
  settings: Settings;
  trail: AuditTrail;
  leases: LeaseStore;
  logger: Logger;
  now: () => Date;
  /** What became of this phase's renewal of the lease. */
  renewal: Renewal;
  /** Moves the expiry of the lease further out, for a wait that is longer than the lease. */
  renewFor: (seconds: number) => Promise<Renewal>;
  /** Writes one audit entry of this phase; a retried function writes the same step of the same outcome once. */
  audit: (draft: AuditDraft) => Promise<{ entry: AuditEntry; existed: boolean }>;
};

/** Raised when another incident holds the node: this one must not act any more. */
export class LeaseLostError extends MedicError {
  override readonly name = 'LeaseLostError';
}

type Run = (state: IncidentState, context: PhaseContext) => Promise<Omit<IncidentState, 'step'>>;

/**
 * Makes a Lambda handler of one phase: parses the state, renews the lease, runs the phase, counts the step.
 *
 * @param needsLease false for the phases that judge the renewal themselves or only write down what has happened; all
 *   others end with LeaseLostError when the lease is not ours
 * @param cleansUp for the phases that must work without the lease, and while the audit log group is down
 */
export function phase(
  name: string,
  run: Run,
  { needsLease = true, cleansUp = false } = {},
): (input: unknown) => Promise<IncidentState> {
  const logger = new Logger();
  const undelivered = (error: unknown): void => {
    logger.error('an audit entry is in the table but did not reach the log group', { error });
  };
  return async (input) => {
    const state = IncidentState.parse(input);
    const all = settings();
    const { id, instanceId, cluster } = state.incident;
    logger.resetKeys();
    logger.appendKeys({ phase: name, incident: id, instanceId, cluster });
    const leases = leaseStore();
    const now = (): Date => new Date();
    const renewFor = (seconds: number): Promise<Renewal> => renew(leases, state, seconds, now());
    const renewal = await renewFor(all.lease.seconds);
    if (needsLease && !cleansUp && renewal.status !== 'ours') {
      const holder = renewal.status === 'lost' ? `incident ${renewal.holder}` : renewal.reason;
      throw new LeaseLostError(
        `the lease of ${instanceId} is not ours any more (${holder}); nothing more is done`,
      );
    }
    const trail = auditTrail();
    const next = await run(state, {
      cluster: clusterSettings(all, cluster),
      settings: all,
      trail,
      leases,
      logger,
      now,
      renewal,
      renewFor,
      audit: (draft) => {
        const context = {
          ...auditContext(state),
          at: now().toISOString(),
          key: keyOf(state.step, name, draft),
        };
        return trail.append(draft, context, cleansUp ? undelivered : undefined);
      },
    });
    return { ...next, step: state.step + 1 };
  };
}

/** Names one audit entry of one function call: a retry that comes to another result writes another entry. */
export function keyOf(step: number, name: string, { step: what, outcome = '', details }: AuditDraft): string {
  const commandId = typeof details?.commandId === 'string' ? details.commandId : '';
  return [step, name, what, outcome, commandId].join(':');
}

/** The audit trail of this deployment, also for the functions outside the state machine. */
export function auditTrail(): AuditTrail {
  const { AUDIT_TABLE, AUDIT_LOG_GROUP } = environment();
  return new AuditTrail(dynamo(), AUDIT_TABLE, new AuditLog(new CloudWatchLogsClient({}), AUDIT_LOG_GROUP));
}

export function leaseStore(): LeaseStore {
  return new LeaseStore(dynamo(), environment().STATE_TABLE);
}

/** What an audit entry takes from the state of its incident. */
export function auditContext(state: Pick<IncidentState, 'incident' | 'lease'>) {
  const { id, cluster, instanceId, imageId = null } = state.incident;
  return {
    incident: id,
    cluster,
    instanceId,
    imageId,
    fencing: state.lease.fencing,
    software: environment().SOFTWARE_VERSION,
  };
}

async function renew(leases: LeaseStore, state: IncidentState, seconds: number, now: Date): Promise<Renewal> {
  const { fencing } = state.lease;
  if (fencing === null) return { status: 'error', reason: 'this incident never held the lease' };
  try {
    return await leases.renew(state.incident.instanceId, state.incident.id, fencing, seconds, now);
  } catch (error) {
    return { status: 'error', reason: error instanceof Error ? error.message : String(error) };
  }
}
