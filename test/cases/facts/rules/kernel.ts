import { type Draft, say } from '../draft.ts';
import { counts, type FactRule, sizes } from '../rule.ts';
import { countIn, numberIn, secondsIn, truthOf } from '../words.ts';

/** Seconds; a read of statistics takes less than a millisecond where all is well. */
const slowRead = 0.05;

/** The machine and its kernel: versions, memory, where the CPU goes, and what reclaim does. */
export const kernelRules: FactRule[] = [
  {
    about: /^kernel(_version|_release)?$/,
    tell: ({ value }, draft) =>
      typeof value === 'string' && tell(() => say(draft, 'host', { kernel: value })),
  },
  {
    about: /^cgroup_(version|v)$/,
    tell({ value }, draft) {
      const version = numberIn(value);
      if (version !== 1 && version !== 2) return false;
      say(draft, 'hierarchy', { memory: version === 1 ? 'v1' : 'v2' });
      return true;
    },
  },
  versions(/^runc(_version)?$/, 'runc'),
  versions(/^(containerd|docker|cri_?o|runtime|container_runtime)_version$/, 'runtimeVersion'),
  counts(/^(node_|host_)?(cpus?|vcpus?|cpu_cores|cores)$/, (cpus, draft, { unit, stage }) => {
    if (unit === undefined && stage === undefined && cpus > 0) say(draft, 'host', { cpus });
  }),
  {
    about: /^(node|host|instance|machine)?_?(age|uptime)$/,
    tell({ value, unit }, draft) {
      const seconds = secondsIn(value, unit);
      if (seconds === undefined) return false;
      say(draft, 'host', { uptimeSeconds: Math.round(seconds) });
      return true;
    },
  },
  {
    about: /(boot|kernel|cmdline|grub)_?(parameter|param|option|argument|cmdline|flag)|^cmdline$/,
    tell({ value }, draft) {
      const text = String(value);
      if (/cgroup_disable=\S*memory/.test(text)) {
        draft.missing.hierarchy = 'the memory controller is switched off at boot (cgroup_disable=memory)';
        return true;
      }
      if (!/nokmem/.test(text)) return false;
      say(draft, 'kmem', { accounting: 'off', usageKb: null });
      return true;
    },
  },
  {
    about: /^kmem(_accounting)?(_enabled|_on|_active)?$/,
    tell({ value }, draft) {
      const on = /^off$/i.test(String(value)) ? false : truthOf(value);
      if (on === undefined) return false;
      say(draft, 'kmem', { accounting: on ? 'on' : 'off', usageKb: null });
      return true;
    },
  },
  {
    about:
      /hotspot|hot_(function|path|symbol|spot)|perf_(top|stack)|top_(function|symbol)|stack_function|flame|cpu_in_function|spin(s|ning)_in|(slow|kernel)_function|kernel_stack/,
    tell({ value, unit }, draft) {
      if (typeof value === 'number' && unit === 'percent') {
        draft.notes.hotspotPercent ??= value;
        return true;
      }
      if (typeof value !== 'string') return false;
      const symbols = value.match(/\b[a-z_]\w{4,}\b/gi) ?? [];
      for (const symbol of symbols.filter((word) => word.includes('_'))) hotspot(draft, symbol);
      return symbols.some((word) => word.includes('_'));
    },
  },
  {
    about: /^(slow(est)?_(file|read)|(file|read)_that_is_slow|slow_to_read)(_path)?$/,
    tell({ value }, draft) {
      if (typeof value !== 'string' || !/^[\w./-]+$/.test(value)) return false;
      say(draft, 'observations', { slowFiles: [value] });
      return true;
    },
  },
  {
    about:
      /^((cat|read)_)?(memory|memcg|cgroup_memory)_stat_?(read|cat|reads)?(_time|_latency|_duration|_slow)?$/,
    tell({ value, unit }, draft) {
      const seconds = secondsIn(value, unit);
      if (value !== true && (seconds === undefined || seconds < slowRead)) return false;
      say(draft, 'observations', { slowFiles: ['memory.stat'] });
      return true;
    },
  },
  {
    about: /(kswapd|kworkers?|kcompactd)/,
    tell({ value, unit, subject }, draft) {
      const thread = /kswapd|kworker|kcompactd/.exec(subject)?.[0] ?? '';
      const percent = unit === 'percent' ? numberIn(value) : undefined;
      if (percent !== undefined && thread !== 'kcompactd') {
        say(draft, 'load', { shares: { [`${thread}Percent`]: percent } });
      }
      if (percent === undefined && truthOf(value) !== true) return false;
      // Where it is named at all, it is for the CPU that it takes.
      if (percent === undefined || percent >= 50) hotspot(draft, thread);
      return true;
    },
  },
  share(
    /^(system|sys|kernel)_(cpu|time)$|^cpu_(sys|system|kernel)$|^(node_)?system_cpu_usage$/,
    'systemPercent',
  ),
  share(/^(cpu_)?io_?wait(_cpu|_time)?$/, 'iowaitPercent'),
  share(/direct_reclaim(_cpu|_time)?$/, 'directReclaimPercent'),
  share(/^(memory_(psi|pressure|stall)|psi_memory)(_some|_full|_avg\d+|_time)*$/, 'memoryStallPercent'),
  {
    about:
      /^(node_vmstat_)?(allocstall|pgscan_direct|pgscan_kswapd|pgsteal_direct|pgsteal_kswapd|pgmajfault|major_(page_)?faults)(_\w+)?$/,
    tell({ value, subject, perSeconds }, draft) {
      const count = countIn(value);
      const field = /major/.test(subject)
        ? 'pgmajfault'
        : /allocstall|pg(?:scan|steal)_(?:direct|kswapd)|pgmajfault/.exec(subject)?.[0];
      if (count === undefined || field === undefined) return false;
      say(draft, 'reclaim', {
        [field.replace(/_(\w)/, (_, letter: string) => letter.toUpperCase())]: count,
        ...(perSeconds === undefined ? {} : { windowMs: perSeconds * 1000 }),
      });
      return true;
    },
  },
  memory(/^(node_|host_|total_|instance_|machine_)?(memory|ram|mem)(_capacity|_size)?$/, 'totalKb'),
  memory(/^(node_)?(memory|mem)_?(available|free)$|^(available|free)_(node_)?memory$/, 'availableKb'),
  memory(
    /(sunreclaim(able)?|slab_unreclaim(able)?|unreclaimable_(slab|memory|kernel_memory))$/,
    'slabUnreclaimableKb',
  ),
  memory(/^(kernel_|node_)?per_?cpu(_memory|_allocations?|_usage)?$/, 'percpuKb'),
];

