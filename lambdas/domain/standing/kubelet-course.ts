import type { Evidence } from '../evidence/evidence.ts';
import { kubeletMemory, leastHours } from '../evidence/kubelet-memory.ts';
import { probeValue } from '../evidence/probe.ts';
import { medianOf } from '../slope.ts';
import { growthOf } from '../trend.ts';

const leastPoints = 8;
/** The last sample before a look is older: what happened since is not known. Four quick looks of the census as it ships. */
const oldestMinutes = 60;
/** The share of a node's memory that its kubelet may take on a small one, where the agreed figure is more than that. */
const mostOfMemory = 0.25;

/** Where the memory of a kubelet goes: KiB, KiB per day, and when it holds as much as it may. */
export type KubeletCourse = { rssKb: number; perDayKb: number; limitKb: number; fullAt: Date };

export type Projected =
  | KubeletCourse
  /** It grows less than what counts as a leak. */
  | { steady: string; rssKb: number; limitKb: number }
  /** Why nothing can be told: then nothing is done. */
  | { unknown: string; rssKb?: number; limitKb?: number };

/**
 * When the kubelet of a node will hold what it may, by its samples since it was started. `fullAt` is not after the look where it
 * does so already.
 *
 * @param limitMb what people have agreed to
 * @param leastMbPerDay growth that is less is no leak
 */
export function projectKubelet(
  evidence: Evidence,
  { limitMb, leastMbPerDay }: { limitMb: number; leastMbPerDay: number },
): Projected {
  const known = kubeletMemory(evidence);
  if ('gap' in known) return { unknown: known.gap };
  const { rssKb, samples } = known;
  const totalKb = probeValue(evidence.probes.memory)?.totalKb;
  if (totalKb === undefined) return { unknown: 'how much memory the node has was not read', rssKb };
  const limitKb = Math.round(Math.min(limitMb * 1024, totalKb * mostOfMemory));
  const now = new Date(evidence.collectedAt);
  const unknown = (why: string): Projected => ({ unknown: why, rssKb, limitKb });
  // The last is this look; the one before says how closely its course was seen.
  const [first, before, last] = [samples[0]?.[0], samples.at(-2)?.[0], samples.at(-1)?.[0]];
  if (first === undefined || before === undefined || last === undefined || samples.length < leastPoints) {
    return unknown(
      `there are ${samples.length} samples from an hour after its start on, and ${leastPoints} are needed`,
    );
  }
  const age = (now.getTime() / 1000 - before) / 60;
  if (Math.abs(age) > oldestMinutes)
    return unknown(`its last sample before this look is ${Math.round(age)} minutes old`);
  if (last - first < leastHours * 3600) {
    return unknown(
      `its samples cover ${Math.round((last - first) / 360) / 10} hours, and ${leastHours} are needed`,
    );
  }
  const points = samples.map(([at, value]): [number, number] => [at, value]);
  const growth = growthOf({ source: 'node', points, perDay: null, course: null });
  if (growth === undefined || !Number.isFinite(growth.perDay)) return unknown('its samples show no course');
  const { perDay } = growth;
  if (perDay < leastMbPerDay * 1024) {
    return {
      steady: `it grows by ${mb(perDay)} MB a day, and ${leastMbPerDay} are a leak`,
      rssKb,
      limitKb,
    };
  }
  // The higher of both, so that a moment after the garbage was collected does not promise more time than there is.
  const held = Math.max(rssKb, medianOf(points.slice(-3).map(([, value]) => value)));
  const days = Math.max(0, limitKb - held) / perDay;
  return {
    rssKb,
    perDayKb: Math.round(perDay),
    limitKb,
    fullAt: new Date(now.getTime() + days * 86_400_000),
  };
}

/** For people. */
export function courseText({ rssKb, perDayKb, limitKb, fullAt }: KubeletCourse): string {
  return `its kubelet holds ${mb(rssKb)} MB and grows by ${mb(perDayKb)} MB a day: it holds ${mb(limitKb)} MB at ${fullAt.toISOString()}`;
}

function mb(kb: number): number {
  return Math.round(kb / 1024);
}
