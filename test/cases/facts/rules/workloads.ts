import { course, end, perDay, say } from '../draft.ts';
import { counts, type FactRule, sizes } from '../rule.ts';
import { numberIn, truthOf } from '../words.ts';

const whose = '(pod|container|workload|app(lication)?|process|jvm|service|sidecar|daemonset)';
const memoryWords = '(rss|res|mem(ory)?(_usage|_used|_rss|_working_set)?|working_set|heap|usage)';

/** Pods: what they use, what they may use, and who killed them. */
export const workloadRules: FactRule[] = [
  {
    about:
      /(last_(state|termination)(_reason)?|terminat(ed|ion)_reason|exit_reason|state_reason|container_status)$/,
    tell({ value }, draft) {
      if (!/OOM_?Kill/i.test(String(value))) return false;
      draft.notes.oomKilledPods ??= 1;
      return true;
    },
  },
  {
    about:
      /^(pods?|containers?|workloads?)_(is_|was_|were_|get_|gets_)?oom_?kill(s|ed)?$|^oom_?killed_(pods|containers)$/,
    tell({ value }, draft) {
      if (truthOf(value) !== true) return false;
      draft.notes.oomKilledPods ??= Math.max(1, Math.round(numberIn(value) ?? 1));
      return true;
    },
  },
  {
    about:
      /^(node_|host_|system_|kernel_|other_processes_|global_)oom_?kill(s|ed)?(_events)?$|^system_?oom(s|_events?)?$/,
    tell({ value }, draft) {
      const seen = truthOf(value) === true ? Math.max(1, Math.round(numberIn(value) ?? 1)) : undefined;
      if (seen === undefined) return false;
      say(draft, 'oomKills', { source: 'report', seen });
      return true;
    },
  },
  {
    about: /^(days|hours|minutes|weeks)_(until|to|before)_oom_?kill(ed)?$/,
    tell({ value }, draft) {
      if (numberIn(value) === undefined) return false;
      // What fills its limit in so and so long grows, and is killed then.
      draft.notes.oomKilledPods ??= 1;
      course(draft, 'workingSetKb', 'rises');
      return true;
    },
  },
  {
    about: /^(controller|owner|workload|pod_owner)_(kind|type)$/,
    tell({ value }, draft) {
      if (typeof value !== 'string') return false;
      draft.notes.owner ??= value;
      return true;
    },
  },
  {
    about: /^(pod|container|workload|deployment|daemonset|controller)_name$/,
    tell({ value }, draft) {
      if (typeof value !== 'string') return false;
      draft.notes.workload.pod ??= value;
      return true;
    },
  },
  sizes(new RegExp(`^(${whose}_)?(memory_limit|limit_memory|mem_limit|memory_max|limit)$`), (kb, draft) => {
    draft.notes.workload.limitKb ??= kb;
  }),
  sizes(
    new RegExp(`^${whose}_${memoryWords}(_growth)?$|^working_set$`),
    (kb, draft, { stage, perSeconds }) => {
      if (perSeconds !== undefined) perDay(draft, 'workingSetKb', (kb * 86_400) / perSeconds);
      else {
        end(draft, 'workingSetKb', stage ?? 'end', kb);
        if (stage !== 'start') draft.notes.workload.workingSetKb ??= kb;
      }
    },
  ),
  counts(/^(pod|container)_restarts?$/, (restarts, draft) => {
    draft.notes.workload.restarts ??= restarts;
  }),
  counts(/^restarts?$/, (restarts, draft) => {
    draft.notes.restarts ??= restarts;
  }),
  {
    about: /^oom_?kill(s|ed)?(_events)?$/,
    tell({ value }, draft) {
      if (truthOf(value) !== true) return false;
      draft.notes.oomKills ??= Math.max(1, Math.round(numberIn(value) ?? 1));
      return true;
    },
  },
];
