import { end, type LeakedKind, perDay, say } from '../draft.ts';
import { counts, type FactRule } from '../rule.ts';
import { countIn, truthOf } from '../words.ts';

const day = 86_400;
const cgroup = '(cgroups?|memcgs?|descendants)';

/** Counts of cgroups: by the kernel, by directory, and of those that nobody is in. */
export const cgroupRules: FactRule[] = [
  counts(/^proc_cgroups_([a-z]+|cpu_cpuacct|net_cls|net_prio|perf_event)$/, (count, draft, { subject }) => {
    const controller = subject.replace('proc_cgroups_', '');
    say(draft, 'observations', { controllers: { [controller]: count } });
    if (controller === 'memory') draft.notes.memoryCgroups ??= count;
  }),
  counts(
    /^((num|nr)_cgroups|(kernel_)?memory_cgroups?(_registered|_counted|_in_kernel)?|memcgs?|memory_num_cgroups|(memory_)?cgroups?_memory|memory_controller_cgroups)$/,
    (count, draft) => {
      say(draft, 'observations', { controllers: { memory: count } });
      draft.notes.memoryCgroups ??= count;
    },
  ),
  counts(/^cgroups?(_in_use|_registered)?$/, (count, draft, { perSeconds }) => {
    // Whether by the kernel or by directory is not said.
    if (perSeconds === undefined) say(draft, 'observations', { controllers: { memory: count } });
  }),
  {
    about:
      /^(proc_cgroups_memory|(memory_)?cgroups?|memcgs?|nr_dying_descendants|zombies|(dying|hidden)_(memory_)?cgroups)_(after|left_after)_(the_)?(drop(ping)?_caches?|reclaim)$/,
    tell({ value }, draft) {
      const left = countIn(value);
      if (left === undefined) return false;
      draft.notes.leftAfterDrop ??= left;
      return true;
    },
  },
  {
    about:
      /^(user|system|runtime|kubepods)(_slice)?_(nr_)?(dying|zombies|dying_(descendants|cgroups)|zombie_cgroups)$|^(dying|zombies|zombie_cgroups|dying_cgroups)_(in|below|under)_(user|system|runtime|kubepods)(_slice)?$/,
    tell({ value, subject }, draft) {
      const dying = countIn(value);
      const slice = /user|system|runtime|kubepods/.exec(subject)?.[0];
      if (dying === undefined || slice === undefined) return false;
      say(draft, 'slices', {
        entries: [{ path: `/${slice}.slice`, live: null, dying, ghostKb: null, cachedKb: null }],
        omitted: 0,
        unread: 0,
      });
      return true;
    },
  },
  {
    about: new RegExp(
      `^(nr_)?(dying|zombie|hidden|offline|invisible|deleted|removed|ghost)_((memory_)?${cgroup}|subsys_memory)|^((memcg|cgroup)_)?zombies$`,
    ),
    tell(fact, draft) {
      const count = countIn(fact.value);
      if (count === undefined) return false;
      if (fact.perSeconds !== undefined) perDay(draft, 'dying', (count * day) / fact.perSeconds);
      else if (fact.stage === 'start') end(draft, 'dying', 'start', count);
      else {
        end(draft, 'dying', 'end', count);
        draft.notes.dying ??= count;
      }
      return true;
    },
  },
  counts(
    /^(transient|run|mount|systemd_run|leftover)_?scopes?(_units)?$|^scopes?(_units)?$/,
    (count, draft, { perSeconds }) => {
      // A transient scope lives only while something runs in it: so many that they are counted are left behind.
      if (perSeconds === undefined) draft.notes.leaked.scope ??= count;
    },
  ),
  {
    about:
      /(leaked|stale|dangling|orphan(ed)?|unpopulated|empty|leftover|left_behind|undeleted|unremoved|remaining)/,
    tell(fact, draft) {
      if (!/(cgroup|director(y|ies)|dirs?|scopes?|slices?)/.test(fact.subject)) return false;
      const each = /_per_(pod|container|login|session|run|job|start)/.exec(fact.subject);
      if (each !== null) {
        if (truthOf(fact.value) !== true) return false;
        say(draft, 'observations', {
          leftovers: [{ after: afterOf(each[1] ?? ''), what: 'directory' }],
        });
        return true;
      }
      const count = countIn(fact.value);
      if (count === undefined) return false;
      if (fact.perSeconds !== undefined) perDay(draft, 'live', (count * day) / fact.perSeconds);
      else if (fact.stage === 'start') end(draft, 'live', 'start', count);
      else {
        const kind = kindOf(fact.subject);
        draft.notes.leaked[kind] ??= count;
        draft.notes.empty = true;
      }
      return true;
    },
  },
  {
    about: new RegExp(
      `^(nr_descendants|(live|visible|existing)_(memory_)?${cgroup}|(live_|visible_)?(memory_)?cgroup(fs)?_(dirs?|director(y|ies))(_visible|_on_disk)?|directories_(visible|on_disk))$`,
    ),
    tell(fact, draft) {
      const count = countIn(fact.value);
      if (count === undefined) return false;
      if (fact.perSeconds !== undefined) perDay(draft, 'live', (count * day) / fact.perSeconds);
      else if (fact.stage === 'start') end(draft, 'live', 'start', count);
      else {
        end(draft, 'live', 'end', count);
        draft.notes.directories ??= count;
      }
      return true;
    },
  },
  {
    about:
      /(^|_)populated$|(procs|tasks|pids)(_file)?(_is|_are)?_empty|_has_(pids?|procs?|process(es)?|tasks?)$/,
    tell({ subject, value }, draft) {
      const truth = truthOf(value);
      if (truth === undefined) return false;
      draft.notes.empty ??= subject.endsWith('empty') ? truth : !truth;
      return true;
    },
  },
];

function kindOf(subject: string): LeakedKind {
  if (/login|session|user/.test(subject)) return 'session';
  if (/scope|transient|mount|run_/.test(subject)) return 'scope';
  return /pod|slice/.test(subject) ? 'pod' : 'other';
}

function afterOf(what: string): 'pod' | 'container' | 'login' | 'service' {
  if (/login|session/.test(what)) return 'login';
  if (/container/.test(what)) return 'container';
  return /pod|job/.test(what) ? 'pod' : 'service';
}
