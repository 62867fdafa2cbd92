import { probeValue } from '../evidence/probe.ts';
import { noEvidence, type Treatment } from './treatment.ts';

/** Turns the memory controller off below user.slice: a login has no memory cgroup of its own any more, and leaves none. */
export const containSessions: Treatment = {
  id: 'contain-sessions',
  kind: 'document',
  document: 'contain-sessions',
  undoDocument: 'release-sessions',
  standing: true,
  risk: 'medium',
  disrupts: false,
  treats: ['session-churn'],

  propose(evidence) {
    if (evidence === undefined) return noEvidence;
    const sessions = probeValue(evidence.probes.sessions);
    if (sessions === undefined) return { nothing: 'what the sessions of this node have is not known' };
    if (sessions.memoryCgroup === 'none')
      return { nothing: 'sessions have no memory cgroup of their own here, as once they are contained' };
    return {
      arguments: { allowLimitLoss: 'false' },
      reason:
        'each login makes a memory cgroup that stays as a dying one; without the memory controller below user.slice it makes none. Users have no memory limits of their own while it is on; where one is in force, it is refused',
      expects: { text: 'no new dying memory cgroups, however many log in', level: 'holds' },
    };
  },
};
