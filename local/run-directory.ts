import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { IncidentRecord } from '../lambdas/domain/incident-record.ts';
import { reportHtml } from './report.ts';

/** Raised when there is no place for what a run leaves; the message says which, and what to do. */
export class RunDirectoryError extends Error {
  override readonly name = 'RunDirectoryError';
}

/** Everything that one run leaves behind, in `.cgroup-medic/runs/ID/`. */
export class RunDirectory {
  readonly path: string;

  constructor(parent: string, id: string) {
    this.path = resolve(parent, 'runs', id);
    try {
      mkdirSync(this.path, { recursive: true });
    } catch (error) {
      throw new RunDirectoryError(
        `cannot keep this run in ${this.path}: ${error instanceof Error ? error.message : String(error)}. Start it where you may write, or remove what an earlier run of another user left there.`,
      );
    }
  }

  get audit(): string {
    return join(this.path, 'audit.jsonl');
  }

  get report(): string {
    return join(this.path, 'report.html');
  }

  get functionsLog(): string {
    return join(this.path, 'functions.log');
  }

  /** One audit entry, as soon as it reaches the audit log group: a run that crashes keeps what it had. */
  appendAudit(line: string): void {
    appendFileSync(this.audit, `${line}\n`);
  }

  /** One message that people got, as JSON. */
  appendMessage(message: string): void {
    appendFileSync(join(this.path, 'messages.jsonl'), `${message}\n`);
  }

  /** The whole trail, at the end. */
  writeAudit(lines: readonly string[]): void {
    writeFileSync(this.audit, lines.map((line) => `${line}\n`).join(''));
  }

  /** The key that signs this run's trail: beside the file, and never in it. */
  writePublicKey(pem: string): void {
    writeFileSync(join(this.path, 'audit-public-key.pem'), pem);
  }

  writeRecord(record: IncidentRecord, auditLines: readonly string[], provenance: string | undefined): void {
    writeFileSync(join(this.path, 'incident.json'), `${JSON.stringify(record, null, 2)}\n`);
    writeFileSync(this.report, reportHtml(record, auditLines, provenance));
  }
}
