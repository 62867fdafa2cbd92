import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { foreignPem, sampleIncidents, samplePem } from '../lambdas/domain/audit-sample.ts';

const sample = sampleIncidents(['prod', 'test', 'prod', 'prod']);
const all = sample.flatMap(({ texts }) => texts);
const note = JSON.stringify({
  version: 1,
  kind: 'alarm.refused',
  at: '2026-11-21T06:00:00Z',
  source: 'amp',
  messageId: 'm',
  what: 'no',
});

let folder: string;
let key: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-export-'));
  mkdirSync(join(folder, 'in'));
  key = put('key.pem', samplePem);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

function audit(...args: string[]) {
  const script = join(import.meta.dirname, '../../local/audit.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');
const event = (message: string, index: number) => ({
  logStreamName: 'stream',
  timestamp: 1_795_000_000_000 + index,
  message,
  ingestionTime: 1_795_000_000_500,
  eventId: `3${index}`,
});
const row = (message: string) => [
  { field: '@timestamp', value: '2026-11-21 06:00:00.000' },
  { field: '@message', value: message },
  { field: '@ptr', value: 'CmEK' },
];
const query = (texts: readonly string[], change = {}) =>
  JSON.stringify({
    results: texts.map(row),
    statistics: { recordsMatched: texts.length },
    status: 'Complete',
    ...change,
  });

describe('npm run audit -- verify --export', () => {
  it.each<[string, (texts: string[]) => [string, string | Buffer][]]>([
    ['plain lines', (texts) => [['export.jsonl', lines(texts)]]],
    [
      'the folder of an export task: gzip, a time before each line, a folder for each stream',
      (texts) => [
        ['aws-logs-write-test', 'Permission Check Successful'],
        [
          'in/task/a/000000.gz',
          gzipSync(lines(texts.slice(10).map((text) => `2026-11-21T06:00:00.000Z ${text}`))),
        ],
        [
          'in/task/b/000000.gz',
          gzipSync(lines(texts.slice(0, 12).map((text) => `2026-11-21T06:00:00.000Z ${text}`))),
        ],
      ],
    ],
    [
      'filter-log-events',
      (texts) => [
        ['in/a.json', JSON.stringify({ events: texts.map(event), searchedLogStreams: [] }, null, 4)],
      ],
    ],
    [
      'get-log-events, which always names pages before and after',
      (texts) => [
        [
          'in/a.json',
          JSON.stringify({ events: texts.map(event), nextForwardToken: 'f/1', nextBackwardToken: 'b/1' }),
        ],
      ],
    ],
    ['get-log-events --query events[].message', (texts) => [['in/a.json', JSON.stringify(texts, null, 4)]]],
    ['get-query-results', (texts) => [['in/a.json', query(texts)]]],
    [
      'the console’s download of a query',
      (texts) => [
        ['in/a.json', JSON.stringify(texts.map((text) => ({ '@timestamp': 't', '@message': text })))],
      ],
    ],
    [
      'logs tail',
      (texts) => [['in/a.txt', lines(texts.map((text) => `2026-11-21T06:00:00.000000+00:00 inc-1 ${text}`))]],
    ],
    [
      'logs tail --format short',
      (texts) => [['in/a.txt', lines(texts.map((text) => `2026-11-21T06:00:00 ${text}`))]],
    ],
    [
      'a subscription',
      (texts) => [
        [
          'in/a',
          lines(
            [texts.slice(0, 9), texts.slice(9)].map((part) =>
              JSON.stringify({ messageType: 'DATA_MESSAGE', logEvents: part.map(event) }),
            ),
          ),
        ],
      ],
    ],
  ])('takes %s, in any order', (_, write) => {
    const files = write([note, ...all.toReversed()]);
    for (const [name, content] of files) put(name, content);
    const path = files.length === 1 ? join(folder, files[0]?.[0] ?? '') : join(folder, 'in');

    const { status, stdout, stderr } = audit('verify', '--export', path, '--key', key);

    expect(stderr).toBe('');
    expect(stdout).toContain('ok: 24 entries of 4 incidents, unbroken');
    expect(stdout).toContain(
      'openings of prod in this export: 1 to 3\nopenings of test in this export: 1 to 1',
    );
    if (path.endsWith('in')) expect(stdout).toContain('2 lines were there more than once');
    expect(status).toBe(0);
    const broken = put('changed.json', JSON.stringify(all.with(3, (all[3] ?? '').replace('bob', 'eve'))));
    expect(audit('verify', '--export', broken, '--key', key)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining(
        `broken: ${broken}, line 4 (incident inc-0): its content was changed after`,
      ),
    });
  });

  it('prints its findings as JSON with --json, with the fields that others rely on', () => {
    const file = put('a.jsonl', lines([note, ...all, all[0] ?? '']));
    const { status, stdout } = audit('verify', '--export', file, '--key', key, '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      entries: 24,
      state: 'ok',
      repeated: 1,
      notes: 1,
      key,
    });

    const left = put('b.jsonl', lines([...(sample[0]?.texts ?? []), ...(sample[3]?.texts ?? [])]));
    expect(JSON.parse(audit('verify', '--export', left, '--key', key, '--json').stdout)).toMatchObject({
      ok: false,
      entries: 12,
      firstBroken: {
        file: left,
        line: 8,
        incident: 'inc-3',
        cluster: 'prod',
        reason: 'opening 2 of prod is missing: incident inc-2 was opened before this one',
      },
    });
  });

  it('calls an incident without its head open, and names it', () => {
    const file = put('a.jsonl', lines(all.slice(0, -1)));
    expect(audit('verify', '--export', file, '--key', key)).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(
        /^open: 24 entries of 4 incidents, unbroken so far, but:\n {2}incident inc-3: no signed head/,
      ),
    });
  });

  it('that begins or ends later than the chain of a cluster says so, and is held to what is known', () => {
    const late = put('a.jsonl', lines(sample.slice(2).flatMap(({ texts }) => texts)));
    const verify = (...ranges: string[]) =>
      audit('verify', '--export', late, '--key', key, ...ranges.flatMap((range) => ['--openings', range]));

    expect(verify()).toMatchObject({
      status: 1,
      stdout: expect.stringContaining(
        'opening 1 of prod is missing: say --openings prod=2.. where you know why',
      ),
    });
    expect(verify('prod=2..')).toMatchObject({ status: 0 });
    expect(verify('prod=2..3')).toMatchObject({ status: 0 });
    expect(verify('prod=1..3')).toMatchObject({ status: 1, stdout: expect.stringContaining('broken: ') });
    expect(verify('prod=2..5')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('openings 4 to 5 of prod are missing'),
    });
    expect(verify('prod=2..', 'test=1..')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('no incident of test is in the export'),
    });
  });

  it('takes no other key, no key from inside, and none that lies about', () => {
    const file = put('in/a.jsonl', lines(all));
    const inside = put('in/key.pem', samplePem);
    put('in/audit-public-key.pem', samplePem);
    const foreign = put('foreign.pem', foreignPem);

    expect(audit('verify', '--export', file, '--key', foreign)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('the signature of the head does not fit this key'),
    });
    expect(audit('verify', '--export', file)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('no public key was given'),
    });
    rmSync(join(folder, 'in/audit-public-key.pem'));
    expect(audit('verify', '--export', join(folder, 'in'), '--key', inside)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is part of the export: it would vouch for itself'),
    });
    expect(audit('verify', '--export', file, '--key', file)).toMatchObject({ status: 1 });
  });

  it.each<[string, string, RegExp]>([
    [
      'a page of more',
      JSON.stringify({ events: all.map(event), NextToken: 'x' }),
      /not the whole answer: it names a next page/,
    ],
    ['a query that still runs', query(all, { status: 'Running' }), /the query is Running/],
    [
      'the first lines of a query',
      query(all, { statistics: { recordsMatched: 12_345 } }),
      /it has 28 of 12345 lines/,
    ],
    [
      'a query for other fields',
      JSON.stringify({ results: [[{ field: 'step', value: 'x' }]], status: 'Complete' }),
      /did not ask for @message/,
    ],
  ])('does not take %s for the whole', (_, content, message) => {
    const file = put('a.json', content);
    expect(audit('verify', '--export', file, '--key', key)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(message),
    });
  });

  it('of nothing is not ok', () => {
    const file = put('a.json', JSON.stringify({ events: [] }));
    expect(audit('verify', '--export', file, '--key', key)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('the export holds no audit entry'),
    });
  });
});

