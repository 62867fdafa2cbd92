import { course, type Figure, perDay } from '../draft.ts';
import type { FactRule } from '../rule.ts';
import { courseIn, kbIn, secondsIn } from '../words.ts';

/** Where figures go, by a word, a metric's name, or so much a day. */
export const courseRules: FactRule[] = [
  {
    about: /^(growing|rising|leaking|climbing)_(metric|counter|series|gauge)$/,
    tell({ value }, draft) {
      const name = seriesIn(String(value));
      if (name === undefined) return false;
      course(draft, name, name === 'availableKb' ? 'falls' : 'rises');
      return true;
    },
  },
  {
    about: /^(\w+?)_(trend|course|growth|development|over_time|behaviou?r|curve)$/,
    tell({ value, unit, perSeconds }, draft, found) {
      const [, whose = ''] = found;
      const name = seriesIn(whose);
      if (typeof value === 'number' && perSeconds !== undefined && name !== undefined) {
        const amount = name.endsWith('Kb') || name === 'agent' ? kbIn(value, unit) : value;
        if (amount === undefined) return false;
        perDay(draft, name, (amount * 86_400) / perSeconds);
        return true;
      }
      const where = courseIn(value);
      if (where === undefined) return false;
      if (name !== undefined) course(draft, name, where);
      else if (/^(memory|usage|mem|ram)$/.test(whose)) draft.notes.memoryCourse ??= where;
      else return false;
      return true;
    },
  },
  {
    about:
      /^(\w+?)_(grows?|growing|rises?|rising|increases?|increasing|climbs?|leaks?)(_(with|over|after|until|monotonically|linearly|steadily|without)(_\w+)?)?$/,
    tell({ value }, draft, found) {
      const [, whose = '', , , how, other = ''] = found;
      if (value !== true) return false;
      const names = [whose, ...(how === 'with' ? [other] : [])].flatMap((part) => seriesIn(part) ?? []);
      for (const name of names) course(draft, name, 'rises');
      if (names.length === 0 && /^(memory|mem|usage)$/.test(whose)) draft.notes.memoryCourse ??= 'rises';
      return names.length > 0 || draft.notes.memoryCourse !== undefined;
    },
  },
  {
    about: /^workload(s)?_memory$|^pod_memory$|^(container|app)_memory$/,
    tell({ value }, draft) {
      const where = courseIn(value);
      if (where === undefined) return false;
      course(draft, 'workingSetKb', where);
      return true;
    },
  },
  {
    about:
      /^(minutes|hours|days|weeks)_(between|span|observed|covered|elapsed)$|^(observation|measurement)_(window|time|span)$|^between$|^elapsed$/,
    tell({ value, unit, subject }, draft) {
      const seconds = secondsIn(value, unit ?? subject.split('_')[0]?.replace(/s$/, ''));
      if (seconds === undefined) return false;
      draft.notes.spanSeconds ??= seconds;
      return true;
    },
  },
  {
    about: /^growth$|^memory_growth$|^leak_rate$/,
    tell({ value, unit, perSeconds }, draft) {
      const kb = kbIn(value, unit);
      if (kb === undefined || perSeconds === undefined) return false;
      draft.notes.sizes.growthPerDay ??= (kb * 86_400) / perSeconds;
      return true;
    },
  },
];

/** The figure that a name means: a metric, or words. Nothing where it is not clear whose it is. */
export function seriesIn(text: string): Figure | undefined {
  const known: [RegExp, Figure][] = [
    [/sunreclaim|unreclaimable|kernel_memory|slab_unreclaim/i, 'slabUnreclaimableKb'],
    [/per_?cpu/i, 'percpuKb'],
    [/goroutines/i, 'goroutines'],
    [/kubelet.*cpu/i, 'kubeletCpuPercent'],
    [/kubelet/i, 'kubeletRssKb'],
    [/(ssm|ecs|cloudwatch|monitoring|host)?_?(agent|daemon)|dockerd|containerd/i, 'agent'],
    [/dying|zombie|hidden_(memory_)?cgroups/i, 'dying'],
    [/nr_descendants|cgroup_(dirs|directories|count)|cgroups?$|scopes$/i, 'live'],
    [/throttl/i, 'throttledRatio'],
    [/direct_reclaim|pgscan_direct|allocstall/i, 'directReclaimPercent'],
    [/memavailable|memory_available|available_memory|free_memory/i, 'availableKb'],
    [
      /(container|pod|workload|app|process|jvm|heap|sidecar|daemonset|service)_?.*(memory|rss|working_set|heap)|working_set/i,
      'workingSetKb',
    ],
    [/^pods?(_count)?$|running_pods/i, 'pods'],
  ];
  return known.find(([pattern]) => pattern.test(text))?.[1];
}
