import type { Violation } from '../facts.ts';
import { type Quota, quotas } from '../quotas.ts';

/** A call, and when it was made, in seconds. */
export type Timed = { call: string; at: number };
export type Rate = {
  call: string;
  count: number;
  /** The most within one second, wherever that begins. */
  peak: number;
  quota?: { perSecond: number; bucket: number; source: string; throttled: number };
};

/** How often each call was made, its peak, and what its quota would have refused. */
export function ratesOf(calls: readonly Timed[], known: readonly Quota[] = quotas): Rate[] {
  const byCall = Map.groupBy(calls, ({ call }) => call);
  return [...byCall]
    .map(([call, own]): Rate => {
      const times = own.map(({ at }) => at).sort((a, b) => a - b);
      const quota = known.find(({ counts }) => counts.test(call));
      return {
        call,
        count: times.length,
        peak: peakOf(times),
        ...(quota === undefined
          ? {}
          : {
              quota: {
                perSecond: quota.perSecond,
                bucket: quota.bucket,
                source: quota.source,
                throttled: throttledOf(times, quota),
              },
            }),
      };
    })
    .sort((a, b) => b.count - a.count || (a.call < b.call ? -1 : 1));
}

/** A call was made more often than its quota allows. */
export function overQuota(rates: readonly Rate[]): Violation[] {
  return rates.flatMap(({ call, quota, peak }) =>
    quota === undefined || quota.throttled === 0
      ? []
      : [
          {
            check: 'rate',
            what: `${quota.throttled} calls of ${call} would have been throttled: ${peak} in one second at the peak, and the quota is ${quota.perSecond} a second with a bucket of ${quota.bucket} (${quota.source})`,
          },
        ],
  );
}

function peakOf(times: readonly number[]): number {
  let from = 0;
  let peak = 0;
  for (const [to, at] of times.entries()) {
    while ((times[from] ?? at) <= at - 1) from += 1;
    peak = Math.max(peak, to - from + 1);
  }
  return peak;
}

/** Calls that find the bucket empty; each takes one, and nobody who is refused takes any. */
function throttledOf(times: readonly number[], { bucket, perSecond }: Quota): number {
  let level = bucket;
  let last = times[0] ?? 0;
  let throttled = 0;
  for (const at of times) {
    level = Math.min(bucket, level + (at - last) * perSecond);
    last = at;
    if (level >= 1) level -= 1;
    else throttled += 1;
  }
  return throttled;
}