describe('npm run audit -- verify, without --export', () => {
  it('takes no file of several incidents, none in another order and none with a line twice', () => {
    for (const texts of [all, all.slice(0, 7).toReversed(), [...all.slice(0, 7), all[6] ?? '']]) {
      const file = put('a.jsonl', lines(texts));
      expect(audit('verify', file, '--key', key)).toMatchObject({
        status: 1,
        stdout: expect.stringContaining('broken'),
      });
    }
    const file = put('a.jsonl', lines(all.slice(0, 7)));
    expect(audit('verify', file, '--key', key)).toMatchObject({ status: 0 });
  });

  it('says of an export what to do', () => {
    const file = put('a.jsonl', lines(all.map((text) => `2026-11-21T06:00:00.000Z ${text}`)));
    expect(audit('verify', file, '--key', key).stdout).toContain('add --export');
  });

  it('takes no key of another kind', () => {
    const file = put('a.jsonl', lines(all.slice(0, 7)));
    const rsa = spawnSync('openssl', ['genpkey', '-algorithm', 'ed25519'], { encoding: 'utf8' }).stdout;
    expect(audit('verify', file, '--key', put('other.pem', rsa))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('curve P-256'),
    });
  });
});

describe('npm run audit -- show', () => {
  it('answers from an export, and names the incidents', () => {
    const file = put('a.json', JSON.stringify({ events: [...all, note, ...all].map(event) }));
    const { stdout } = audit('show', file, '--cluster', 'prod');
    const rows = stdout.trimEnd().split('\n');
    // Opened, diagnosed, intended and closed of three incidents, and the word that nothing was checked.
    expect(rows).toHaveLength(13);
    expect(rows[0]).toMatch(/^2026-11-21T06:00:00.000Z {2}inc-0 {2}incident.opened/);
    expect(audit('show', file, '--refused').stdout).toMatch(/alarm\.refused.* no\n/);
    expect(audit('show', file, '--ami', 'ami-1', '--json').stdout).toContain('"inc-1"');
    expect(audit('show', file, '--node', 'i-9').stdout).toMatch(/^No line answers that/);
    expect(JSON.parse(audit('show', file, '--node', 'i-0', '--phases', '--json').stdout)).toEqual([
      { phase: 'open', entries: 1, seconds: 0 },
      { phase: 'examine', entries: 1, seconds: 7 },
      { phase: 'approve', entries: 2, seconds: 14 },
      { phase: 'treat', entries: 1, seconds: 7 },
      { phase: 'close', entries: 1, seconds: 7 },
    ]);
  });

  it('says who waits', () => {
    const file = put('a.jsonl', lines(all.slice(0, 3)));
    expect(audit('show', file, '--waiting').stdout).toMatch(/approval.requested .* asked\n/);
    expect(audit('show', put('b.jsonl', lines(all)), '--waiting').stdout).toMatch(/^No line answers that/);
  });
});
