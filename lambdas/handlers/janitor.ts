import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { KMSClient } from '@aws-sdk/client-kms';
import { SNSClient } from '@aws-sdk/client-sns';
import * as z from 'zod';
import { ApprovalStore } from '../adapters/approval-store.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { headSigner } from '../adapters/head-signer.ts';
import { publish } from '../adapters/notifier.ts';
import { settings } from '../adapters/settings-file.ts';
import { ssm } from '../adapters/ssm.ts';
import { lookAtCommand } from '../adapters/ssm-commands.ts';
import type { AuditDraft } from '../domain/audit/entry.ts';
import { openApprovals } from '../domain/audit/open-approvals.ts';
import { type OpenChange, openChanges } from '../domain/audit/open-changes.ts';
import { Alarm } from '../domain/incident-state.ts';
import { nextPollSeconds } from '../domain/polling.ts';
import { RollSettings } from '../domain/settings/roll.ts';
import { type Undone, undoneBy } from '../domain/treatments/undo-result.ts';
import { countDeath } from './breaker.ts';
import { endPlace } from './budget.ts';
import { leaveDead } from './leave-cohort.ts';
import { auditTrail, leaseStore } from './phase.ts';
import { historyStore } from './recurrence.ts';
import { causeIn, leaveFormerRolls, tellOfClosing } from './roll.ts';
import { tellSettled } from './tell-settled.ts';
import { uncordon } from './uncordon.ts';
import { sendUndo } from './undo-command.ts';

/** The event "Step Functions Execution Status Change", as far as it is used. */
const Event = z.object({
  detail: z.object({
    executionArn: z.string(),
    name: z.string(),
    status: z.string(),
    input: z.string().nullish(),
    error: z.string().nullish(),
    cause: z.string().nullish(),
  }),
});

type Subject = { incident: string; cluster: string; instanceId: string; imageId?: string | null | undefined };

const logger = new Logger();
const sns = new SNSClient({});
const kms = new KMSClient({});
const actor = { kind: 'janitor', id: 'janitor' } as const;

/**
 * Cleans up after an execution that was stopped, timed out or failed, which no Catch sees: takes the lease over so
 * that nothing of the dead execution can act any more, undoes what may stand on the node, gives the lease back, closes
 * the trail and calls a person. May run any number of times for the same execution.
 */
export async function handler(event: unknown): Promise<void> {
  const { detail } = Event.parse(event);
  logger.resetKeys();
  logger.appendKeys({ incident: detail.name, execution: detail.executionArn, status: detail.status });
  const trail = auditTrail();
  const ended = endOf(detail);
  const entries = await trail.entries(detail.name);
  const subject = entries[0] ?? subjectOf(detail);
  if (subject === undefined) {
    // Nothing was begun, so there is nothing to clean; but somebody started something that is no incident.
    logger.error('the execution has no trail and no readable alarm');
    return tell(
      detail.name,
      'an execution failed before it became an incident',
      `${detail.executionArn}: ${ended}`,
    );
  }
  const { incident, cluster, instanceId, imageId = null } = { ...subject, incident: detail.name };
  const leases = leaseStore();
  const sign = headSigner(kms, environment().SIGNING_KEY_ID);
  if (entries.some(({ step }) => step === 'incident.closed') && openChanges(entries).length === 0) {
    // It came to its own end, and at most its signature or its lease is missing.
    await endPlace({ id: incident, cluster }, entries, logger);
    await leases.release(instanceId, incident);
    return trail.close(incident, sign);
  }

  const all = settings();
  const taken = await leases.take(instanceId, incident, all.lease.seconds, new Date());
  const fencing = taken.status === 'ours' ? taken.fencing : null;
  const audit = (draft: AuditDraft) => {
    const software = environment().SOFTWARE_VERSION;
    const context = { incident, cluster, instanceId, imageId, fencing, software };
    // A second run after a crash repeats what it must, and writes only what is new.
    const key = ['janitor', draft.step, draft.rung ?? '', draft.treatment ?? '', draft.outcome ?? ''].join(
      ':',
    );
    return trail.append(draft, { ...context, at: new Date().toISOString(), key }, (error) => {
      logger.error('an audit entry is in the table but did not reach the log group', { error });
    });
  };
  await audit({
    step: 'janitor.started',
    actor,
    what: ended,
    details: { execution: detail.executionArn },
  });

  // A function of the dead execution may still be running; its next renewal of the lease fails, its last act is over.
  await sleep(all.janitor.settleSeconds * 1000);
  const present = await trail.entries(incident);
  await endApprovals(openApprovals(present));
  const changes = openChanges(present);
  // The settings of a cluster that is not configured any more cannot say when its breaker opens, and nothing asks it.
  const own = Object.hasOwn(all.clusters, cluster) ? all.clusters[cluster] : undefined;
  if (own !== undefined) {
    const tools = { audit, logger };
    const { breaker } = own.gates;
    await countDeath({ incident, cluster, instanceId }, changes.at(-1)?.treatment, breaker, tools);
    await leaveDead({ id: incident, cluster }, present, { cluster: own, settings: all, logger });
  }
  const past = {
    version: 1,
    incident,
    instanceId,
    imageId,
    closedAt: new Date().toISOString(),
    cause: null,
    outcome: 'failed',
    done: changes.map(({ treatment }) => ({ treatment, came: 'died' })),
  } as const;
  await historyStore()
    .remember(cluster, past)
    .catch((error: unknown) => logger.error('the incident could not be remembered', { error }));
  const undone: string[] = [];
  for (const change of changes) {
    const { status, reason } = await undo(
      change,
      { incident, cluster, instanceId, deliverySeconds: all.command.deliverySeconds },
      audit,
    );
    undone.push(`${change.treatment}: ${status}, ${reason}`);
  }

  // Not before the undo is over, nor where a cordon could not be taken back: until then the node is being disrupted.
  await endPlace({ id: incident, cluster }, await trail.entries(incident), logger);
  const released = await leases.release(instanceId, incident);
  const summary = undone.length > 0 ? undone.join('; ') : 'nothing of ours stood on the node';
  await audit({
    step: 'janitor.finished',
    actor,
    what: summary,
    details: { leaseReleased: released, lease: taken.status },
  });
  const message = {
    kind: 'call-a-person',
    incident,
    cluster,
    instanceId,
    title: `incident on ${instanceId} in ${cluster} ended as ${detail.status}`,
    text: `${ended}; ${summary}. Somebody should look at the node.`,
  } as const;
  const cause = causeIn(present);
  const rolls = Object.hasOwn(all.clusters, cluster) ? all.clusters[cluster]?.roll : undefined;
  const notified = await tellOfClosing(
    { incident, cluster, instanceId, cause, outcome: 'failed', called: false },
    () => message,
    { settings: rolls ?? RollSettings.parse({}), now: new Date(), logger },
  );
  await leaveFormerRolls({ incident, cluster, cause }, present, { now: new Date(), logger });
  await audit({
    step: 'incident.closed',
    actor,
    what: ended,
    outcome: 'failed',
    details: { cause, notified },
  });
  await trail.close(incident, sign);
}

