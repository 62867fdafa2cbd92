import { createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Broken, verifyExport } from '../lambdas/domain/audit/verify-export.ts';
import type { OpeningRange } from '../lambdas/domain/audit/verify-openings.ts';
import { verifyTexts } from '../lambdas/domain/audit/verify-trail.ts';
import { isInside, readExport } from './audit-export.ts';
import { AuditFileError, readAuditFile } from './audit-file.ts';
import { type ShowOptions, show } from './audit-show.ts';
import { endQuietlyWithReader } from './closed-pipe.ts';

const usage = `usage: npm run audit -- verify FILE [--key PUBLIC_KEY] [--json]
       npm run audit -- verify --export FILE… --key PUBLIC_KEY [--openings CLUSTER=FROM..TO]… [--json]
       npm run audit -- show FILE… [--node ID] [--cluster NAME] [--ami ID] [--person ID]
                                   [--approvals | --refused | --needy | --waiting | --phases] [--json]

verify  checks that nothing in an audit trail was changed, left out or cut off. The key is a PEM file; without --key
        the file audit-public-key.pem beside FILE is used, which is right for a run on this machine and for nothing else.
  --export    FILE… are what CloudWatch Logs gave away (files or folders): any number of incidents and clusters, in any order,
              lines more than once. The key must come from elsewhere, and be named.
  --openings  what is known of a cluster from elsewhere: the export must hold its openings from FROM to TO; either may be
              left out. Without it an export has to begin with the first incident of each cluster.
show    prints one line per entry: when, who or what, what happened
  --node, --cluster, --ami   what was done to them
  --person     what one person did and decided
  --approvals  who approved what
  --refused    what was refused, and why
  --needy      which nodes need a person
  --waiting    incidents that have asked somebody and have no answer
  --phases     how long each phase took

exit code: 0 the trail is whole and signed (show: it was read), 1 it is not, 2 wrong usage`;

class UsageError extends Error {}

/** Lines about further faults: a person reads no more. */
const mostOthers = 20;

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
  const [command, ...files] = positionals;
  if (command !== 'verify' && command !== 'show') {
    throw new UsageError(
      `${command === undefined ? 'a command is needed' : `unknown command "${command}"`}: verify or show`,
    );
  }
  const [file] = files;
  if (file === undefined) throw new UsageError('one file is needed, and none was given');
  const json = values.json ?? false;
  if (command === 'show') {
    refuse(values, ['key', 'export', 'openings'], 'verify');
    return { code: 0, text: show(files, { ...values, json } satisfies ShowOptions) };
  }
  refuse(
    values,
    ['node', 'cluster', 'ami', 'person', 'approvals', 'refused', 'needy', 'waiting', 'phases'],
    'show',
  );
  if (values.export) return verifyExported(files, values.key, rangesOf(values.openings ?? []), json);
  if (values.openings !== undefined) throw new UsageError('--openings is for --export');
  if (files.length > 1) {
    throw new UsageError(
      `one file is needed, and ${files.length} were given; several are an export: add --export`,
    );
  }
  return verify(file, values.key, json);
}