const series = {
  slabUnreclaimableKb: 'slabUnreclaimableKb',
  percpuKb: 'percpuKb',
  availableKb: 'availableKb',
} as const;

function memory(about: RegExp, field: string): FactRule {
  return sizes(about, (kb, draft, { stage, perSeconds }) => {
    const name = field in series ? series[field as keyof typeof series] : undefined;
    if (name !== undefined && perSeconds !== undefined) {
      say(draft, 'trend', {
        series: { [name]: { source: 'report', perDay: (kb * 86_400) / perSeconds } },
      });
      return;
    }
    if (name !== undefined && stage !== undefined)
      draft.notes.ends[name] = { [stage]: kb, ...draft.notes.ends[name] };
    if (stage !== 'start') say(draft, 'observations', { memory: { [field]: kb } });
  });
}

function share(about: RegExp, field: string): FactRule {
  return {
    about,
    tell({ value, unit }, draft) {
      const number = numberIn(value);
      if (number === undefined || number < 0) return false;
      say(draft, 'load', { shares: { [field]: unit === 'ratio' ? number * 100 : number } });
      return true;
    },
  };
}

function hotspot(draft: Draft, symbol: string): void {
  const known = (draft.probes.observations?.kernelHotspots ?? []) as { symbol: string }[];
  if (known.some((entry) => entry.symbol === symbol)) return;
  say(draft, 'observations', { kernelHotspots: [{ symbol, percent: null }] });
}

function versions(about: RegExp, field: 'runc' | 'runtimeVersion'): FactRule {
  return {
    about,
    tell: ({ value }, draft) =>
      /\d/.test(String(value)) && tell(() => say(draft, 'containers', { [field]: String(value) })),
  };
}

function tell(what: () => void): true {
  what();
  return true;
}
