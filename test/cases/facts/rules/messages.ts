import { atLeast, type Draft, say } from '../draft.ts';
import { counts, type FactRule } from '../rule.ts';
import { secondsIn, truthOf } from '../words.ts';

/** What error texts say, wherever they were written down. */
export const messageRules: FactRule[] = [
  {
    about: /errno|error_code/,
    tell({ value, subject }, draft) {
      const errno = /\b(ENOSPC|ENOMEM|EACCES|EROFS)\b/.exec(String(value))?.[1];
      if (errno === undefined || /inotify|disk|write|fork|mount/.test(subject)) return false;
      say(draft, 'mkdirProbe', { errno });
      return true;
    },
  },
  {
    about: /./,
    tell: ({ value, subject }, draft) => typeof value === 'string' && tellMessage(subject, value, draft),
  },
  counts(/^(failed|failedcreatepodsandbox|sandbox_failure|pod_creation_failed?)_events?$/, (count, draft) => {
    draft.notes.failedEvents ??= count;
  }),
  {
    about: /^(failed_)?events$|^events?_(window|period)$/,
    tell({ value, unit }, draft) {
      const seconds = secondsIn(value, unit);
      if (seconds === undefined || seconds < 1) return false;
      draft.notes.eventSeconds ??= Math.round(seconds);
      return true;
    },
  },
  {
    about:
      /(pod|sandbox|container)s?_(creation|create|start)(_\w+)?_?(fails?|failed|failing)$|^new_pods?_(fail|failing)/,
    tell({ value }, draft) {
      if (truthOf(value) !== true) return false;
      draft.notes.sandboxesFail = true;
      return true;
    },
  },
  {
    about: /^(cgroup_mkdir|mkdir|cgroup_creation)_(fails?|failed|refused)$/,
    tell({ value }, draft) {
      if (truthOf(value) !== true) return false;
      say(draft, 'mkdirProbe', { errno: 'other' });
      return true;
    },
  },
  counts(/^grpc_message(_size)?$/, (bytes, draft) => {
    // The limit of gRPC in kubelet and runtimes.
    if (bytes > 16 * 1024 * 1024) atLeast(draft, 'kubelet', { journal: { listTooLarge: 1 } });
  }),
];

function tellMessage(subject: string, text: string, draft: Draft): boolean {
  const about = (pattern: RegExp): boolean => pattern.test(`${subject.replaceAll('_', ' ')} ${text}`);
  const has = (pattern: RegExp): boolean => pattern.test(text);
  if (/inotify|disk|image|overlay/i.test(`${subject} ${text}`)) return false;
  if (has(/no space left on device/i) && about(/cgroup|mkdir|sandbox|container|pod|runc/i)) {
    say(draft, 'mkdirProbe', { errno: 'ENOSPC' });
    return true;
  }
  if (has(/cannot allocate memory/i) && about(/cgroup|mkdir/i)) {
    say(draft, 'mkdirProbe', { errno: 'ENOMEM' });
    return true;
  }
  if (has(/failed to (delete|remove) cgroup/i)) {
    atLeast(draft, 'kubelet', { journal: { cgroupDeleteFailed: 1 } });
    return true;
  }
  if (has(/larger than max|ResourceExhausted/i)) {
    atLeast(draft, 'kubelet', { journal: { listTooLarge: 1 } });
    return true;
  }
  if (has(/\bPLEG\b|GenericPLEG/)) {
    atLeast(draft, 'kubelet', { journal: { pleg: 1 } });
    return true;
  }
  if (has(/context deadline exceeded|DeadlineExceeded/) && about(/kubelet|runtime|cri|container|pod/i)) {
    atLeast(draft, 'kubelet', { journal: { criDeadline: 1 } });
    return true;
  }
  if (has(/ScopeNotRunning/) || about(/abandon.*(not running|failed)/i)) {
    atLeast(draft, 'sessions', { abandonFailed: 1 });
    return true;
  }
  const killed = /(?:killed process|kill(?:ed|ing)?) \d* ?\(?([\w.-]+)\)?/i.exec(text)?.[1];
  if (killed !== undefined && has(/oom|out of memory|killed process/i)) {
    atLeast(draft, 'oomKills', { source: 'report', seen: 1, ofKubelet: killed === 'kubelet' ? 1 : 0 });
    return true;
  }
  return false;
}
