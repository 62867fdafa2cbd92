import type { Opening } from './entry.ts';

/** The first entry of an incident, and where it was found. */
export type FoundOpening = Opening & {
  incident: string;
  cluster: string;
  hash: string;
  file: string;
  line: number;
};

/** What somebody knows of the openings of a cluster who has not only the export: the first that must be in it, and the last. */
export type OpeningRange = { from?: number; to?: number };

type Broken = { file: string; line: number; reason: string; incident?: string; cluster?: string };

export type OpeningsReport = {
  clusters: { cluster: string; from: number; to: number }[];
  broken: Broken[];
  open: string[];
};

/**
 * Checks that no incident is missing between the openings of each cluster. What came before the first of them, and after the
 * last, no export can tell: the former must be 1 or be named, the latter is reported for comparison with what is known elsewhere.
 */
export function verifyOpenings(
  openings: readonly FoundOpening[],
  ranges: Readonly<Record<string, OpeningRange>> = {},
): OpeningsReport {
  const report: OpeningsReport = { clusters: [], broken: [], open: [] };
  const names = new Set([...openings.map(({ cluster }) => cluster), ...Object.keys(ranges)]);
  for (const cluster of [...names].sort()) {
    const chain = openings.filter((one) => one.cluster === cluster).toSorted((a, b) => a.number - b.number);
    const range = Object.hasOwn(ranges, cluster) ? (ranges[cluster] ?? {}) : {};
    const [first] = chain;
    const last = chain.at(-1);
    if (first === undefined || last === undefined) {
      report.broken.push({
        file: '',
        line: 1,
        cluster,
        reason: `no incident of ${cluster} is in the export`,
      });
      continue;
    }
    for (const [index, opening] of chain.entries()) {
      const problem = problemOf(opening, chain[index - 1]);
      if (problem !== undefined) report.broken.push(at(opening, problem));
    }
    const begin = range.from ?? 1;
    if (first.number > begin) {
      const missing = missingText(begin, first.number - 1, cluster);
      if (range.from === undefined)
        report.open.push(`${missing}: say --openings ${cluster}=${first.number}.. where you know why`);
      else report.broken.push(at(first, missing));
    }
    if (range.to !== undefined && last.number < range.to)
      report.broken.push(at(last, missingText(last.number + 1, range.to, cluster)));
    report.clusters.push({ cluster, from: first.number, to: last.number });
  }
  return report;
}

function problemOf(
  { number, previous, cluster }: FoundOpening,
  before: FoundOpening | undefined,
): string | undefined {
  if ((number === 1) !== (previous === null))
    return 'the first opening of a cluster follows none, and every other one';
  if (before === undefined || previous === null) return undefined;
  if (before.number === number)
    return `opening ${number} of ${cluster} is there twice: also as incident ${before.incident}`;
  if (before.number < number - 1) {
    return `${missingText(before.number + 1, number - 1, cluster)}: incident ${previous.incident} was opened before this one`;
  }
  return before.incident === previous.incident && before.hash === previous.hash
    ? undefined
    : `it was opened after incident ${previous.incident}, and opening ${before.number} of ${cluster} is another: incident ${before.incident}`;
}

function missingText(from: number, to: number, cluster: string): string {
  return from === to
    ? `opening ${from} of ${cluster} is missing`
    : `openings ${from} to ${to} of ${cluster} are missing`;
}

function at({ file, line, incident, cluster }: FoundOpening, reason: string): Broken {
  return { file, line, incident, cluster, reason };
}