function parse(args: string[]) {
  const options = {
    key: { type: 'string' },
    export: { type: 'boolean' },
    openings: { type: 'string', multiple: true },
    node: { type: 'string' },
    cluster: { type: 'string' },
    ami: { type: 'string' },
    person: { type: 'string' },
    approvals: { type: 'boolean' },
    refused: { type: 'boolean' },
    needy: { type: 'boolean' },
    waiting: { type: 'boolean' },
    phases: { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function refuse(values: Record<string, unknown>, flags: readonly string[], of: string): void {
  const wrong = flags.find((flag) => values[flag] !== undefined);
  if (wrong !== undefined) throw new UsageError(`--${wrong} is for ${of}`);
}

function rangesOf(texts: readonly string[]): Record<string, OpeningRange> {
  const ranges = texts.map((text) => {
    const [, cluster, from, to] = /^([A-Za-z0-9][A-Za-z0-9_-]*)=(\d*)\.\.(\d*)$/.exec(text) ?? [];
    if (cluster === undefined) {
      throw new UsageError(
        `--openings ${text} is not CLUSTER=FROM..TO, such as my-cluster=5..9 or my-cluster=5..`,
      );
    }
    return [cluster, { ...(from ? { from: Number(from) } : {}), ...(to ? { to: Number(to) } : {}) }];
  });
  return Object.fromEntries(ranges);
}

function verify(file: string, key: string | undefined, json: boolean): Ended {
  const texts = readAuditFile(file);
  const beside = join(dirname(file), 'audit-public-key.pem');
  const from = key ?? (existsSync(beside) ? beside : undefined);
  const pem = from === undefined ? undefined : publicKey(from);
  const report = verifyTexts(texts, pem);
  const code = report.ok ? 0 : 1;
  if (json) return { code, text: JSON.stringify({ ...report, key: from ?? null }) };
  if (report.ok) {
    return {
      code,
      text: `ok: ${entriesText(report.entries)}, unbroken, closed by a signature that fits ${from}`,
    };
  }
  const { firstBroken, note } = report;
  if (firstBroken === undefined) {
    const state = pem === undefined ? 'not checked' : report.state;
    return { code, text: `${state}: ${entriesText(report.entries)} unbroken so far; ${note}` };
  }
  const hint = /"?(events|logEvents|results|@message)"?|^\d{4}-/.test(texts[0]?.slice(0, 40) ?? '')
    ? '\nThis looks like an export of CloudWatch Logs: add --export'
    : '';
  return { code, text: `broken: line ${firstBroken.line}: ${firstBroken.reason}${hint}` };
}

function verifyExported(
  files: string[],
  key: string | undefined,
  ranges: Record<string, OpeningRange>,
  json: boolean,
): Ended {
  const lines = readExport(files);
  if (key !== undefined && existsSync(key) && isInside(key, files)) {
    throw new AuditFileError(
      `the key ${key} is part of the export: it would vouch for itself. Get it from KMS, or from where you keep it`,
    );
  }
  const report = verifyExport(lines, key === undefined ? undefined : publicKey(key), ranges);
  const code = report.ok ? 0 : 1;
  if (json) return { code, text: JSON.stringify({ ...report, key: key ?? null }) };
  const incidents = `${report.incidents.length} ${report.incidents.length === 1 ? 'incident' : 'incidents'}`;
  const counted = `${entriesText(report.entries)} of ${incidents}`;
  const head = {
    ok: `ok: ${counted}, unbroken, each closed by a signature that fits ${key}`,
    open: `open: ${counted}, unbroken so far, but:`,
    broken: `broken: ${brokenText(report.firstBroken)}`,
  }[report.state];
  const others = report.state === 'broken' ? report.broken.slice(1).map(brokenText) : report.open;
  const text = [
    head,
    ...others.slice(0, mostOthers).map((other) => `  ${other}`),
    ...(others.length > mostOthers ? [`  … and ${others.length - mostOthers} more; --json has all`] : []),
    ...report.clusters.map(
      ({ cluster, from, to }) => `openings of ${cluster} in this export: ${from} to ${to}`,
    ),
    ...(report.repeated === 0 ? [] : [`${report.repeated} lines were there more than once, byte for byte`]),
    ...(report.notes === 0
      ? []
      : [
          `${report.notes} lines are about alarms that came to no incident; they are in no chain, and were not checked`,
        ]),
  ];
  return { code, text: text.join('\n') };
}

function brokenText(broken: Broken | undefined): string {
  if (broken === undefined) return '';
  const { file, line, incident, reason } = broken;
  const where =
    file === '' ? '' : `${file}, line ${line}${incident === undefined ? '' : ` (incident ${incident})`}: `;
  return `${where}${reason}`;
}

function entriesText(entries: number): string {
  return `${entries} ${entries === 1 ? 'entry' : 'entries'}`;
}

function publicKey(from: string): string {
  try {
    const pem = readFileSync(from, 'utf8');
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(pem);
    if (asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
      throw new AuditFileError(
        `cannot use the key ${from}: heads are signed with a key on the curve P-256, and this is none`,
      );
    }
    return pem;
  } catch (error) {
    if (error instanceof AuditFileError) throw error;
    const system =
      error instanceof Error && 'syscall' in error ? error.message : 'it is no public key in PEM';
    throw new AuditFileError(`cannot use the key ${from}: ${system}`);
  }
}
