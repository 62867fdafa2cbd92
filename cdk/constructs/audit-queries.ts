import type { AuditStep } from '../../lambdas/domain/audit/entry.ts';

/** A question to the audit log group, in the language of CloudWatch Logs Insights. `@` and the words before the first "|" are its own. */
export type AuditQuery = { name: string; says: string; query: string };

const steps = (...names: AuditStep[]): string => `step in [${names.map((name) => `"${name}"`).join(', ')}]`;

/** The newest first; a person sees ten thousand lines at most, which is the limit of the service. */
const newest = 'sort @timestamp desc | limit 10000';

export const auditQueries: readonly AuditQuery[] = [
  {
    name: 'What was done to node X',
    says: 'Put the instance id in the place of i-0123456789abcdef0.',
    query: `fields at, incident, step, treatment, what, outcome, actor.kind, actor.id, document
| filter instanceId = "i-0123456789abcdef0"
| filter ${steps('incident.opened', 'diagnosed', 'treatment.intended', 'treatment.sent', 'treatment.finished', 'verified', 'undo.intended', 'undo.sent', 'undo.finished', 'janitor.started', 'janitor.finished', 'incident.closed')}
| ${newest}`,
  },
  {
    name: 'Who approved what',
    says: 'Who was asked, who decided, and what about; the reason stands in what.',
    query: `fields at, step, outcome, actor.kind, actor.id, cluster, instanceId, treatment, what, incident
| filter ${steps('approval.requested', 'approval.decided', 'approval.settled')}
| ${newest}`,
  },
  {
    name: 'What was refused and why',
    says: 'Alarms, nodes, leases and gates that said no, and incidents that ended as refused, denied, expired or void.',
    query: `fields at, kind, step, outcome, reason, what, cluster, instanceId, treatment, actor.id, incident, source, sender
| filter kind = "alarm.refused" or ${steps('node.refused', 'lease.refused')} or (step = "gated" and outcome in ["refuse", "observe", "skip"]) or (step = "incident.closed" and outcome in ["refused", "denied", "expired", "void"])
| ${newest}`,
  },
];

/** Incidents whose last word is that they have asked somebody. */
export const waitingApprovals = `fields @timestamp, incident, step, what
| filter ${steps('approval.requested', 'approval.decided', 'approval.settled', 'incident.closed', 'janitor.finished')}
| stats latest(step) as last, latest(what) as says, max(@timestamp) as since by incident
| filter last = "approval.requested"
| sort since asc`;
