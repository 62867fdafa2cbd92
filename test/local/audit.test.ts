import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuditEntry, nextEntry } from '../../lambdas/domain/audit/entry.ts';
import { headMessage } from '../../lambdas/domain/audit/signed-head.ts';
import { inOrder } from '../../local/audit-file.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = String(publicKey.export({ type: 'spki', format: 'pem' }));
const steps = ['incident.opened', 'diagnosed', 'incident.closed'] as const;

let folder: string;
let file: string;
let lines: unknown[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-audit-'));
  file = join(folder, 'audit.jsonl');
  const entries: AuditEntry[] = [];
  for (const [index, step] of steps.entries()) {
    entries.push(
      nextEntry(
        entries.at(-1),
        { step, actor: { kind: 'rule', id: 'test' }, what: `step ${index}` },
        {
          incident: 'one',
          cluster: 'local',
          instanceId: 'i-0123456789abcdef0',
          at: `2026-11-21T06:30:0${index}.000Z`,
          key: `k${index}`,
          fencing: 1,
          software: '0.1.0',
        },
      ),
    );
  }
  const { seq, hash } = entries.at(-1) ?? { seq: 0, hash: '' };
  const head = { version: 2 as const, incident: 'one', seq, hash, keyId: 'key' };
  const signature = sign('sha256', headMessage(head), privateKey).toString('base64');
  lines = [...entries, { kind: 'signed-head', ...head, algorithm: 'ECDSA_SHA_256', signature }];
  write();
  writeFileSync(join(folder, 'audit-public-key.pem'), pem);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(): void {
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

function audit(...args: string[]) {
  const script = join(import.meta.dirname, '../../local/audit.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('npm run audit -- verify', () => {
  it('accepts a whole trail, with the key beside the file', () => {
    expect(audit('verify', file)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^ok: 3 entries/),
    });
    const { status, stdout } = audit('verify', file, '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, entries: 3 });
  });

  it.each<[string, () => void, RegExp]>([
    [
      'changed',
      () => Object.assign(lines[1] as object, { what: 'another' }),
      /broken: line 2: its content was changed/,
    ],
    ['left out', () => lines.splice(1, 1), /broken: line 2/],
    ['cut off before the head', () => lines.splice(2, 1), /broken: line 3/],
    ['without its head', () => lines.pop(), /^open: 3 entries unbroken so far/],
  ])('does not accept a trail that was %s', (_, change, text) => {
    change();
    write();
    const { status, stdout } = audit('verify', file);
    expect(status).toBe(1);
    expect(stdout).toMatch(text);
  });

  it('does not accept another key, or something that is no key', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
      type: 'spki',
      format: 'pem',
    });
    const key = join(folder, 'other.pem');
    writeFileSync(key, other);
    expect(audit('verify', file, '--key', key)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('does not fit'),
    });
    writeFileSync(key, 'no key');
    expect(audit('verify', file, '--key', key)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`cannot use the key ${key}`),
    });
  });

  it('is not ok without a key', () => {
    rmSync(join(folder, 'audit-public-key.pem'));
    expect(audit('verify', file)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('no public key was given'),
    });
  });
});

describe('npm run audit -- show', () => {
  it('prints no control character of a file that anybody may have changed', () => {
    lines = lines.map((line, index) =>
      index === 0 ? { ...(line as object), what: 'x\u001b[2Jy\nforged row' } : line,
    );
    write();

    const { stdout } = audit('show', file);

    expect(stdout).toContain('x·[2Jy forged row\n');
    expect(stdout).toMatch(/^Not checked: /m);
  });

  it('prints one line per entry', () => {
    const { status, stdout } = audit('show', file);
    expect(status).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(5);
    expect(stdout).toMatch(/2026-11-21T06:30:01.000Z {2}diagnosed +rule test +step 1/);
    expect(JSON.parse(audit('show', file, '--json').stdout)).toHaveLength(4);
  });
});

describe('npm run audit', () => {
  it.each<[string, string[], number, RegExp]>([
    ['no command', [], 2, /a command is needed: verify or show/],
    ['an unknown command', ['check', 'x'], 2, /unknown command "check": verify or show/],
    ['no file', ['verify'], 2, /one file is needed, and none was given/],
    ['an unknown flag', ['show', 'x', '--all'], 2, /--all/],
    [
      'two files that are no export',
      ['verify', 'x', 'y'],
      2,
      /one file is needed, and 2 were given; .*--export/,
    ],
    ['a question to verify', ['verify', 'x', '--refused'], 2, /--refused is for show/],
    ['a key to show', ['show', 'x', '--key', 'y'], 2, /--key is for verify/],
    ['a range without an export', ['verify', 'x', '--openings', 'a=1..'], 2, /--openings is for --export/],
    [
      'a range that is none',
      ['verify', '--export', 'x', '--openings', 'a=one'],
      2,
      /a=one is not CLUSTER=FROM\.\.TO/,
    ],
    ['a file that is not there', ['show', '/nowhere/audit.jsonl'], 1, /cannot read \/nowhere\/audit.jsonl/],
  ])('with %s says what is wrong', (_, args, status, message) => {
    const result = audit(...args);
    expect(result.status).toBe(status);
    expect(result.stderr).toMatch(message);
  });

  it('that is empty is no trail', () => {
    writeFileSync(file, '\n');

    expect(audit('verify', file)).toMatchObject({
      status: 1,
      stderr: `${file} is empty: an audit trail has at least one entry\n`,
    });
  });

  it('with a line that is no JSON names the line', () => {
    writeFileSync(file, '{"a":1}\nnot json\n');
    expect(audit('show', file)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('line 2 is not JSON: not json'),
    });
  });
});

describe('inOrder', () => {
  it('puts lines that were delivered late or twice where they belong', () => {
    const [a, b, c, head] = lines.map((line) => JSON.stringify(line));
    expect(inOrder([b, a, c, b, head, a].map(String))).toEqual([a, b, c, head]);
  });

  it('keeps a line that differs from its twin', () => {
    const [a, b] = lines.map((line) => JSON.stringify(line));
    const forged = String(b).replace('step 1', 'step 9');
    expect(inOrder([String(a), String(b), forged])).toHaveLength(3);
  });
});
