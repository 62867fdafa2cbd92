import {
  approvalSteps,
  callingStep,
  doneSteps,
  refusalSteps,
  refusedOutcomes,
  refusingGates,
  waitingSteps,
} from '../../lambdas/domain/audit/questions.ts';
import { needyOutcomes, needyQuery } from '../../lambdas/domain/roll/needy.ts';

/** A question to the audit log group, in the language of CloudWatch Logs Insights. `@` and the words before the first "|" are its own. */
export type AuditQuery = { name: string; says: string; query: string };

const oneOf = (field: string, names: readonly string[]): string =>
  `${field} in [${names.map((name) => `"${name}"`).join(', ')}]`;

/** The newest first; a person sees ten thousand lines at most, which is the limit of the service. */
const newest = 'sort @timestamp desc | limit 10000';

/** What was done, and how it went, of the lines with this value. */
const done = (subject: string, field: string, example: string): AuditQuery => ({
  name: `What was done to ${subject}`,
  says: `Put yours in the place of ${example}.`,
  query: `fields at, incident, cluster, instanceId, step, treatment, what, outcome, actor.kind, actor.id, document
| filter ${field} = "${example}"
| filter ${oneOf('step', doneSteps)}
| ${newest}`,
});

/** Incidents whose last word is that they have asked somebody. */
export const waitingApprovals = `fields @timestamp, incident, step, what, details.approvalId
| filter ${oneOf('step', waitingSteps)}
| stats latest(step) as last, latest(what) as says, latest(details.approvalId) as approval, max(@timestamp) as since by incident
| filter last = "approval.requested"
| sort since asc`;

export const auditQueries: readonly AuditQuery[] = [
  done('node X', 'instanceId', 'i-0123456789abcdef0'),
  done('cluster X', 'cluster', 'my-cluster'),
  done('the nodes of AMI X', 'imageId', 'ami-0123456789abcdef0'),
  {
    name: 'Who approved what',
    says: 'Who was asked, who decided, and what about; the reason stands in what.',
    query: `fields at, step, outcome, actor.kind, actor.id, cluster, instanceId, treatment, what, incident
| filter ${oneOf('step', approvalSteps)}
| ${newest}`,
  },
  {
    name: 'What person X did and decided',
    says: 'Put yours in the place of you@example.com.',
    query: `fields at, step, outcome, cluster, instanceId, treatment, what, incident
| filter actor.kind = "person" and actor.id = "you@example.com"
| ${newest}`,
  },
  {
    name: 'What was refused and why',
    says: 'Alarms, nodes, leases and gates that said no, and incidents that ended as refused, denied, expired or void.',
    query: `fields at, kind, step, outcome, reason, what, cluster, instanceId, treatment, actor.id, incident, source, sender
| filter kind = "alarm.refused" or ${oneOf('step', refusalSteps)} or (step = "gated" and ${oneOf('outcome', refusingGates)}) or (step = "incident.closed" and ${oneOf('outcome', refusedOutcomes)})
| ${newest}`,
  },
  {
    name: needyQuery,
    says: 'Nodes for which a ladder has called a person, and incidents that ended with nothing cured; add a filter on cluster for one of them.',
    query: `fields at, cluster, instanceId, step, outcome, what, incident
| filter step = "${callingStep}" or (step = "incident.closed" and ${oneOf('outcome', needyOutcomes)})
| ${newest}`,
  },
  {
    name: 'Time per phase',
    says: 'How long incidents spent in each phase, with the waits in it; add a filter on incident, cluster or instanceId for some of them.',
    query: `fields durationMs, phase
| filter ispresent(durationMs)
| stats sum(durationMs) / 1000 as seconds, max(durationMs) / 1000 as longest, count(*) as entries by phase
| sort seconds desc`,
  },
  {
    name: 'What is waiting for a person',
    says: 'Incidents whose last word is that they have asked somebody, the longest wait first, with the approval to decide on.',
    query: waitingApprovals,
  },
];
