import { probeValue } from '../evidence/probe.ts';
import { zombiesPerLogin } from '../evidence/sessions.ts';
import { noEvidence, type Treatment } from './treatment.ts';

/** The document takes its users as one bounded string. */
const mostUsers = 20;

/**
 * Keeps the slice and the manager of users alive between their logins. It helps only where the memory cgroup is made
 * per user: measured on systemd 252, which makes one per session, it changes nothing.
 */
export const enableLinger: Treatment = {
  id: 'enable-linger',
  kind: 'document',
  document: 'enable-linger',
  undoDocument: 'disable-linger',
  standing: true,
  risk: 'low',
  disrupts: false,
  treats: ['session-churn'],

  propose(evidence, cluster) {
    if (evidence === undefined) return noEvidence;
    const sessions = probeValue(evidence.probes.sessions);
    if (sessions === undefined) return { nothing: 'who logs in on this node is not known' };
    if (sessions.memoryCgroup !== 'user' && cluster.sessions.linger === 'where-it-helps') {
      const made = sessions.memoryCgroup ?? 'who knows what';
      return {
        nothing: `it helps only where a memory cgroup is made per user, and here one is made per ${made} (settings sessions.linger)`,
      };
    }
    const dying = probeValue(evidence.probes.cgroups)?.dying ?? 0;
    if (dying <= cluster.thresholds.dyingFloor && (zombiesPerLogin(sessions) ?? 0) === 0) {
      return {
        nothing: 'nothing shows that these logins leave anything behind, and many logins alone are no fault',
      };
    }
    const users = sessions.users
      .filter(({ linger, logins }) => !linger && logins > 0)
      .map(({ name }) => name);
    if (users.length === 0) return { nothing: 'nobody without linger is known to log in' };
    return {
      arguments: { users: users.slice(0, mostUsers).join(' ') },
      reason: `${users.slice(0, mostUsers).join(', ')} log in again and again; with linger their slice stays between two logins`,
      expects: { text: 'no new dying memory cgroups, however many log in', level: 'holds' },
    };
  },
};
