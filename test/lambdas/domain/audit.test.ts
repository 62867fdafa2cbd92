import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuditEntry, hashOf, nextEntry } from '../../../lambdas/domain/audit/entry.ts';
import { openApprovals } from '../../../lambdas/domain/audit/open-approvals.ts';
import { openChanges } from '../../../lambdas/domain/audit/open-changes.ts';
import { headMessage, type SignedHead } from '../../../lambdas/domain/audit/signed-head.ts';
import { verifyTexts, verifyTrail } from '../../../lambdas/domain/audit/verify-trail.ts';

type Draft = Parameters<typeof nextEntry>[1];

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicKey = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();

function trailOf(...drafts: Partial<Draft>[]): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (const [index, draft] of drafts.entries()) {
    const context = {
      incident: 'inc',
      cluster: 'prod',
      instanceId: 'i-0123456789abcdef0',
      at: '2026-11-21T06:00:00.000Z',
      key: String(index),
      fencing: 1,
      software: '0.1.0',
    };
    const full: Draft = { step: 'gated', actor: { kind: 'rule', id: 'x' }, what: 'x', ...draft };
    entries.push(nextEntry(entries.at(-1), full, context));
  }
  return entries;
}

function headOf(entries: AuditEntry[], names: Partial<SignedHead> = {}): SignedHead {
  const { incident, seq, hash } = { ...(entries.at(-1) as AuditEntry), ...names };
  const head = { version: names.version ?? 2, incident, seq, hash, keyId: 'k' };
  const signature = sign('sha256', headMessage(head), keys.privateKey).toString('base64');
  return { ...head, kind: 'signed-head', algorithm: 'ECDSA_SHA_256', signature };
}

const entries = trailOf({ what: 'one' }, { what: 'two', details: { n: 1 } }, { what: 'three' });
const whole = [...entries, headOf(entries)];