/** How the execution ended, in one sentence. The cause can be a stack trace; its head tells enough. */
function endOf({ status, error, cause }: z.infer<typeof Event>['detail']): string {
  const why = [error, cause].filter((part) => part !== null && part !== undefined && part !== '').join(': ');
  return `the execution ended as ${status}${why === '' ? '' : ` (${why.slice(0, 500)})`}`;
}

/** The node of an execution that died before it wrote its first audit entry. */
function subjectOf({
  name,
  input,
}: {
  name: string;
  input?: string | null | undefined;
}): Subject | undefined {
  try {
    const { cluster, instanceId } = Alarm.parse(JSON.parse(input ?? ''));
    return { incident: name, cluster, instanceId };
  } catch {
    return undefined;
  }
}

/** What nobody has decided is void. What was decided, and came to nothing any more, stays as it was decided. */
async function endApprovals(ids: string[]): Promise<void> {
  const store = new ApprovalStore(dynamo(), environment().STATE_TABLE);
  for (const id of ids) {
    const ended = await store.end(id, 'void');
    if (ended === undefined) continue;
    const gone = 'the execution that had asked for it is gone';
    const why = ended.status === 'denied' ? ended.decisions.at(-1)?.reason : undefined;
    const undone = ended.status === 'approved' ? ': what was approved is not done' : '';
    // Whoever was asked should not be left with a card that asks.
    await tellSettled(ended, why ?? `${gone}${undone}`, new Date(), logger);
  }
}

async function undo(
  change: OpenChange,
  target: { incident: string; cluster: string; instanceId: string; deliverySeconds: number },
  audit: (draft: AuditDraft) => Promise<unknown>,
): Promise<Undone> {
  const result = await runUndo(change, target, audit).catch((error: unknown): Undone => {
    logger.error('the undo could not be run', { error, change });
    return { status: 'failed', reason: error instanceof Error ? error.message : String(error) };
  });
  await audit({
    step: 'undo.finished',
    actor,
    what: result.reason,
    outcome: result.status,
    rung: change.rung,
    treatment: change.treatment,
    ...('document' in change.undo ? { document: change.undo.document } : {}),
  });
  return result;
}

async function runUndo(
  change: OpenChange,
  target: { incident: string; cluster: string; instanceId: string; deliverySeconds: number },
  audit: (draft: AuditDraft) => Promise<unknown>,
): Promise<Undone> {
  const { command } = settings();
  const { undo } = change;
  if ('uncordon' in undo) return uncordon({ ...change, undo }, target, audit, actor);
  const { commandId } = await sendUndo({ ...change, undo }, target, audit, actor, (error) => {
    logger.warn('the treatment could not be cancelled', { error });
  });
  const deadline = Date.now() + settings().janitor.undoSeconds * 1000;
  for (let wait = command.pollSeconds; Date.now() < deadline; wait = nextPollSeconds(command, wait)) {
    await sleep(Math.min(wait * 1000, deadline - Date.now()));
    const invocation = await lookAtCommand(ssm(), commandId, target.instanceId);
    if (invocation.status !== 'running') return undoneBy(invocation);
  }
  return {
    status: 'failed',
    reason: `the node did not answer the undo within ${settings().janitor.undoSeconds} s`,
  };
}

async function tell(incident: string, title: string, text: string): Promise<void> {
  await publish(sns, environment().NOTIFY_TOPIC_ARN, { kind: 'call-a-person', incident, title, text });
}
