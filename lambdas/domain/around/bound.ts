import type { AroundProbes } from '../evidence/around-probes.ts';
import { failed } from './read.ts';

/** Bytes of JSON that what is known around a node may take of the incident's state, which is limited in bytes. */
export const mostBytes = 20_000;

type Reduce = (probes: AroundProbes) => AroundProbes;

/** From what is missed least to what is missed most; whatever is left out is a gap of its own. */
const reductions: readonly Reduce[] = [
  thinTrend(48),
  thinTrend(24),
  withoutSamples,
  shorten('agents', 15),
  shorten('oomKilled', 10),
  shorten('agents', 5),
];

/** The probes within the bound: courses with fewer points, lists with fewer entries, and at last a probe less. */
export function boundAround(probes: AroundProbes, most = mostBytes): AroundProbes {
  let fitted = probes;
  for (const reduce of reductions) {
    if (sizeOf(fitted) <= most) return fitted;
    fitted = reduce(fitted);
  }
  while (sizeOf(fitted) > most) {
    const [name, size] = largest(fitted);
    fitted = { ...fitted, [name]: failed(`with ${size} bytes it is too large to be carried along`) };
  }
  return fitted;
}

function sizeOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

function largest(probes: AroundProbes): [string, number] {
  return Object.entries(probes)
    .map(([name, probe]): [string, number] => [name, sizeOf(probe)])
    .reduce((a, b) => (b[1] > a[1] ? b : a));
}

/** At most so many points a series, spread evenly, the first and the last among them. */
function thinTrend(most: number): Reduce {
  return (probes) => {
    const { trend } = probes;
    if (trend.status !== 'ok') return probes;
    const series = Object.fromEntries(
      Object.entries(trend.value.series).map(([name, one]) => {
        const { points } = one;
        const step = (points.length - 1) / (most - 1);
        const kept =
          points.length <= most
            ? points
            : Array.from({ length: most }, (_, index) => points[Math.round(index * step)] ?? [0, 0]);
        return [name, { ...one, points: kept }];
      }),
    );
    const notRead = {
      ...trend.value.notRead,
      points: `only ${most} points of each series are carried along`,
    };
    return { ...probes, trend: { status: 'ok', value: { ...trend.value, series, notRead } } };
  };
}

function withoutSamples(probes: AroundProbes): AroundProbes {
  const { nodeEvents } = probes;
  if (nodeEvents.status !== 'ok') return probes;
  const { value } = nodeEvents;
  const reasons = value.reasons.map((reason) => ({ ...reason, sample: null }));
  const notRead = {
    ...value.notRead,
    samples: 'the messages of the events are too long to be carried along',
  };
  return { ...probes, nodeEvents: { status: 'ok', value: { ...value, reasons, notRead } } };
}

function shorten(list: 'agents' | 'oomKilled', most: number): Reduce {
  return (probes) => {
    const { podStatus } = probes;
    if (podStatus.status !== 'ok' || podStatus.value[list].length <= most) return probes;
    const { value } = podStatus;
    const kept = value[list].slice(0, most);
    const notRead = {
      ...value.notRead,
      [list]: `only ${most} of at least ${value[list].length} are carried along`,
    };
    return { ...probes, podStatus: { status: 'ok', value: { ...value, [list]: kept, notRead } } };
  };
}
