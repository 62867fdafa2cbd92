import { AuditEntry } from '../lambdas/domain/audit/entry.ts';
import {
  isApproval,
  isBy,
  isDone,
  isNeedy,
  isRefusal,
  timeByPhase,
  waiting,
} from '../lambdas/domain/audit/questions.ts';
import type { ExportLine } from '../lambdas/domain/audit/verify-export.ts';
import { printable } from '../lambdas/domain/printable.ts';
import { readExport } from './audit-export.ts';
import { AuditFileError, emptyFile, notJson } from './audit-file.ts';

export type ShowOptions = {
  readonly node?: string;
  readonly cluster?: string;
  readonly ami?: string;
  readonly person?: string;
  readonly approvals?: boolean;
  readonly refused?: boolean;
  readonly needy?: boolean;
  readonly waiting?: boolean;
  readonly phases?: boolean;
  readonly json: boolean;
};

type Line = Record<string, unknown>;

/**
 * The lines of trails and exports, or those that answer a question: the same as the saved queries of the stack. Nothing is checked.
 *
 * @throws AuditFileError where a file cannot be read
 */
export function show(files: readonly string[], options: ShowOptions): string {
  const read = readExport(files);
  if (read.length === 0) throw new AuditFileError(emptyFile(files.join(', ')));
  const lines = inTime(once(read).map(parsedLine));
  const chosen = select(lines, options);
  if (options.phases) return phasesText(chosen, options.json);
  if (options.json) return JSON.stringify(chosen);
  const several =
    new Set(lines.flatMap(({ incident }) => (typeof incident === 'string' ? [incident] : []))).size > 1;
  const unchecked = `Not checked: "npm run audit -- verify ${files.length > 1 ? '--export ' : ''}${files.join(' ')}" says whether this is what was written.`;
  const text = chosen.map((line) => textOf(line, several));
  return [...(text.length === 0 ? ['No line answers that.'] : text), unchecked].join('\n');
}

/** The lines that answer what was asked, in the order given. */
export function select(lines: readonly Line[], options: Omit<ShowOptions, 'json'>): Line[] {
  const { node, cluster, ami, person, approvals, refused, needy, phases } = options;
  const about = [
    ...(node === undefined ? [] : [(line: Line) => line.instanceId === node]),
    ...(cluster === undefined ? [] : [(line: Line) => line.cluster === cluster]),
    ...(ami === undefined ? [] : [(line: Line) => line.imageId === ami]),
  ];
  const asked = [
    ...(person === undefined ? [] : [(line: Line) => isBy(line, person)]),
    ...(approvals ? [isApproval] : []),
    ...(refused ? [isRefusal] : []),
    ...(needy ? [isNeedy] : []),
  ];
  const within = lines.filter((line) => about.every((holds) => holds(line)));
  if (options.waiting) return waiting(entriesOf(within));
  if (phases) return within;
  // Of something, and nothing else was asked: what was done to it.
  const questions = asked.length > 0 || about.length === 0 ? asked : [isDone];
  return within.filter((line) => questions.every((holds) => holds(line)));
}

/** A log group may deliver a line twice. */
function once(lines: readonly ExportLine[]): ExportLine[] {
  return [...new Map(lines.map((line) => [line.text, line])).values()];
}

function parsedLine({ text, file, line }: ExportLine): Line {
  try {
    return Object(JSON.parse(text));
  } catch {
    throw new AuditFileError(notJson(file, line, text));
  }
}

/** By time, and the lines of one incident by their numbers, whatever the clocks said; a signed head follows its last entry. */
function inTime(lines: readonly Line[]): Line[] {
  const keyed = lines.map((line) => {
    const head = line.kind === 'signed-head';
    return { line, incident: String(line.incident ?? ''), place: Number(line.seq ?? 0) + (head ? 0.5 : 0) };
  });
  const latest = new Map<string, string>();
  const timed = keyed
    .sort((a, b) => a.place - b.place)
    .map((one) => {
      const before = one.incident === '' ? '' : (latest.get(one.incident) ?? '');
      const at = String(one.line.at ?? before);
      const time = at > before ? at : before;
      latest.set(one.incident, time);
      return { ...one, time };
    });
  // The sort keeps the order of what is equal.
  return timed.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).map(({ line }) => line);
}

function entriesOf(lines: readonly Line[]): AuditEntry[] {
  return lines.flatMap((line) => {
    const parsed = AuditEntry.loose().safeParse(line);
    return parsed.success ? [parsed.data] : [];
  });
}

function phasesText(lines: readonly Line[], json: boolean): string {
  const phases = timeByPhase(entriesOf(lines)).map(({ phase, entries, ms }) => ({
    phase,
    entries,
    seconds: ms / 1000,
  }));
  if (json) return JSON.stringify(phases);
  return phases
    .map(
      ({ phase, entries, seconds }) =>
        `${phase.padEnd(10)} ${seconds.toFixed(1).padStart(10)} s  ${entries} entries`,
    )
    .join('\n');
}

function textOf(line: Line, several: boolean): string {
  // Nobody has checked the file: it may hold anything.
  const clean = (text: unknown): string => printable(String(text)).replaceAll('\n', ' ');
  const { kind, at, what, reason, incident } = line;
  const of = several && incident !== undefined ? `${clean(incident)}  ` : '';
  const parsed = AuditEntry.loose().safeParse(line);
  if (!parsed.success) {
    if (kind === 'signed-head') return `${' '.repeat(26)}${of}signed head`;
    return `${clean(at ?? '').padEnd(24)}  ${of}${clean(kind ?? 'no audit entry').padEnd(20)} ${clean(reason ?? '').padEnd(18)} ${clean(what ?? '')}`;
  }
  const { step, actor } = parsed.data;
  return `${clean(at)}  ${of}${step.padEnd(20)} ${clean(`${actor.kind} ${actor.id}`).padEnd(18)} ${clean(what)}`;
}
