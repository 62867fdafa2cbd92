import { tried } from '../draft.ts';
import { counts, type FactRule } from '../rule.ts';
import { numberIn, secondsIn, truthOf } from '../words.ts';

/** CPU quotas: who used up his own, and whether it mattered. */
export const throttlingRules: FactRule[] = [
  counts(/^(nr_|cfs_|total_)?periods$/, (periods, draft) => {
    draft.notes.throttling.periods ??= periods;
  }),
  counts(
    /^nr_throttled(_periods)?$|^throttled_periods$|^periods_throttled$/,
    (throttled, draft, { unit }) => {
      if (unit === 'percent') draft.notes.ratio ??= throttled / 100;
      else draft.notes.throttling.throttledPeriods ??= throttled;
    },
  ),
  {
    about: /^(cpu_|container_|pod_)?(throttled|throttling|throttle)(_periods|_cpu)?$/,
    tell({ value, unit }, draft) {
      const number = numberIn(value);
      const seconds = secondsIn(value, unit);
      if (number === undefined) return false;
      if (unit === 'percent' || (typeof value === 'string' && value.includes('%')))
        draft.notes.ratio ??= number / 100;
      else if (unit === 'ratio' && number <= 1) draft.notes.ratio ??= number;
      else if (seconds !== undefined) draft.notes.throttling.throttledMs ??= Math.round(seconds * 1000);
      else return false;
      return true;
    },
  },
  {
    about: /^(cfs_)?throttled_(time|duration)$/,
    tell({ value, unit }, draft) {
      const seconds = secondsIn(value, unit);
      if (seconds === undefined) return false;
      draft.notes.throttling.throttledMs ??= Math.round(seconds * 1000);
      return true;
    },
  },
  {
    about: /^(cpu_)?cfs_(quota|period)$|^cpu_(quota|period)$/,
    tell({ value, unit, subject }, draft) {
      const seconds = secondsIn(value, unit);
      if (seconds === undefined) return false;
      draft.notes.throttling[subject.endsWith('quota') ? 'quotaUs' : 'periodUs'] ??= Math.round(
        seconds * 1e6,
      );
      return true;
    },
  },
  {
    about: /^cpuset(_cpus)?$/,
    tell({ value }, draft) {
      draft.notes.throttling.cpus ??= cpusIn(String(value));
      return true;
    },
  },
  {
    about: /_with(out)?_(the_)?(cpu_)?(limits?|quota)/,
    tell({ value, subject }, draft) {
      if (!/^(p\d+|latency|response|duration|request|startup|max_latency|tail)/.test(subject)) return false;
      const number = numberIn(value);
      if (number === undefined || typeof value !== 'number') return false;
      draft.notes.latency[/_without_/.test(subject) ? 'without' : 'with'] ??= number;
      return true;
    },
  },
  {
    about:
      /^(throttl\w+|latency)_(disappears?|gone|vanish(es)?|falls|improves|normal)_(without|after_removing)_(the_)?(cpu_)?(limits?|quota)$/,
    tell({ value }, draft) {
      const helped = truthOf(value);
      if (helped === undefined) return false;
      tried(draft, 'remove-cpu-limit', helped);
      return true;
    },
  },
];

/** How many CPUs a list such as "0-3,8" names. */
function cpusIn(list: string): number {
  return list.split(',').reduce((sum, range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return sum + (Number.isFinite(last - first) ? last - first + 1 : 0);
  }, 0);
}
