import { say } from '../draft.ts';
import type { FactRule } from '../rule.ts';
import { kbIn, numberIn, truthOf } from '../words.ts';

/** The node as the API server shows it, and the alerts of kubernetes-mixin, whose thresholds are public. */
export const nodeRules: FactRule[] = [
  {
    about:
      /^(node_)?(conditions?|status|state)$|^node_(ready|not_?ready)(_\w+)?$|^(memory|pid|disk)_pressure(_condition)?$/,
    tell({ value, subject }, draft) {
      const text = typeof value === 'string' ? value : '';
      const holds = typeof value === 'boolean' ? value : undefined;
      const found: { type: string; status: string }[] = [];
      if (/not_?ready/.test(subject) ? holds === true : /NotReady|Ready=False|Not Ready/i.test(text)) {
        found.push({ type: 'Ready', status: 'False' });
      } else if (/Ready=Unknown|NodeStatusUnknown/i.test(text))
        found.push({ type: 'Ready', status: 'Unknown' });
      if (/MemoryPressure/i.test(text) || (/^memory_pressure/.test(subject) && holds === true)) {
        found.push({ type: 'MemoryPressure', status: 'True' });
      }
      if (/DiskPressure/i.test(text)) found.push({ type: 'DiskPressure', status: 'True' });
      if (/PIDPressure/i.test(text)) found.push({ type: 'PIDPressure', status: 'True' });
      if (found.length === 0) return false;
      say(draft, 'nodeStatus', { conditions: found });
      return true;
    },
  },
  {
    about: /^instance(_type)?$/,
    tell({ value }, draft) {
      if (typeof value !== 'string' || !/^[a-z]\w*\.\w+$/.test(value)) return false;
      say(draft, 'nodeStatus', { instanceType: value });
      return true;
    },
  },
  {
    about:
      /^(pod_|pods_|memory_|total_|node_)*(memory_)?(requests?|limits?|overcommit)(_sum|_total|_overcommit|_committed|_of_allocatable)?$/,
    tell({ value, unit, subject }, draft) {
      if (!/memory|^limits|^requests|overcommit/.test(subject)) return false;
      const field = /limit|overcommit/.test(subject) ? 'limits' : 'requests';
      if (unit === 'percent') {
        const percent = numberIn(value);
        if (percent === undefined) return false;
        draft.notes.sizes[`${field}Percent`] ??= percent;
        return true;
      }
      const kb = kbIn(value, unit);
      if (kb === undefined || !/^(total|pods?|sum|memory_(limits|requests)_)/.test(subject)) return false;
      draft.notes.sizes[`${field}Kb`] ??= kb;
      return true;
    },
  },
  {
    about: /^(memory_)?allocatable(_memory)?$/,
    tell({ value, unit }, draft) {
      const kb = kbIn(value, unit);
      if (kb === undefined) return false;
      draft.notes.sizes.allocatableKb ??= kb;
      return true;
    },
  },
  {
    about: /^pods_without_(memory_)?limits?$/,
    tell({ value }, draft) {
      const pods = numberIn(value) ?? (truthOf(value) === true ? 1 : undefined);
      if (pods === undefined) return false;
      draft.notes.sizes.podsWithoutLimit ??= Math.round(pods);
      return true;
    },
  },
  {
    about: /^alert(_name|_fired|_firing)?$/,
    tell({ value }, draft) {
      const text = String(value);
      if (/CPUThrottlingHigh/.test(text)) draft.notes.ratio ??= 0.25;
      else if (/KubeNodeNotReady/.test(text))
        say(draft, 'nodeStatus', { conditions: [{ type: 'Ready', status: 'False' }] });
      else if (/KubeletPlegDurationHigh/.test(text))
        say(draft, 'kubeletMetrics', { plegRelistP99Seconds: 10 });
      else return false;
      return true;
    },
  },
];
