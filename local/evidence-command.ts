import { closeSync, openSync, readSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Diagnosis, diagnose } from '../lambdas/domain/diagnosis.ts';
import { mostEvidence, readEvidence } from '../lambdas/domain/evidence/read-evidence.ts';
import { explanationLines } from '../lambdas/domain/explanation.ts';
import { type Plan, planFor } from '../lambdas/domain/plan.ts';
import { type Cluster, Settings } from '../lambdas/domain/settings.ts';
import { endQuietlyWithReader } from './closed-pipe.ts';

type Answers = {
  schema?: () => unknown;
  /** What of it the command prints as JSON. With --text both commands print all of it, for a person. */
  answer: (diagnosis: Diagnosis, plan: Plan) => unknown;
};

/** What a command prints and its exit code: 0 done, 1 it cannot read the evidence, 2 wrong usage. */
type Ended = { code: 0 | 1 | 2; text: string };

/** A command that reads evidence and says what it means. It judges with the default settings of a cluster. */
export function evidenceCommand(usage: string, answers: Answers): void {
  endQuietlyWithReader();
  const { code, text } = run(usage, answers);
  (code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  process.exitCode = code;
}

function run(usage: string, { schema, answer }: Answers): Ended {
  const flag = { type: 'boolean' } as const;
  const options = { json: flag, text: flag, help: flag, ...(schema === undefined ? {} : { schema: flag }) };
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({ options, allowPositionals: true, strict: true });
  } catch (error) {
    return { code: 2, text: `${messageOf(error)}\n\n${usage}` };
  }
  const { values, positionals } = parsed;
  if (values.help === true) return { code: 0, text: usage };
  if (values.schema === true && schema !== undefined) return { code: 0, text: pretty(schema()) };
  if (values.text === true && values.json === true) {
    return { code: 2, text: `--text and --json exclude each other\n\n${usage}` };
  }
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) {
    return { code: 2, text: `one file is needed, and ${positionals.length} were given\n\n${usage}` };
  }
  const name = file === '-' ? 'standard input' : file;
  let text: string;
  try {
    text = readBounded(file);
  } catch (error) {
    return { code: 1, text: `cannot read ${name}: ${messageOf(error)}` };
  }
  const read = readEvidence(text);
  if (!read.ok) return { code: 1, text: `${name}: ${read.error}` };
  const cluster = defaultCluster();
  const diagnosis = diagnose(read.evidence, cluster.thresholds, cluster.diagnosis.shadow);
  const plan = planFor(diagnosis, read.evidence, cluster);
  if (values.text !== true) return { code: 0, text: pretty(answer(diagnosis, plan)) };
  return { code: 0, text: explanationLines(diagnosis, plan.plan, plan.leftOut).join('\n') };
}

/** Evidence is small; an endless input is not read to its end. */
function readBounded(file: string): string {
  const fd = file === '-' ? 0 : openSync(file, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let bytes = 0; bytes <= 4 * mostEvidence; ) {
      const chunk = Buffer.alloc(1 << 20);
      const read = readChunk(fd, chunk);
      if (read === 0) return Buffer.concat(chunks).toString('utf8');
      chunks.push(chunk.subarray(0, read));
      bytes += read;
    }
    throw new Error(`it goes on after ${4 * mostEvidence} bytes, and no evidence is that long`);
  } finally {
    if (fd !== 0) closeSync(fd);
  }
}

/** A terminal or a pipe that is not ready yet says so; there is nothing to do but to ask again. */
function readChunk(fd: number, chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, chunk);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      if (error.code === 'EOF') return 0;
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

function defaultCluster(): Cluster {
  const { any } = Settings.parse({ clusters: { any: {} } }).clusters;
  if (any === undefined) throw new Error('the default settings have no cluster');
  return any;
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
