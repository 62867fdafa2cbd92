import { say } from '../draft.ts';
import { counts, type FactRule } from '../rule.ts';
import { countIn, numberIn, secondsIn } from '../words.ts';

/** Logins and what is left of them, and who else starts things again and again. */
export const sessionRules: FactRule[] = [
  counts(
    /^(sessions_(stuck_)?(in_)?closing(_state)?|(closing|stuck|lingering)_sessions|sessions_stuck)$/,
    (count, draft) => say(draft, 'sessions', { closing: count }),
  ),
  counts(
    /^(abandoned_(session_)?scopes|scopes_abandoned|(session_)?scopes_(in_)?abandoned(_state)?)$/,
    (count, draft) => say(draft, 'sessions', { abandonedScopes: count }),
  ),
  counts(
    /^(loginctl(_list)?_(lines|sessions|entries)|(logind_|login_|loginctl_|open_|listed_)?sessions?(_open|_listed|_records)?)$/,
    (count, draft, { perSeconds }) => {
      if (perSeconds === undefined) draft.notes.listedSessions ??= count;
      else say(draft, 'sessions', { logins: count, coveredSeconds: perSeconds });
    },
  ),
  {
    about: /^session_(state|status)$|^sessions?_(state|status)$/,
    tell({ value }, draft) {
      if (!/closing|stuck/i.test(String(value))) return false;
      draft.notes.closing = true;
      return true;
    },
  },
  {
    about: /^(days|hours|minutes|weeks)_until_(full|limit|session_limit)$/,
    tell({ value, subject }, draft) {
      const seconds = secondsIn(value, subject.split('_')[0]?.replace(/s$/, ''));
      if (seconds === undefined) return false;
      draft.notes.fullAfterSeconds ??= seconds;
      return true;
    },
  },
  {
    about: /^(cron_?jobs?|jobs)_every(_n)?$/,
    tell({ value, unit }, draft) {
      const pods = countIn(value);
      const seconds = secondsIn(1, unit);
      if (pods === undefined || seconds === undefined) return false;
      say(draft, 'podStatus', { started: pods, coveredSeconds: seconds });
      return true;
    },
  },
  {
    about: /^(cron_?jobs?|jobs?|pods?)(_created|_started|_churn|_runs|_restarts|_starts|_creations)?$/,
    tell({ value, perSeconds, subject }, draft) {
      const started = countIn(value);
      if (started === undefined || (perSeconds === undefined && !subject.includes('churn'))) return false;
      if (perSeconds === undefined) return false;
      say(draft, 'podStatus', { started, coveredSeconds: perSeconds });
      return true;
    },
  },
  {
    about: /^(cron_?jobs?|jobs?|pod|pod_creation)_interval$/,
    tell({ value, unit }, draft) {
      const seconds = secondsIn(value, unit);
      if (seconds === undefined || seconds < 1) return false;
      say(draft, 'podStatus', { started: 1, coveredSeconds: Math.round(seconds) });
      return true;
    },
  },
  {
    about:
      /(^|_)(logins?|ssh(_logins?|_sessions?|_connections?)?|sudo(_calls?)?|su(_calls)?|sftp(_\w+)?|cron(_runs|_jobs|_logins)?|session_starts|sessions_opened)$/,
    tell({ value, perSeconds }, draft) {
      const logins = numberIn(value);
      if (logins === undefined || perSeconds === undefined) return false;
      say(draft, 'sessions', wholeRate(logins, perSeconds));
      return true;
    },
  },
  {
    about: /^(login|ssh|sudo|su|cron|sftp|ssh_login|monitoring|check|probe)_interval$/,
    tell({ value, unit }, draft) {
      const seconds = secondsIn(value, unit);
      if (seconds === undefined || seconds < 1) return false;
      say(draft, 'sessions', { logins: 1, coveredSeconds: Math.round(seconds) });
      return true;
    },
  },
  {
    about:
      /^(producer|trigger|created_by|maker|origin|source_of_(cgroups|sessions|scopes)|scope_creator|churn_source|what_creates_them)$/,
    tell({ value }, draft) {
      const text = String(value);
      if (/cronjobs?\b|\bpods?\b|deployments?/i.test(text)) draft.notes.after ??= 'pod';
      else if (/\b(ssh|sftp|logins?|sudo|su|cron|sessions?|pam)\b/i.test(text)) draft.notes.after ??= 'login';
      else if (/systemd-run|\bmounts?\b|timers?|services?|units?|daemon|agent/i.test(text)) {
        draft.notes.after ??= 'service';
      } else if (/containers?|docker|exec|probes?/i.test(text)) draft.notes.after ??= 'container';
      else return false;
      return true;
    },
  },
];

/** "1.5 a minute" has no whole logins in a minute: 90 in an hour. */
function wholeRate(logins: number, seconds: number): { logins: number; coveredSeconds: number } {
  return Number.isInteger(logins)
    ? { logins, coveredSeconds: seconds }
    : { logins: Math.round(logins * 60), coveredSeconds: seconds * 60 };
}
