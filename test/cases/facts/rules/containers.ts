import { say } from '../draft.ts';
import { counts, type FactRule } from '../rule.ts';
import { countIn, truthOf } from '../words.ts';

/** Containers, sandboxes, and the pods of the node. */
export const containerRules: FactRule[] = [
  counts(/^(running_containers|containers_running)$/, (running, draft) =>
    say(draft, 'containers', { running }),
  ),
  counts(
    /^((exited|dead|stopped|terminated)_(docker_)?containers|(docker_)?containers_(exited|dead|stopped|not_running)|exited)$/,
    (exited, draft) => say(draft, 'containers', { exited }),
  ),
  counts(
    /^((dead|exited|stopped|not_?ready|stale|leftover)_(pod_)?sandbox(es)?|(pod_)?sandbox(es)?_(dead|not_?ready|exited|stopped))$/,
    (count, draft) => say(draft, 'containers', { sandboxesNotReady: count }),
  ),
  counts(/^(docker_)?containers(_listed|_all)?$/, (count, draft) => {
    draft.notes.containers ??= count;
  }),
  counts(
    /^(active_|running_)?pods(_active|_running|_on_node)?(_per_node)?$/,
    (runningPods, draft, { perSeconds }) => {
      if (perSeconds === undefined) say(draft, 'kubeletMetrics', { runningPods });
    },
  ),
  {
    about: /^(evictions?|evicted_pods|pods_evicted|pod_evictions)$/,
    tell({ value }, draft) {
      const evicted = countIn(value) ?? (truthOf(value) === true ? 1 : undefined);
      if (evicted === undefined) return false;
      say(draft, 'podStatus', { evicted });
      return true;
    },
  },
  {
    about: /^cgroup_driver$|^(systemd|cgroupfs)_driver_node_leaks$/,
    tell({ value, subject }, draft) {
      const text = subject === 'cgroup_driver' ? String(value) : truthOf(value) === true ? subject : '';
      const driver = /systemd|cgroupfs/.exec(text)?.[0];
      if (driver === undefined) return truthOf(value) === false;
      say(draft, 'containers', { cgroupDriver: driver });
      return true;
    },
  },
];