describe('verifyTrail', () => {
  it('accepts an unbroken and signed trail', () => {
    expect(verifyTrail(JSON.parse(JSON.stringify(whole)), publicKey)).toEqual({
      ok: true,
      state: 'ok',
      entries: 3,
    });
  });

  it('calls a trail without a checked signature open, not ok', () => {
    expect(verifyTrail(entries, publicKey)).toMatchObject({ ok: false, state: 'open' });
    expect(verifyTrail(whole)).toMatchObject({ ok: false, state: 'open' });
  });

  it('finds another key', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
      type: 'spki',
      format: 'pem',
    });

    expect(verifyTrail(whole, other.toString())).toMatchObject({ state: 'broken', firstBroken: { line: 4 } });
  });

  it('finds a truncated, dropped, swapped or foreign entry', () => {
    const [one, two, three, head] = whole;
    const foreign = { ...(two as AuditEntry), incident: 'other' };

    expect(verifyTrail([one, two, head], publicKey)).toMatchObject({ firstBroken: { line: 3 } });
    expect(verifyTrail([one, three, head], publicKey)).toMatchObject({ firstBroken: { line: 2 } });
    expect(verifyTrail([two, one, three, head], publicKey)).toMatchObject({ firstBroken: { line: 1 } });
    expect(verifyTrail([one, foreign, three, head], publicKey)).toMatchObject({ firstBroken: { line: 2 } });
    expect(verifyTrail([one, two, three, head, three], publicKey)).toMatchObject({
      firstBroken: { line: 5 },
    });
    expect(verifyTrail([], publicKey)).toMatchObject({ state: 'broken' });
  });

  it.each([
    ['leaves a number out', { seq: 3 }, 'entry 2 is missing: this one is 3'],
    ['belongs to another incident', { incident: 'other' }, 'it belongs to incident other, not to inc'],
    ['follows another entry', { previousHash: 'x' }, 'it does not follow the entry before it'],
  ])('finds an entry that %s, even with a hash that fits it', (_, change, reason) => {
    const [one, two, three] = entries;
    const body = { ...(three as AuditEntry), ...change };
    const forged = { ...body, hash: hashOf(body) };

    expect(verifyTrail([one, two, forged])).toMatchObject({
      state: 'broken',
      firstBroken: { line: 3, reason },
    });
  });

  it('finds a field that was added', () => {
    const [one, two, three, head] = whole;

    expect(verifyTrail([one, { ...two, approvedBy: 'eve' }, three, head], publicKey)).toMatchObject({
      firstBroken: { line: 2, reason: 'its content was changed after it was written' },
    });
  });

  it.each(['__proto__', 'constructor', 'toString'])('finds a field that is called %s', (name) => {
    const texts = whole.map((line) => JSON.stringify(line));
    for (const index of texts.keys()) {
      const changed = texts.with(
        index,
        (texts[index] ?? '').replace('{', `{"${name}":{"approvedBy":"eve"},`),
      );
      expect(verifyTexts(changed, publicKey)).toMatchObject({ firstBroken: { line: index + 1 } });
    }
    expect(verifyTexts(texts, publicKey)).toMatchObject({ ok: true });
  });

  it.each([
    ['white space', (text: string) => text.replace(',', ', ')],
    ['a key that is there twice', (text: string) => text.replace('{', '{"version":7,')],
    ['another spelling of a number', (text: string) => text.replace('"version":1', '"version":1.0')],
    ['another spelling of a text', (text: string) => text.replace('inc', '\\u0069nc')],
    ['a line end of another system', (text: string) => `${text}\r`],
  ])('finds a line that says the same by other bytes: %s', (_, change) => {
    const texts = entries.map((line) => JSON.stringify(line));
    const changed = texts.with(1, change(texts[1] ?? ''));
    expect(changed).not.toEqual(texts);
    expect(JSON.stringify(JSON.parse(changed[1] ?? ''))).toBe(texts[1]);
    expect(verifyTexts(changed, publicKey)).toMatchObject({
      firstBroken: { line: 2, reason: expect.stringContaining('not as it was written') },
    });
  });

  it.each([
    ['sequence number', headOf(entries, { seq: 1 })],
    ['incident', headOf(entries, { incident: 'other' })],
    ['hash', headOf(trailOf({ what: 'one' }, { what: 'two' }, { what: 'another' }))],
  ])('finds a head that is signed with the right key over another %s', (_, head) => {
    expect(verifyTrail([...entries, head], publicKey)).toMatchObject({
      firstBroken: { line: 4, reason: expect.stringContaining('does not name the last entry') },
    });
  });

  it('takes nothing behind the head, though it would follow', () => {
    const longer = trailOf({ what: 'one' }, { what: 'two', details: { n: 1 } }, { what: 'three' }, {});
    const reason = 'something follows the signed head';

    expect(longer.slice(0, 3)).toEqual(entries);
    for (const line of [longer[3], headOf(entries)]) {
      expect(verifyTrail([...whole, line], publicKey)).toMatchObject({ firstBroken: { line: 5, reason } });
    }
  });

  it('signs these bytes, so that anybody can check a head with other tools', () => {
    const head = { incident: 'inc', seq: 2, hash: 'abc', keyId: 'k' };
    expect(headMessage({ ...head, version: 2 }).toString()).toBe(
      'cgroup-medic audit head v2\ninc\n2\nabc\nk\n',
    );
    expect(headMessage({ ...head, version: 1 }).toString()).toBe('cgroup-medic audit head v1\ninc\n2\nabc\n');
  });

  it('accepts a head of version 1, and a head that was signed as the one and says that it is the other not', () => {
    const old = headOf(entries, { version: 1 });

    expect(verifyTrail([...entries, old], publicKey)).toMatchObject({ ok: true });
    expect(verifyTrail([...entries, { ...old, version: 2 }], publicKey)).toMatchObject({ state: 'broken' });
    expect(verifyTrail([...entries, { ...headOf(entries), version: 1 }], publicKey)).toMatchObject({
      state: 'broken',
    });
  });

  it('takes no head with more in it than belongs there, such as a key that would vouch for it', () => {
    expect(verifyTrail([...entries, { ...headOf(entries), publicKey }], publicKey)).toMatchObject({
      state: 'broken',
      firstBroken: { line: 4 },
    });
  });

  it('finds any changed character of any value', () => {
    const lines = whole.map((line) => JSON.stringify(line));
    fc.assert(
      fc.property(
        fc.nat(lines.length - 1),
        fc.nat(),
        fc.constantFrom('0', 'a', 'Z', '9', '-'),
        (line, at, character) => {
          const text = lines[line] ?? '';
          const index = at % text.length;
          const changed = text.slice(0, index) + character + text.slice(index + 1);
          fc.pre(changed !== text);
          let parsed: unknown;
          try {
            parsed = JSON.parse(changed);
          } catch {
            return;
          }
          const tampered = lines.map((other, number) => (number === line ? parsed : JSON.parse(other)));
          expect(verifyTrail(tampered, publicKey).ok).toBe(false);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('openChanges', () => {
  const undo = { document: 'reclaim-restore', arguments: { incident: 'inc' } };
  const intended: Partial<Draft> = {
    step: 'treatment.intended',
    rung: 0,
    treatment: 'reclaim',
    document: 'reclaim',
    details: { undo },
  };
  const sent: Partial<Draft> = { step: 'treatment.sent', rung: 0, details: { commandId: 'c1' } };
  const finished = (clean: boolean): Partial<Draft> => ({
    step: 'treatment.finished',
    rung: 0,
    details: { clean },
  });
  const undone = (outcome: string): Partial<Draft> => ({ step: 'undo.finished', rung: 0, outcome });

  it('counts an intent as a change, even when nothing says that it was sent', () => {
    expect(openChanges(trailOf(intended))).toEqual([
      { rung: 0, treatment: 'reclaim', document: 'reclaim', undo, standing: false },
    ]);
  });

  it('knows the cordon that has to be taken back, and no undo of another form', () => {
    const cordoned = (undo: unknown): Partial<Draft> => ({ ...intended, details: { undo } });
    const [change] = openChanges(trailOf(cordoned({ uncordon: { node: 'ip-10-0-1-7' }, else: 1 })));
    expect(change?.undo).toEqual({ uncordon: { node: 'ip-10-0-1-7' } });
    expect(openChanges(trailOf(cordoned({ uncordon: {} }), cordoned({ node: 'x' })))).toEqual([]);
    expect(openChanges(trailOf(cordoned({ uncordon: { node: 'x' } }), undone('nothing')))).toEqual([]);
  });

  it('knows the command to cancel', () => {
    expect(openChanges(trailOf(intended, sent))[0]?.commandId).toBe('c1');
  });

  it('is closed by a clean end or an undo that worked, and by nothing else', () => {
    expect(openChanges(trailOf(intended, sent, finished(true)))).toEqual([]);
    expect(openChanges(trailOf(intended, sent, finished(false)))).toHaveLength(1);
    expect(openChanges(trailOf(intended, sent, finished(false), undone('failed')))).toHaveLength(1);
    expect(openChanges(trailOf(intended, sent, finished(false), undone('done')))).toEqual([]);
    expect(openChanges(trailOf(intended, sent, finished(false), undone('nothing')))).toEqual([]);
  });
});

describe('openChanges, of a node that was replaced', () => {
  const undo = { document: 'release-sessions', arguments: {} };
  const before: Partial<Draft> = { step: 'treatment.intended', rung: 0, details: { undo, standing: true } };
  const cordoned: Partial<Draft> = {
    step: 'treatment.intended',
    rung: 1,
    details: { undo: { uncordon: { node: 'n' } } },
  };
  const ended = (details: Record<string, unknown>): Partial<Draft> => ({
    step: 'treatment.finished',
    rung: 1,
    details,
  });

  it('are none once it has gone, and all that there were while it is there', () => {
    expect(openChanges(trailOf(before, cordoned, ended({ clean: true, nodeGone: true })))).toEqual([]);
    expect(openChanges(trailOf(before, cordoned, ended({ clean: true, nodeGone: false })))).toHaveLength(1);
    expect(openChanges(trailOf(before, cordoned, ended({ clean: false })))).toHaveLength(2);
  });
});

describe('openChanges, of a change that is meant to stay', () => {
  const undo = { document: 'release-sessions', arguments: { incident: 'inc' } };
  const intended = (standing: boolean): Partial<Draft> => ({
    step: 'treatment.intended',
    rung: 0,
    details: { undo, standing },
  });
  const verified = (outcome: string): Partial<Draft> => ({ step: 'verified', rung: 0, outcome });

  it.each(['cured', 'relieved'])('is settled once it is verified as %s', (outcome) => {
    expect(openChanges(trailOf(intended(true), verified(outcome)))).toEqual([]);
  });

  it('is open until then, and when it did not help', () => {
    expect(openChanges(trailOf(intended(true)))).toHaveLength(1);
    expect(openChanges(trailOf(intended(true), verified('not-cured')))).toHaveLength(1);
  });

  it('is settled by nobody else’s verification', () => {
    expect(openChanges(trailOf(intended(true), { ...verified('cured'), rung: 1 }))).toHaveLength(1);
  });

  it('is not what a treatment leaves by mistake, though it cured', () => {
    expect(openChanges(trailOf(intended(false), verified('cured')))).toHaveLength(1);
  });
});

describe('openApprovals', () => {
  it('lists what was asked and never settled', () => {
    const asked = (approvalId: string): Partial<Draft> => ({
      step: 'approval.requested',
      details: { approvalId },
    });
    const settled: Partial<Draft> = { step: 'approval.settled', details: { approvalId: 'a' } };

    expect(openApprovals(trailOf(asked('a'), settled, asked('b')))).toEqual(['b']);
  });
});
