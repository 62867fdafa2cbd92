import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import { IncidentRecord } from '../../lambdas/domain/incident-record.ts';
import { checkHost } from '../../local/node/host-leak.ts';
import { holdHost } from '../host-lock.ts';

// Whole incidents, with other test files on the same cores.
// Incidents wait most of the time, so two run side by side; more would bundle the app, a gigabyte each, at the same time.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000, maxConcurrency: 2 });

const root = resolve(import.meta.dirname, '../..');
const host = checkHost();
const isRoot = process.getuid?.() === 0;

/** The commands run where their files may go: on the disk of the checkout, because a leak needs a real file system. */
let folder: string;
beforeAll(() => {
  mkdirSync(join(root, '.cgroup-medic'), { recursive: true });
  folder = mkdtempSync(join(root, '.cgroup-medic/test-start-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Where = { cwd?: string; uid?: number };
type Started = {
  child: ChildProcess;
  /** Where its runs are kept: each command has a folder of its own. */
  home: string;
  ended: Promise<number | null>;
  out(): string;
  err(): string;
};

/** Exactly what `npm start -- ARGS` runs, without a terminal. */
function start(args: string[], { cwd = mkdtempSync(join(folder, 'run-')), uid }: Where = {}): Started {
  const { CGROUP_MEDIC_HOME: _, ...environment } = process.env;
  const child = spawn(process.execPath, [join(root, 'bin/run.mjs'), 'local/start.ts', ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined
      ? { env: environment }
      : { uid, gid: uid, env: { PATH: process.env.PATH, HOME: cwd } }),
  });
  let [out, err] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
  return { child, home: join(cwd, '.cgroup-medic'), ended, out: () => out, err: () => err };
}

function leaks(): string[] {
  const mount = '/sys/fs/cgroup/memory';
  return existsSync(mount)
    ? readdirSync(mount).filter((name) => name.startsWith('cgroup-medic-leak-run-'))
    : [];
}

/** Leaks of this test: others may have a run of their own on this host. */
function leaksOf({ out, err }: Started): string[] {
  const id = /cgroup-medic-leak-(run-[\w-]+)/.exec(`${out()}${err()}`)?.[1] ?? 'none';
  return leaks().filter((name) => name.endsWith(id));
}

describe.concurrent('npm start', () => {
  it.each([
    [['--nodes', 'host'], /valid flags/],
    [['--node', 'v3'], /use one of auto, host/],
    [['--fault', 'fire'], /use one of .*dying-memcgs/],
  ])('%j is wrong usage', async (args, message) => {
    const run = start(args, { cwd: root });
    expect(await run.ended).toBe(2);
    expect(run.err()).toMatch(message);
    expect(run.out()).toBe('');
  });
});

describe.concurrent('npm start --json', () => {
  it('prints one incident record and nothing else, and keeps everything in files', async () => {
    const run = start(['--node', 'v2-zombies', '--json']);
    expect(await run.ended).toBe(0);
    const record = IncidentRecord.parse(JSON.parse(run.out()));
    expect(record).toMatchObject({ outcome: 'cured', recorded: true, node: 'v2-zombies' });
    expect(run.err()).toContain('RECORDED node v2-zombies');
    expect(run.err()).toContain('verification takes 6 s (deployed: 600 s)');

    const directory = resolve(record.audit, '..');
    expect(readdirSync(directory).sort()).toEqual([
      'audit-public-key.pem',
      'audit.jsonl',
      'functions.log',
      'incident.json',
      'report.html',
    ]);
    expect(JSON.parse(readFileSync(join(directory, 'incident.json'), 'utf8'))).toEqual(record);
    const trail = readFileSync(record.audit, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const key = readFileSync(join(directory, 'audit-public-key.pem'), 'utf8');
    expect(verifyTrail(trail, key)).toMatchObject({ ok: true });
    expect(readFileSync(record.report, 'utf8')).toContain('Recorded node.');
  });
});

describe.concurrent('the exit code of npm start', () => {
  it.each([
    ['denied', 5, ['--node', 'v2-zombies', '--mode', 'approve', '--approve', 'no']],
    ['observed', 0, ['--node', 'v2-zombies', '--mode', 'observe']],
    ['unresolved', 4, ['--fault', 'agent-leak', '--approve', 'yes']],
  ])('for %s is %i', async (outcome, code, args) => {
    const run = start([...args, '--json']);
    const ended = await run.ended;

    expect([JSON.parse(run.out()).outcome, ended]).toEqual([outcome, code]);
  });
});

describe.skipIf(!host.possible)('npm start --node host (needs Linux, root and cgroup v1)', () => {
  // Others count the dying and the living cgroups of this host, and so does the incident.
  let release: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    release = await holdHost();
  });
  afterAll(() => release?.());

  it('makes a real leak, cures it, and leaves nothing behind', async () => {
    const run = start(['--node', 'host', '--json']);
    expect(await run.ended).toBe(0);
    const record = IncidentRecord.parse(JSON.parse(run.out()));
    expect(record).toMatchObject({ outcome: 'cured', recorded: false });
    const result = record.rungs[0]?.result;
    expect(Number(result?.before.dying) - Number(result?.after.dying)).toBeGreaterThan(5000);
    expect(run.err()).toContain('counted by this process, not by the medic');
    expect(leaksOf(run)).toEqual([]);
  });

  it('stopped by Ctrl-C tidies up: janitor, leak, processes', async () => {
    const run = start(['--node', 'host']);
    await expect.poll(() => run.out(), { timeout: 60_000, interval: 200 }).toContain('the incident is open');
    run.child.kill('SIGINT');
    expect(await run.ended).toBe(130);
    expect(run.out()).toContain('the janitor cleans up');
    expect(leaksOf(run)).toEqual([]);
    const [id = ''] = readdirSync(join(run.home, 'runs'));
    const directory = join(run.home, 'runs', id);
    const trail = readFileSync(join(directory, 'audit.jsonl'), 'utf8').trimEnd().split('\n');
    const key = readFileSync(join(directory, 'audit-public-key.pem'), 'utf8');
    expect(
      verifyTrail(
        trail.map((line) => JSON.parse(line)),
        key,
      ),
    ).toMatchObject({ ok: true });
    expect(trail.join('\n')).toContain('janitor.finished');
  });

  it('killed half-way leaves a leak, and the next run removes it', async () => {
    const killed = start(['--node', 'host']);
    await expect
      .poll(() => killed.out(), { timeout: 60_000, interval: 200 })
      .toContain('a real leak in /cgroup');
    killed.child.kill('SIGKILL');
    await killed.ended;
    const left = leaksOf(killed);
    expect(left).toHaveLength(1);

    const next = start(['--node', 'healthy']);
    await expect.poll(() => next.out(), { timeout: 60_000, interval: 200 }).toContain(`removed ${left[0]}`);
    // Nothing has begun yet that the rest of the run would have to show.
    next.child.kill('SIGTERM');
    expect(await next.ended).toBe(143);
    expect(leaksOf(killed)).toEqual([]);
  });
});

describe.skipIf(!isRoot)('npm start --node host as another user (needs root to become one)', () => {
  it('says what is missing and what works instead', async () => {
    const home = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-nobody-'));
    try {
      chownSync(home, 65_534, 65_534);
      const run = start(['--node', 'host'], { cwd: home, uid: 65_534 });
      expect(await run.ended).toBe(1);
      expect(run.err()).toMatch(/needs root\. This works: npm start -- --node v2-zombies/);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});
