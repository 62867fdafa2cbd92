import { createPublicKey, verify } from 'node:crypto';
import { AuditEntry, hashOf } from './entry.ts';
import { headMessage, SignedHead } from './signed-head.ts';

/**
 * `ok`: unbroken and closed by a valid signature. `open`: unbroken so far, but not (or not checkably) signed.
 * `broken`: `firstBroken` names the first line that does not follow.
 */
export type TrailReport = {
  ok: boolean;
  state: 'ok' | 'open' | 'broken';
  entries: number;
  firstBroken?: { line: number; reason: string };
  note?: string;
};

/** Said of an entry whose own hash does not fit it. */
export const changed = 'its content was changed after it was written';

/** A line as it was read: what it says, or what is wrong with its text. */
export type ReadLine = { value: unknown } | { problem: string };

/**
 * Reads the text of one line. It must be, byte for byte, what JSON makes of its content: of two keys of one name, or of
 * a number that is spelled in another way, different readers would read different things.
 */
export function readLine(text: string): ReadLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'it is not JSON: it was cut off or changed, or this is no audit trail' };
  }
  return JSON.stringify(value) === text
    ? { value }
    : {
        problem:
          'its text is not as it was written: white space, a key that is there twice, or the spelling of a value',
      };
}

/** Checks the audit trail of one incident as `verifyTrail` does, and the very bytes of its lines with it. */
export function verifyTexts(texts: readonly string[], publicKeyPem?: string): TrailReport {
  return verifyLines(texts.map(readLine), publicKeyPem);
}

/**
 * Checks the audit trail of one incident, line by line in the order given: every entry follows the one before, and the
 * signed head closes it. The public key must come from outside the file, or the file would vouch for itself.
 *
 * @param lines parsed JSON lines: entries in order, then at most one signed head
 * @param publicKeyPem SPKI PEM of the P-256 key that signs heads
 */
export function verifyTrail(lines: unknown[], publicKeyPem?: string): TrailReport {
  return verifyLines(
    lines.map((value) => ({ value })),
    publicKeyPem,
  );
}

function verifyLines(lines: readonly ReadLine[], publicKeyPem: string | undefined): TrailReport {
  const entries: AuditEntry[] = [];
  let head: SignedHead | undefined;
  const broken = (line: number, reason: string): TrailReport => ({
    ok: false,
    state: 'broken',
    entries: entries.length,
    firstBroken: { line, reason },
  });

  for (const [index, read] of lines.entries()) {
    const number = index + 1;
    if ('problem' in read) return broken(number, read.problem);
    if (head !== undefined) return broken(number, 'something follows the signed head');
    const line = read.value;
    const signed = SignedHead.safeParse(line);
    if (signed.success) {
      head = signed.data;
      const last = entries.at(-1);
      if (
        last === undefined ||
        head.seq !== last.seq ||
        head.hash !== last.hash ||
        head.incident !== last.incident
      ) {
        return broken(
          number,
          'the signed head does not name the last entry: entries were cut off or changed',
        );
      }
      continue;
    }
    const problem = appendProblem(entries, line);
    if (typeof problem === 'string') return broken(number, problem);
    entries.push(problem);
  }

  if (entries.length === 0) return broken(1, 'the file holds no audit entry');
  const open = (note: string): TrailReport => ({ ok: false, state: 'open', entries: entries.length, note });
  if (head === undefined) return open('no signed head: the incident is still open, or its end was cut off');
  if (publicKeyPem === undefined)
    return open('no public key was given, so the signature of the head was not checked');
  if (!signatureHolds(head, publicKeyPem)) {
    return broken(lines.length, 'the signature of the head does not fit this key');
  }
  return { ok: true, state: 'ok', entries: entries.length };
}

/** The entry, if it follows the ones before it; otherwise the reason why not. */
function appendProblem(entries: AuditEntry[], line: unknown): AuditEntry | string {
  const parsed = AuditEntry.loose().safeParse(line);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return `not an audit entry: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim();
  }
  // Not what the schema makes of it: it drops a key such as __proto__, which would then be added unseen.
  const entry = line as AuditEntry;
  const previous = entries.at(-1);
  const expected = previous === undefined ? 0 : previous.seq + 1;
  if (entry.seq === previous?.seq) return `entry ${entry.seq} is there twice, and the two differ`;
  if (entry.seq !== expected) return `entry ${expected} is missing: this one is ${entry.seq}`;
  if (previous !== undefined && entry.incident !== previous.incident) {
    return `it belongs to incident ${entry.incident}, not to ${previous.incident}`;
  }
  if (entry.previousHash !== (previous?.hash ?? null)) return 'it does not follow the entry before it';
  if (hashOf(entry) !== entry.hash) return changed;
  if (previous !== undefined && entry.opening !== undefined) return 'only the first entry opens an incident';
  return entry;
}

function signatureHolds(head: SignedHead, publicKeyPem: string): boolean {
  const signature = Buffer.from(head.signature, 'base64');
  // Base64 has several spellings of the same bytes; only the one that we write counts as unchanged.
  if (signature.toString('base64') !== head.signature) return false;
  return verify('sha256', headMessage(head), createPublicKey(publicKeyPem), signature);
}
