import { AuditEntry, hashOf } from './entry.ts';
import { type OpeningRange, verifyOpenings } from './verify-openings.ts';
import { changed, type ReadLine, readLine, verifyTrail } from './verify-trail.ts';

/** One line of an export, and where it was found. */
export type ExportLine = { text: string; file: string; line: number };

/** What is wrong, and at which line it shows. */
export type Broken = { file: string; line: number; reason: string; incident?: string; cluster?: string };

export type IncidentReport = {
  incident: string;
  cluster: string;
  /** Its place among the openings of its cluster; `null` for one that is older than that chain. */
  opening: number | null;
  state: 'ok' | 'open' | 'broken';
  entries: number;
  note?: string;
};

export type ExportReport = {
  ok: boolean;
  /** `open`: unbroken so far, but an incident is not closed, or it cannot be checked. */
  state: 'ok' | 'open' | 'broken';
  /** Entries, each counted once. */
  entries: number;
  incidents: IncidentReport[];
  /** The openings of each cluster that the export holds without a gap. */
  clusters: { cluster: string; from: number; to: number }[];
  /** Lines that were there before, byte for byte. */
  repeated: number;
  /** Lines about what has no incident, such as refused alarms: part of no chain, and not checked. */
  notes: number;
  firstBroken?: Broken;
  /** Everything that is wrong, `firstBroken` first. */
  broken: Broken[];
  /** Why it is not ok, where nothing is broken. */
  open: string[];
};

type Read = ExportLine & { read: ReadLine };
type Entry = ExportLine & { entry: AuditEntry };
type Trail = {
  incident: string;
  entries: Entry[];
  heads: (ExportLine & { value: unknown })[];
  report?: IncidentReport;
};

/**
 * Checks the lines of any number of incidents and clusters, in any order, each any number of times: what a log group gives.
 * Every incident must be whole and signed, and none may be missing between the openings of its cluster.
 *
 * @param publicKeyPem must come from outside the export
 * @param ranges what is known of the openings of a cluster from elsewhere, by its name
 */
export function verifyExport(
  lines: readonly ExportLine[],
  publicKeyPem?: string,
  ranges: Readonly<Record<string, OpeningRange>> = {},
): ExportReport {
  const once = [...new Map(lines.toReversed().map((line) => [line.text, line])).values()].toReversed();
  const broken: Broken[] = [];
  const trails = new Map<string, Trail>();
  let notes = 0;
  const trailOf = (incident: string): Trail => {
    const trail = trails.get(incident) ?? { incident, entries: [], heads: [] };
    trails.set(incident, trail);
    return trail;
  };

  for (const line of once.map((one): Read => ({ ...one, read: readLine(one.text) }))) {
    const { file, line: number, text, read } = line;
    const at = { file, line: number };
    if ('problem' in read) {
      broken.push({ ...at, reason: read.problem });
      continue;
    }
    const fields = Object(read.value) as Record<string, unknown>;
    if (fields.kind === 'signed-head') {
      trailOf(String(fields.incident)).heads.push({ ...at, text, value: read.value });
    } else if (isNote(fields)) {
      notes += 1;
    } else {
      const parsed = AuditEntry.loose().safeParse(read.value);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        broken.push({
          ...at,
          reason: `not an audit entry: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
        });
        continue;
      }
      const entry = read.value as AuditEntry;
      const { incident, cluster } = entry;
      if (hashOf(entry) !== entry.hash) broken.push({ ...at, incident, cluster, reason: changed });
      trailOf(incident).entries.push({ ...at, text, entry });
    }
  }

  const known = new Set(broken.map(({ file, line }) => `${file}:${line}`));
  const reports = [...trails.values()].sort(byPlace).map((trail) => {
    const { report, problem } = check(trail, publicKeyPem);
    // Where the entry itself was changed, that is already said.
    if (problem !== undefined && !known.has(`${problem.file}:${problem.line}`)) broken.push(problem);
    return { trail, report };
  });
  const openings = reports.flatMap(({ trail: { entries } }) =>
    entries.flatMap(({ entry, file, line }) => {
      const { incident, cluster, hash, opening } = entry;
      return opening === undefined ? [] : [{ incident, cluster, hash, file, line, ...opening }];
    }),
  );
  const chains = verifyOpenings(openings, ranges);
  broken.push(...chains.broken);

  const incidents = reports.map(({ report }) => report);
  const entries = incidents.reduce((sum, report) => sum + report.entries, 0);
  if (entries === 0 && broken.length === 0) {
    broken.push({ file: lines[0]?.file ?? '', line: 1, reason: 'the export holds no audit entry' });
  }
  const unsigned = incidents.filter(({ state }) => state === 'open');
  const open = [...unsigned.map(({ incident, note }) => `incident ${incident}: ${note}`), ...chains.open];
  const [firstBroken] = broken;
  const state = firstBroken !== undefined ? 'broken' : open.length > 0 ? 'open' : 'ok';
  return {
    ok: state === 'ok',
    state,
    entries,
    incidents,
    clusters: chains.clusters,
    repeated: lines.length - once.length,
    notes,
    ...(firstBroken === undefined ? {} : { firstBroken }),
    broken,
    open,
  };
}

/** A line about something that has no incident. It looks like no entry, so that an entry that was changed cannot pass as one. */
function isNote({ kind, hash, seq }: Record<string, unknown>): boolean {
  return typeof kind === 'string' && hash === undefined && seq === undefined;
}

function check(
  { incident, entries, heads }: Trail,
  publicKeyPem: string | undefined,
): { report: IncidentReport; problem?: Broken } {
  const sorted = entries.toSorted((a, b) => a.entry.seq - b.entry.seq);
  const lines = [...sorted.map(({ entry, ...at }) => ({ ...at, value: entry as unknown })), ...heads];
  const { state, firstBroken, note } = verifyTrail(
    lines.map(({ value }) => value),
    publicKeyPem,
  );
  const cluster = sorted[0]?.entry.cluster ?? 'unknown';
  const report: IncidentReport = {
    incident,
    cluster,
    opening: sorted[0]?.entry.opening?.number ?? null,
    state,
    entries: entries.length,
    ...(note === undefined ? {} : { note }),
  };
  if (firstBroken === undefined) return { report };
  const at = lines[firstBroken.line - 1] ?? lines[0];
  const { file = '', line = 1 } = at ?? {};
  return { report, problem: { file, line, incident, cluster, reason: firstBroken.reason } };
}

/** By cluster, then in the order in which they were opened. */
function byPlace(a: Trail, b: Trail): number {
  const [x, y] = [a, b].map(({ entries, incident }) => {
    const first = entries.find(({ entry }) => entry.seq === 0)?.entry;
    const cluster = entries[0]?.entry.cluster ?? '';
    return { cluster, number: first?.opening?.number ?? Number.MAX_SAFE_INTEGER, incident };
  }) as [Place, Place];
  return compare(x.cluster, y.cluster) || x.number - y.number || compare(x.incident, y.incident);
}

type Place = { cluster: string; number: number; incident: string };

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
