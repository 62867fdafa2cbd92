import { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import { environment } from '../adapters/environment.ts';
import { clusterTag, placeOf } from '../adapters/instance-cluster.ts';
import { imageAndPlaceOf } from '../adapters/instance-image.ts';
import { clusterSettings, settings } from '../adapters/settings-file.ts';
import type { Actor, AuditDraft } from '../domain/audit/entry.ts';
import { unknownPlace } from '../domain/gates/fleet.ts';
import { Alarm, type IncidentState } from '../domain/incident-state.ts';
import { auditContext, auditTrail, keyOf, leaseStore } from './phase.ts';
import { enterUndiagnosed } from './roll.ts';

const Input = z.object({
  alarm: Alarm,
  execution: z.object({
    id: z.string(),
    // It names the incident on the node as well, and the documents take no other characters.
    name: z.string().regex(/^[A-Za-z0-9_-]{1,80}$/, 'must be letters, digits, "-" and "_" only'),
    startedAt: z.string(),
  }),
});

const logger = new Logger();
/** How long the opening waits to learn the image of the node. */
const imageMs = 6000;

/**
 * Opens an incident: records the alarm, then takes the lease of the node. The lease is taken before the examination,
 * not before the treatment, so that no incident ever acts on evidence that is older than another one's treatment.
 */
export async function handler(input: unknown): Promise<IncidentState> {
  const { alarm, execution } = Input.parse(input);
  const all = settings();
  const { roll } = clusterSettings(all, alarm.cluster);
  // Asked for first, so that every entry can carry the image; that decides nothing, and what cannot be learnt is null.
  const known = await imageAndPlaceOf(alarm.instanceId, imageMs).catch((error: unknown) => {
    logger.warn('the machine image of the node could not be read', { error });
    return undefined;
  });
  const imageId = known?.imageId ?? null;
  const now = new Date();
  const opened: IncidentState = {
    version: 1,
    step: 0,
    incident: {
      id: execution.name,
      execution: execution.id,
      openedAt: now.toISOString(),
      alarm,
      cluster: alarm.cluster,
      instanceId: alarm.instanceId,
      imageId,
    },
    lease: { status: 'refused', fencing: null, reason: 'not taken yet' },
    plan: [],
    ladder: { index: 0, status: 'empty' },
    voids: 0,
    results: [],
  };
  logger.info('incident opens', {
    incident: execution.name,
    instanceId: alarm.instanceId,
    source: alarm.source,
  });

  const trail = auditTrail();
  const actor: Actor =
    alarm.requestedBy === undefined
      ? { kind: 'alarm', id: alarm.id }
      : { kind: 'person', id: alarm.requestedBy };
  const audit = (state: IncidentState, draft: AuditDraft) =>
    trail.append(draft, {
      ...auditContext(state),
      at: new Date().toISOString(),
      key: keyOf(0, 'open', draft),
    });
  const refuse = async (step: 'lease.refused' | 'node.refused', reason: string): Promise<IncidentState> => {
    const refused: IncidentState = {
      ...opened,
      step: 1,
      lease: { status: 'refused', fencing: null, reason },
    };
    await audit(refused, { step, actor: { kind: 'rule', id: 'open' }, what: reason });
    return refused;
  };
  await audit(opened, {
    step: 'incident.opened',
    actor,
    what: `${alarm.source} alarm on ${alarm.instanceId} of ${alarm.cluster}: ${alarm.reason ?? 'no reason given'}`,
    details: { alarm, execution: execution.id, software: environment().SOFTWARE_VERSION },
  });

  // Mode, policy and approvers are the cluster's: a node of another one must not be treated by them.
  const { cluster, nodeGroup } = known ?? (await placeOf(alarm.instanceId));
  if (cluster !== alarm.cluster) {
    const found =
      cluster === undefined ? `it has no tag ${clusterTag}` : `its tag ${clusterTag} says ${cluster}`;
    return refuse('node.refused', `${alarm.instanceId} is not known as a node of ${alarm.cluster}: ${found}`);
  }
  const taken = await leaseStore().take(alarm.instanceId, execution.name, all.lease.seconds, now);
  if (taken.status === 'held') {
    const reason = `incident ${taken.holder} is at work on this node until ${taken.until} at the latest`;
    return refuse('lease.refused', reason);
  }
  const reason = `leased until ${taken.until}`;
  const leased: IncidentState = {
    ...opened,
    incident: { ...opened.incident, ...(nodeGroup === unknownPlace ? {} : { nodeGroup }) },
    step: 1,
    lease: { status: 'ours', fencing: taken.fencing, reason },
  };
  await audit(leased, { step: 'lease.taken', actor: { kind: 'rule', id: 'lease' }, what: reason });
  const subject = { incident: execution.name, cluster: alarm.cluster };
  await enterUndiagnosed(subject, { settings: roll, now, logger });
  return leased;
}
