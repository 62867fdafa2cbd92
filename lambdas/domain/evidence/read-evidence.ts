import { printable } from '../printable.ts';
import { Evidence, ServiceProbes, serviceProbes } from './evidence.ts';
import { firstProblem } from './first-problem.ts';

/** Characters of unreadable output kept for the audit: enough to recognise what the node printed, too few to flood it. */
const rawHeadLength = 500;

/** Every list of the schema at its bound is about a quarter of this. */
export const mostEvidence = 4_000_000;

export type ReadEvidence = { ok: true; evidence: Evidence } | { ok: false; error: string; rawHead: string };

/** What `collect-services` told us, or why it told nothing. */
export type ServicesOutput = { output: string } | { gap: string };

/**
 * Reads the output of `collect-evidence`, and with it that of `collect-services`: given apart, or as a second line.
 * Anything else than valid evidence is an error with the path of the first wrong field; it never becomes evidence of
 * health. What the services did not tell is a gap of its own.
 */
export function readEvidence(output: string, services?: ServicesOutput): ReadEvidence {
  const rawHead = printable(output.slice(0, rawHeadLength));
  if (output.length > mostEvidence) {
    const error = `the evidence has ${output.length} characters, and no node tells more than ${mostEvidence}`;
    return { ok: false, error, rawHead };
  }
  const [json, second] = evidenceFirst(jsonIn(output));
  if (json === undefined) {
    const shape = output.trim() === '' ? 'is empty' : 'is not JSON';
    return { ok: false, error: `the evidence ${shape} (${output.length} characters)`, rawHead };
  }
  if (!isFrom('collect-evidence', json)) {
    const error =
      'this is JSON, but not what collect-evidence prints: it has no "document": "collect-evidence"';
    return { ok: false, error, rawHead };
  }
  const beside = services ?? (second === undefined ? undefined : { output: JSON.stringify(second) });
  const whole = beside === undefined ? json : withServices(json, beside);
  const parsed = Evidence.safeParse(whole);
  if (parsed.success) return { ok: true, evidence: parsed.data };
  const error = `the evidence does not fit its schema: ${firstProblem(parsed.error, whole)}`;
  return { ok: false, error, rawHead };
}

/** One JSON value, or one a line; nothing where any of it is none. */
function jsonIn(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    // More than one, then, or none.
  }
  try {
    const lines = text.trim().split('\n');
    return lines.length > 2 ? [] : lines.map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}

/** Two documents print at the same time, and either may be done first. */
function evidenceFirst(values: unknown[]): unknown[] {
  const [first, second] = values;
  return isFrom('collect-services', first) && isFrom('collect-evidence', second) ? [second, first] : values;
}

type Raw = { probes?: unknown };

function withServices(evidence: Raw, services: ServicesOutput): unknown {
  const read = 'gap' in services ? services : probesOf(services.output);
  const told =
    'gap' in read
      ? Object.fromEntries(
          serviceProbes.map((name) => [name, { status: 'failed', reason: read.gap.slice(0, 400) }]),
        )
      : read.probes;
  return { ...evidence, probes: { ...(evidence.probes as object), ...told } };
}

function probesOf(output: string): { probes: Record<string, unknown> } | { gap: string } {
  const [json] = jsonIn(output);
  if (!isFrom('collect-services', json)) return { gap: 'collect-services printed nothing that can be read' };
  const probes = ServiceProbes.safeParse(json.probes);
  return probes.success
    ? { probes: probes.data }
    : {
        gap: `what collect-services printed does not fit its schema: ${firstProblem(probes.error, json.probes)}`,
      };
}

function isFrom(document: string, json: unknown): json is Raw {
  return typeof json === 'object' && json !== null && 'document' in json && json.document === document;
}
