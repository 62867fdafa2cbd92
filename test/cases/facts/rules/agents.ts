import { end, perDay } from '../draft.ts';
import { counts, type FactRule, sizes } from '../rule.ts';
import { truthOf } from '../words.ts';

const memoryWords = '(rss|res|resident(_memory)?|mem(ory)?(_usage|_used)?|ram|working_set)';
/** Services of hosts that reports name in their facts, without calling them an agent. */
const daemons =
  '(agent|daemon|docker(d|_daemon)?|containerd(_shim)?|crio|cri_o|systemd_logind|logind|systemd|journald|dbus(_daemon)?|(amazon_)?ssm_agent|ecs_agent|cloudwatch_agent|node_exporter|telegraf|fluentd|fluent_bit|datadog_agent|falco|auditd|rsyslogd?|monitoring_agent)';

/** Host agents: which, what it holds, how often it starts, and whether somebody needs it. */
export const agentRules: FactRule[] = [
  {
    about: /^(agent|daemon|service|host)_?(unit|name|service)(_name)?$|^(unit|agent|daemon)$/,
    tell({ value }, draft) {
      if (typeof value !== 'string') return false;
      draft.notes.agent.unit ??= value;
      return true;
    },
  },
  {
    about: /^(agent|unit|service|daemon)_(state|status)$/,
    tell({ value }, draft) {
      const text = String(value);
      if (/crash|restart|loop|flap|auto-restart/i.test(text)) {
        draft.notes.agent.active ??= 'activating';
        draft.notes.agent.sub ??= 'auto-restart';
      } else if (/running|active/i.test(text)) {
        draft.notes.agent.active ??= 'active';
        draft.notes.agent.sub ??= 'running';
      } else return false;
      return true;
    },
  },
  {
    about: /^(agent|unit|service|daemon)_(is_)?(crash_?loop(s|ing)?|restarting|keeps_restarting)$/,
    tell({ value }, draft) {
      if (truthOf(value) !== true) return false;
      draft.notes.agent.active ??= 'activating';
      draft.notes.agent.sub ??= 'auto-restart';
      return true;
    },
  },
  counts(
    /^(agent|unit|service|daemon)_(restarts?|restart_count|nrestarts)$|^nrestarts$/,
    (restarts, draft) => {
      draft.notes.agent.restarts ??= restarts;
    },
  ),
  {
    about: /^(agent|unit|service|daemon)_(is_)?(needed|required|used|in_use)(_\w+)?$/,
    tell({ value }, draft) {
      const needed = truthOf(value);
      if (needed === undefined) return false;
      // What its workloads are, is not said; that there is one at least, is.
      draft.notes.agent.containers ??= needed ? 1 : 0;
      return true;
    },
  },
  sizes(new RegExp(`^${daemons}_${memoryWords}(_growth)?$`), (kb, draft, { stage, perSeconds, subject }) => {
    draft.notes.agent.unit ??= unitOf(subject);
    if (perSeconds !== undefined) perDay(draft, 'agent', (kb * 86_400) / perSeconds);
    else {
      if (stage !== undefined) end(draft, 'agent', stage, kb);
      if (stage !== 'start')
        draft.notes.agent[/_(rss|res|resident\w*)$/.test(subject) ? 'rssKb' : 'memoryKb'] ??= kb;
    }
  }),
];

function unitOf(subject: string): string | undefined {
  const name = new RegExp(`^${daemons}_`).exec(subject)?.[1];
  return name === undefined || /^(agent|daemon)$/.test(name) ? undefined : name.replaceAll('_', '-');
}
