import { course, end, perDay, say } from '../draft.ts';
import { counts, type FactRule, sizes } from '../rule.ts';
import { numberIn, secondsIn, truthOf } from '../words.ts';

const day = 86_400;
const memoryWords =
  '(rss|res|mem(ory)?|ram|resident(_memory)?|working_set|memory_(usage|used|rss)|heap|usage)';

/** The kubelet: what it holds, what its profile shows, and what its log says. */
export const kubeletRules: FactRule[] = [
  sizes(/^kubelet_(memory_(limit|max)|(limit|max)_memory|memorymax)$/, (kb, draft) =>
    say(draft, 'kubelet', { memoryMaxKb: kb }),
  ),
  sizes(
    new RegExp(`^kubelet_${memoryWords}$|^kubelet(_${memoryWords})?_growth$|^kubelet$`),
    (kb, draft, { stage, perSeconds, subject }) => {
      if (perSeconds !== undefined) perDay(draft, 'kubeletRssKb', (kb * day) / perSeconds);
      else if (subject.endsWith('growth')) course(draft, 'kubeletRssKb', 'rises');
      else {
        end(draft, 'kubeletRssKb', stage ?? 'end', kb);
        if (stage !== 'start') say(draft, 'kubelet', { rssKb: kb });
      }
    },
  ),
  {
    about: /^kubelet_(is_|was_|gets_)?oom_?kill(s|ed)?$/,
    tell({ value }, draft) {
      const kills = truthOf(value) === true ? Math.max(1, numberIn(value) ?? 1) : 0;
      if (kills === 0) return false;
      say(draft, 'oomKills', { source: 'report', seen: kills, ofKubelet: kills });
      return true;
    },
  },
  counts(/^kubelet_(automatic_)?restarts?$/, (restarts, draft) => say(draft, 'kubelet', { restarts })),
  {
    about: /^memory_(doubles|grows|climbs|rises)(_\w+)*_after_restart$/,
    tell({ value }, draft) {
      if (truthOf(value) !== true) return false;
      draft.notes.memoryCourse ??= 'rises';
      return true;
    },
  },
  counts(/^(kubelet_|go_)?goroutines?$/, (count, draft, { stage, perSeconds }) => {
    if (perSeconds !== undefined) perDay(draft, 'goroutines', (count * day) / perSeconds);
    else {
      end(draft, 'goroutines', stage ?? 'end', count);
      if (stage !== 'start') say(draft, 'kubeletMetrics', { goroutines: count });
    }
  }),
  {
    about: /pleg_relist|relist_(duration|latency|time)/,
    tell({ value, unit }, draft) {
      const seconds = secondsIn(value, unit);
      if (seconds === undefined) return false;
      say(draft, 'kubeletMetrics', { plegRelistP99Seconds: seconds });
      return true;
    },
  },
  {
    about: /pleg_(unhealthy|not_healthy|errors?|is_not_healthy|timeouts?)/,
    tell({ value }, draft) {
      if (truthOf(value) !== true) return false;
      say(draft, 'kubelet', { journal: { pleg: Math.max(1, Math.round(numberIn(value) ?? 1)) } });
      return true;
    },
  },
  {
    about: /pod_worker_(duration|latency)/,
    tell({ value, unit }, draft) {
      const seconds = secondsIn(value, unit);
      if (seconds === undefined) return false;
      say(draft, 'kubeletMetrics', { podWorkerP99Seconds: seconds });
      return true;
    },
  },
  {
    about: /^leak(ing|ed|y)_controller$|^controller_that_leaks$/,
    tell({ value }, draft) {
      if (typeof value !== 'string') return false;
      say(draft, 'observations', { leakingController: value });
      return true;
    },
  },
  {
    about: /^feature_gates?(_enabled|_on|_set)?$|^enabled_feature_gates?$/,
    tell({ value }, draft) {
      if (typeof value !== 'string') return false;
      const gates = [...value.matchAll(/\b([A-Z]\w+)(?:\s*=\s*(true|false))?/g)];
      if (gates.length === 0) return false;
      const featureGates = Object.fromEntries(gates.map(([, gate, state]) => [gate, state ?? 'true']));
      say(draft, 'kubelet', { config: { featureGates } });
      return true;
    },
  },
  {
    about:
      /^(leak(ing|ed)?_(structure|site|object|type|function|map|cache|field|goroutines?)|goroutine_(site|stack|source)|(heap|pprof|profile)(_\w+)*|top_alloc\w*|growing_(map|structure|cache|field))$/,
    tell({ value }, draft) {
      if (typeof value !== 'string' || !/[A-Za-z]{3}/.test(value)) return false;
      draft.notes.heap.push(value.slice(0, 400));
      return true;
    },
  },
  counts(
    /^(kubelet_)?(cgroup_(delete|removal|deletion)_(failures|failed|errors)|failed_to_delete_cgroups?(_paths)?(_errors|_messages)?)$/,
    (count, draft) => say(draft, 'kubelet', { journal: { cgroupDeleteFailed: count } }),
  ),
  counts(/^(pending_)?(pod_?)?cert(ificate)?_?requests?(_pending)?$|^pcrs?(_pending)?$/, (count, draft) =>
    say(draft, 'podStatus', { certificateRequestsPending: count }),
  ),
  sizes(/^(system|kube)_reserved(_memory)?$/, (kb, draft, { subject }) => {
    const field = subject.startsWith('kube') ? 'kubeReserved' : 'systemReserved';
    if (kb > 0) say(draft, 'kubelet', { config: { [field]: { memory: `${kb}Ki` } } });
  }),
  {
    about: /^(system|kube)_reserved(_set|_configured|_enabled)?(_by_default)?$/,
    tell({ value, subject }, draft) {
      if (truthOf(value) !== false) return false;
      say(draft, 'kubelet', {
        config: { [subject.startsWith('kube') ? 'kubeReserved' : 'systemReserved']: {} },
      });
      return true;
    },
  },
];
