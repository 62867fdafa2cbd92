import { randomBytes } from 'node:crypto';
import { homeFolder } from '../local/home.ts';
import { makeLeak } from '../local/node/host-leak.ts';
import type { FreshLeak } from './cures.ts';
import { meminfo } from './measure.ts';
import { SkippedError } from './node/part.ts';
import { number } from './table.ts';

/** Below this the kernel would soon end somebody's process for the sake of a measurement. */
const leastAvailableMiB = 2048;

/** Real dying cgroups on this host, each with a page of a file; made by `workers` at once, each in a slice of its own. */
export async function makeZombies(
  count: number,
  { say, signal }: { say: (text: string) => void; signal: AbortSignal },
  workers = 1,
): Promise<FreshLeak> {
  const started = performance.now();
  const made = Array.from({ length: workers }, () => 0);
  let told = 0;
  const short = new AbortController();
  const stop = AbortSignal.any([signal, short.signal]);
  const tell = (): void => {
    if (meminfo('MemAvailable') < leastAvailableMiB * 1024) short.abort();
    const sum = made.reduce((all, one) => all + one, 0);
    if (sum < told + count / 10) return;
    told = sum;
    say(`  ${number(sum)} of ${number(count)} after ${number((performance.now() - started) / 1000)} s`);
  };
  const ends = await Promise.allSettled(
    made.map(async (_, index) => {
      const leak = await makeLeak({
        id: `bench-${randomBytes(3).toString('hex')}`,
        count: count / workers,
        dir: homeFolder(),
        signal: stop,
        onProgress: (done) => {
          made[index] = done;
          tell();
        },
      });
      // Its worker has ended and is waited for, or its CPU would be counted as somebody else's.
      await leak.stop();
      return leak;
    }),
  );
  const leaks = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  const remove = async (): Promise<void> => {
    for (const leak of leaks) await leak.remove();
  };
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) {
    await remove();
    signal.throwIfAborted();
    if (short.signal.aborted) {
      throw new SkippedError(
        `after ${number(made.reduce((all, one) => all + one, 0))} dying cgroups less than ${number(leastAvailableMiB)} MiB were available`,
      );
    }
    throw failed.reason;
  }
  return { slices: leaks.map(({ slice }) => slice).join(' '), remove };
}
