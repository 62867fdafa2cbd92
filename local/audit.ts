import { createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { AuditEntry } from '../lambdas/domain/audit/entry.ts';
import { verifyTrail } from '../lambdas/domain/audit/verify-trail.ts';
import { printable } from '../lambdas/domain/printable.ts';
import { AuditFileError, readAuditFile } from './audit-file.ts';
import { endQuietlyWithReader } from './closed-pipe.ts';

const usage = `usage: npm run audit -- verify FILE [--key PUBLIC_KEY] [--json]
       npm run audit -- show FILE [--json]

verify  checks that nothing in an audit trail was changed, left out or cut off. The key is a PEM file; without --key
        the file audit-public-key.pem beside FILE is used, which is right for a run on this machine and for nothing else.
show    prints one line per entry: when, who or what, what happened

exit code: 0 the trail is whole and signed (show: it was read), 1 it is not, 2 wrong usage`;

class UsageError extends Error {}

type Ended = { code: 0 | 1; text: string };

endQuietlyWithReader();
try {
  const { code, text } = main(process.argv.slice(2));
  process.stdout.write(`${text}\n`);
  process.exitCode = code;
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n\n${usage}\n`);
    process.exitCode = 2;
  } else if (error instanceof AuditFileError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } else throw error;
}

function main(args: string[]): Ended {
  const { values, positionals } = parse(args);
  if (values.help) return { code: 0, text: usage };
  const [command, file, ...rest] = positionals;
  if (command !== 'verify' && command !== 'show') {
    throw new UsageError(
      `${command === undefined ? 'a command is needed' : `unknown command "${command}"`}: verify or show`,
    );
  }
  if (file === undefined || rest.length > 0) {
    throw new UsageError(
      `one file is needed, and ${file === undefined ? 'none was' : `${rest.length + 1} were`} given`,
    );
  }
  const json = values.json ?? false;
  return command === 'verify' ? verify(file, values.key, json) : show(file, json);
}

function parse(args: string[]) {
  const options = {
    key: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function verify(file: string, key: string | undefined, json: boolean): Ended {
  const lines = readAuditFile(file);
  const { pem, from } = publicKey(file, key);
  const report = verifyTrail(lines, pem);
  const code = report.ok ? 0 : 1;
  if (json) return { code, text: JSON.stringify({ ...report, key: from ?? null }) };
  const entries = `${report.entries} ${report.entries === 1 ? 'entry' : 'entries'}`;
  if (report.ok) return { code, text: `ok: ${entries}, unbroken, closed by a signature that fits ${from}` };
  const { firstBroken, note } = report;
  if (firstBroken === undefined) {
    const state = pem === undefined ? 'not checked' : report.state;
    return { code, text: `${state}: ${entries} unbroken so far; ${note}` };
  }
  return { code, text: `broken: line ${firstBroken.line}: ${firstBroken.reason}` };
}

function publicKey(file: string, key: string | undefined): { pem?: string; from?: string } {
  const beside = join(dirname(file), 'audit-public-key.pem');
  const from = key ?? (existsSync(beside) ? beside : undefined);
  if (from === undefined) return {};
  try {
    const pem = readFileSync(from, 'utf8');
    createPublicKey(pem);
    return { pem, from };
  } catch (error) {
    const system =
      error instanceof Error && 'syscall' in error ? error.message : 'it is no public key in PEM';
    throw new AuditFileError(`cannot use the key ${from}: ${system}`);
  }
}

function show(file: string, json: boolean): Ended {
  const lines = readAuditFile(file);
  if (json) return { code: 0, text: JSON.stringify(lines) };
  const text = lines.map((line) => {
    const parsed = AuditEntry.safeParse(line);
    if (!parsed.success) return `${' '.repeat(26)}signed head`;
    const { at, step, actor, what } = parsed.data;
    // Nobody has checked the file: it may hold anything.
    const oneLine = printable(what).replaceAll('\n', ' ');
    const who = printable(`${actor.kind} ${actor.id}`).replaceAll('\n', ' ');
    return `${at}  ${step.padEnd(20)} ${who.padEnd(18)} ${oneLine}`;
  });
  const unchecked = `Not checked: "npm run audit -- verify ${file}" says whether this is what was written.`;
  return { code: 0, text: [...text, unchecked].join('\n') };
}
