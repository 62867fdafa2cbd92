import type { Tried } from '../../../../lambdas/domain/evidence/observations.ts';
import { tried } from '../draft.ts';
import type { FactRule } from '../rule.ts';
import { truthOf } from '../words.ts';

const helped =
  'effect|effective|helps?|helped|fix(es|ed)?|works?|frees?|freed|restores?|restored|solves?|resolves?|clears?|recovers?|releases?|cures?|reduces?|brings_back|resets?|lowers?|drops?';

/** What people tried, and whether it helped. */
export const triedRules: FactRule[] = [
  {
    about:
      /^((fix|workaround|solution|mitigation|remedy|cure)(_used|_applied|_found|_that_works)?|(common|known|manual|temporary|user)_(workaround|fix|mitigation)|(fixed|resolved|solved|cured)_by)$/,
    tell({ value }, draft) {
      const parts = String(value).split(/[,;]|\band\b|\bor\b|\bthen\b/);
      const actions = parts.flatMap((part) => actionIn(part) ?? []);
      for (const action of actions) tried(draft, action, true);
      return actions.length > 0;
    },
  },
  {
    about: /^without_(the_)?(memory_limit|cpu_limit|limit|cadvisor)_/,
    tell({ value, subject }, draft) {
      const truth = truthOf(value);
      const what = withoutWhat(subject);
      if (truth === undefined || what === undefined) return false;
      const bad = /grow|leak|climb|increase|throttl|slow|oom/.test(subject);
      tried(draft, what, bad ? !truth : truth);
      return true;
    },
  },
  {
    about: new RegExp(`_(${helped})(_\\w+)?$`),
    tell({ value, subject }, draft) {
      const what = actionIn(subject.replaceAll('_', ' '));
      const truth = truthOf(value);
      if (what === undefined || truth === undefined) return false;
      tried(draft, what, truth && !/_no_effect$/.test(subject));
      return true;
    },
  },
  {
    about: new RegExp(`^restart(ing)?_(it_)?(${helped})$`),
    tell({ value }, draft) {
      const truth = truthOf(value);
      if (truth === undefined) return false;
      draft.notes.restartHelped ??= truth;
      return true;
    },
  },
  {
    about: /^(restart|kubelet_restart|reboot|drop_caches|restart_kubelet)_(does_not_help|no_effect|useless)$/,
    tell({ value, subject }, draft) {
      const what = actionIn(subject.replaceAll('_', ' '));
      if (what === undefined || truthOf(value) !== true) return false;
      tried(draft, what, false);
      return true;
    },
  },
  {
    about: /^(system|kube)_reserved_that_(keeps|kept|lets|makes)_/,
    tell(_, draft) {
      tried(draft, 'reserve-memory', true);
      return true;
    },
  },
];

/** Each where the words of somebody who did it by hand name it. */
const actions: [RegExp, Tried][] = [
  [/drop(ping|ped)?[ _]?caches?|echo [123] ?>/i, 'drop-caches'],
  [/nokmem|kmem accounting (off|disabled)|(disabl\w*|turn\w* off) kmem/i, 'kmem-accounting-off'],
  [/logind/i, 'restart-logind'],
  [/kubelet.*restart|restart\w* (the )?kubelet/i, 'restart-kubelet'],
  [
    /(disabl|stopp?|mask|uninstall|remov)\w* (the |unused )*(\w+ )?(agent|unit|service|daemon)/i,
    'disable-agent',
  ],
  [
    /restart\w* (the )?(\w+ )?(agent|daemon|dockerd?|containerd)|(agent|daemon|dockerd?|containerd) restart/i,
    'restart-agent',
  ],
  [
    /\breboot|(node|host|machine) restart|restart\w* (the )?(node|host|machine)|recreat\w* (the )?node/i,
    'reboot',
  ],
  [
    /rmdir|stop(ping)? (the )?(\w+ )?scopes?|(remov|delet|clean)\w* (\w+ )*(cgroups?|dirs|directories|scopes?)|cgroup clean/i,
    'stop-scopes',
  ],
  [
    /(remov|without|rais|increas|disabl)\w* (the )?cpu[ -]?(limits?|quota)|cpu (limit|quota) (removed|off)|cfs[ _-]quota/i,
    'remove-cpu-limit',
  ],
  [/(remov|without|rais|increas)\w* (the )?memory limits?/i, 'remove-memory-limit'],
  [/(prun|remov|delet)\w* (\w+ )*(containers|sandbox(es)?)|container prune|crictl rm/i, 'prune-containers'],
  [/(upgrad|updat|newer)\w* (the )?kernel|kernel (upgrade|update)|patched kernel/i, 'upgrade-kernel'],
  [/reserv(e|ed|ing)/i, 'reserve-memory'],
  [/force_empty|memory\.reclaim|\breclaim\b/i, 'reclaim'],
  [/restart\w* (the )?(pods?|containers?|deployment|workload)|(pod|container) restart/i, 'restart-workload'],
];

export function actionIn(text: string): Tried | undefined {
  return actions.find(([pattern]) => pattern.test(text))?.[1];
}

function withoutWhat(subject: string): Tried | undefined {
  if (/cadvisor/.test(subject)) return 'remove-cadvisor';
  if (/cpu_limit|throttl|latency|p99/.test(subject)) return 'remove-cpu-limit';
  return /memory/.test(subject) ? 'remove-memory-limit' : undefined;
}
