import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEvidence } from '../../lambdas/domain/evidence/read-evidence.ts';
import { loadDocument } from '../../ssm-documents/load.ts';
import { holdHost } from '../host-lock.ts';
import { shown } from './busy-node.ts';
import { isInstalled, isV1Host, json, v1Mount } from './node-folder.ts';

const name = `cgroup-medic-test-${process.pid}`;
const history = '/var/lib/cgroup-medic/evidence';
const cpuMount = ['/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup/cpu'].find((path) => existsSync(path)) ?? '';

describe.skipIf(!isV1Host)('on this host (needs root and cgroup v1)', () => {
  const folder = isV1Host ? mkdtempSync(join(tmpdir(), 'cgroup-medic-test-')) : '';
  const script = join(folder, 'collect-evidence.sh');
  const services = join(folder, 'collect-services.sh');
  const children: ChildProcess[] = [];
  let release: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    release = await holdHost();
    for (const [document, file] of [
      ['collect-evidence', script],
      ['collect-services', services],
    ] as const) {
      const { mainSteps } = loadDocument(document).content;
      writeFileSync(file, mainSteps.flatMap((step) => step.inputs.runCommand).join('\n'));
    }
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await sleep(100);
    for (const mount of [v1Mount, cpuMount]) {
      spawnSync('find', [join(mount, name), '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+']);
    }
    rmSync(folder, { recursive: true, force: true });
    rmSync(history, { recursive: true, force: true });
    await release?.();
  });

  /** Runs both documents in the background, one after the other, as a process group of their own. */
  function start(windowSeconds: string, { prefix = '', path = '' } = {}) {
    const child = spawn('sh', ['-c', `${prefix} bash ${script}; exec bash ${services}`], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: {
        PATH: `${path}${process.env.PATH}`,
        SSM_profile: 'full',
        SSM_windowSeconds: windowSeconds,
      },
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    return {
      kill: async () => {
        process.kill(-(child.pid ?? 0), 'SIGKILL');
        await ended;
      },
      evidence: async () => {
        await ended;
        const lines = text.trim().split('\n');
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(20_000);
        expect(readEvidence(text)).toMatchObject({ ok: true });
        // biome-ignore lint/suspicious/noExplicitAny: tests look into output whose shape is what they are about
        return Object.assign({}, ...lines.map((line) => JSON.parse(line).probes)) as Record<string, any>;
      },
    };
  }

  /** A process in these cgroups, until the tests end. */
  function inside(command: string, ...folders: string[]): ChildProcess {
    const join = folders.map((path) => `echo $$ >'${path}/cgroup.procs'`).join(' && ');
    const child = spawn('sh', ['-c', `${join} && ${command}`], { stdio: 'ignore' });
    children.push(child);
    return child;
  }

  /** Stand-ins for commands that this host does not have. */
  function commands(scripts: Record<string, string>): string {
    const bin = mkdtempSync(join(folder, 'bin-'));
    for (const [command, text] of Object.entries(scripts)) {
      writeFileSync(join(bin, command), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    return `${bin}:`;
  }

  it('finds directories that nobody is in, and how old they are', async () => {
    const top = join(v1Mount, name);
    for (const path of ['', 'gone.scope', 'inner', 'inner/empty', 'inner/used', 'data.mount']) {
      mkdirSync(join(top, path), { recursive: true });
    }
    inside('exec sleep 60', join(top, 'inner/used'));
    // The kernel gives a directory its time when it is first looked at.
    readdirSync(join(top, 'gone.scope'));
    await sleep(2500);
    const { unpopulated } = await start('0').evidence();

    const ours = unpopulated.value.sample.filter(({ path }: { path: string }) =>
      path.startsWith(`/${name}/`),
    );
    expect(ours.map(({ kind, path }: { kind: string; path: string }) => `${kind} ${path}`).sort()).toEqual([
      `other /${name}/inner/empty`,
      `scope /${name}/gone.scope`,
    ]);
    const gone = ours.find(({ kind }: { kind: string }) => kind === 'scope');
    expect(gone.ageSeconds).toBeGreaterThanOrEqual(2);
    expect(gone.ageSeconds).toBeLessThan(60);
  });

  it('finds the kubelet by its cgroup, and what it holds and since when, as the kernel says it', async () => {
    const unit = join(v1Mount, `${name}.slice`, 'kubelet.service');
    mkdirSync(unit, { recursive: true });
    const binary = join(folder, 'kubelet');
    copyFileSync('/bin/sleep', binary);
    const kubelet = inside(`exec '${binary}' 60`, unit);
    try {
      await sleep(500);
      const { history: kept } = await start('0').evidence();
      const stat = readFileSync(`/proc/${kubelet.pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      const status = readFileSync(`/proc/${kubelet.pid}/status`, 'utf8');
      expect(kept.value.kubelet.slice(0, 2)).toEqual([
        Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]),
        Number(stat[19]),
      ]);
    } finally {
      kubelet.kill('SIGKILL');
      await sleep(300);
      rmdirSync(unit);
      rmdirSync(join(v1Mount, `${name}.slice`));
    }
  });

  it('makes twenty cgroups, and leaves none', async () => {
    const { mkdirProbe, kmem } = await start('0').evidence();

    expect(mkdirProbe.value).toEqual({ made: 20, errno: null });
    expect(readdirSync(v1Mount).filter((entry) => entry.startsWith('cgroup-medic-probe'))).toEqual([]);
    expect(kmem.value.accounting).toBe('on');
    const kib = Number(readFileSync(join(v1Mount, 'memory.kmem.usage_in_bytes'), 'utf8')) / 1024;
    expect(kmem.value.usageKb / kib).toBeGreaterThan(0.5);
    expect(kmem.value.usageKb / kib).toBeLessThan(2);
  });

  it.each([
    ['nr_inodes=9', 'ENOSPC'],
    ['ro', 'EROFS'],
  ])('says which error a file system mounted with %s gives, and leaves nothing', async (option, errno) => {
    const root = mkdtempSync(join(folder, 'root-'));
    const cgroups = join(root, 'sys/fs/cgroup');
    mkdirSync(cgroups, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', cgroups]);
    try {
      writeFileSync(join(cgroups, 'cgroup.controllers'), 'memory\n');
      writeFileSync(join(cgroups, 'cgroup.stat'), 'nr_descendants 0\nnr_dying_descendants 0\n');
      execFileSync('mount', ['-o', `remount,${option}`, cgroups]);
      const { mkdirProbe } = await start('0', { prefix: `CGROUP_MEDIC_ROOT=${root}` }).evidence();

      expect(mkdirProbe.value.errno).toBe(errno);
      expect(mkdirProbe.value.made).toBeLessThan(9);
      expect(readdirSync(cgroups).sort()).toEqual(['cgroup.controllers', 'cgroup.stat']);
    } finally {
      execFileSync('umount', [cgroups]);
    }
  });

  it('names who was killed for memory, and in which cgroup', async () => {
    const victim = join(v1Mount, name, 'victim');
    mkdirSync(victim, { recursive: true });
    writeFileSync(join(victim, 'memory.limit_in_bytes'), String(16 * 1024 * 1024));
    const before = Date.now() / 1000;
    await new Promise((resolve) =>
      inside('head -c 200000000 /dev/zero | tail', victim).once('close', resolve),
    );
    const { oomKills } = await start('0').evidence();

    const counted = /^oom_kill (\d+)/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1];
    expect(oomKills.value).toMatchObject({ sinceBoot: Number(counted), source: 'kmsg', ofKubelet: 0 });
    const last = oomKills.value.recent.find(({ cgroup }: { cgroup: string }) => cgroup === `/${name}/victim`);
    expect(last).toMatchObject({ comm: 'tail' });
    expect(Math.abs(last.at - before)).toBeLessThan(60);
  });

  it('sees who used up its CPU quota in the window', async () => {
    const slow = join(cpuMount, name);
    mkdirSync(slow, { recursive: true });
    writeFileSync(join(slow, 'cpu.cfs_quota_us'), '5000');
    const stat = () => readFileSync(join(slow, 'cpu.stat'), 'utf8');
    const count = (text: string, key: string) => Number(new RegExp(`^${key} (\\d+)`, 'm').exec(text)?.[1]);
    const before = stat();
    const busy = inside('while :; do :; done', slow);
    const { throttling, load } = await start('2').evidence();
    const after = stat();
    busy.kill('SIGKILL');

    const ours = throttling.value.top.find(({ path }: { path: string }) => path === `/${name}`);
    expect(ours.throttledPeriods).toBeGreaterThan(5);
    expect(ours.throttledPeriods).toBeLessThanOrEqual(
      count(after, 'nr_throttled') - count(before, 'nr_throttled'),
    );
    expect(ours.throttledPeriods / ours.periods).toBeGreaterThan(0.5);
    expect(ours).toMatchObject({ pod: null, quotaUs: 5000, periodUs: 100_000 });
    const processes = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).length;
    expect(Math.abs(load.value.processes - processes)).toBeLessThan(40);
    for (const share of ['systemPercent', 'iowaitPercent']) {
      expect(load.value.shares[share]).toBeGreaterThanOrEqual(0);
      expect(load.value.shares[share]).toBeLessThanOrEqual(100);
    }
  });

  it('asks the kubelet for its health on the loopback', async () => {
    const server = createServer((_, response) => response.writeHead(503).end('no'));
    await new Promise<void>((resolve) => server.listen(10248, '127.0.0.1', resolve));
    const systemctl = shown({
      Id: 'kubelet.service',
      LoadState: 'loaded',
      ActiveState: 'active',
      MainPID: 1,
    });
    const path = commands({
      systemctl: `case "$*" in list-units*) echo a.service loaded active running A ;; *) printf '%s' '${systemctl}' ;; esac`,
      kubelet: 'echo Kubernetes v1.33.1',
    });
    try {
      const { kubelet } = await start('0', { path }).evidence();
      expect(kubelet.value).toMatchObject({ healthz: 503, version: 'v1.33.1' });
      expect(kubelet.value.rssKb).toBe(
        Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/1/status', 'utf8'))?.[1]),
      );
    } finally {
      server.close();
    }
  });

  describe('churn', () => {
    const traced = 'unshare -m sh -c "mount -t tracefs none /sys/kernel/tracing';
    const canTrace = isV1Host && spawnSync('sh', ['-c', `${traced}"`]).status === 0;
    const instances = () =>
      execFileSync('sh', ['-c', `${traced} && ls /sys/kernel/tracing/instances"`], { encoding: 'utf8' })
        .split('\n')
        .filter((entry) => entry.startsWith('cgroup-medic'));
    /** Makes and removes a cgroup again and again; says how many were made until then. */
    function churn(): () => number {
      mkdirSync(join(v1Mount, name), { recursive: true });
      let made = 0;
      const timer = setInterval(() => {
        made += 1;
        const path = join(v1Mount, name, `session-${made}.scope`);
        mkdirSync(path);
        rmdirSync(path);
      }, 10);
      return () => {
        clearInterval(timer);
        return made;
      };
    }

    it.skipIf(!canTrace)('is seen by tracepoints, with who did it, and no instance is left', async () => {
      const stop = churn();
      const prefix = 'mount -t tracefs none /sys/kernel/tracing &&';
      writeFileSync(join(folder, 'traced.sh'), `${prefix} exec bash ${script}\n`);
      const running = start('2', { prefix: `exec unshare -m sh ${folder}/traced.sh;` });
      const { churn: seen } = await running.evidence();
      const made = stop();

      expect(seen.value.source).toBe('tracepoints');
      const [pattern] = seen.value.patterns;
      expect(pattern).toMatchObject({
        path: `/cgroup-medic-test-#/session-#.scope`,
        by: readFileSync('/proc/self/comm', 'utf8').trim(),
      });
      // 100 a second at most, for as long as the window was.
      expect(pattern.made).toBeGreaterThan(20);
      expect(pattern.made).toBeLessThanOrEqual(made);
      expect(Math.abs(pattern.made - pattern.removed)).toBeLessThanOrEqual(1);
      expect(instances()).toEqual([]);
    });

    it.skipIf(!canTrace)(
      'leaves an instance behind when it is killed, and the next run removes it',
      async () => {
        const running = start('5', { prefix: `exec unshare -m sh ${folder}/traced.sh;` });
        for (let tries = 0; tries < 200 && instances().length === 0; tries += 1) await sleep(100);
        const during = instances();
        await running.kill();
        const after = instances();
        // While the kernel still ends the killed reader, the instance is busy: then it is left to the run after the next.
        for (let runs = 0; runs < 3 && instances().length > 0; runs += 1) {
          await start('1', { prefix: `exec unshare -m sh ${folder}/traced.sh;` }).evidence();
        }

        expect(during).toHaveLength(1);
        expect(after).toEqual(during);
        expect(instances()).toEqual([]);
      },
    );

    it('is seen by comparing directories where there is no tracing', async () => {
      mkdirSync(join(v1Mount, name), { recursive: true });
      const running = start('2');
      const made: string[] = [];
      const timer = setInterval(() => {
        made.push(join(v1Mount, name, `run-${made.length}`));
        mkdirSync(made.at(-1) ?? '');
      }, 100);
      const { churn: seen } = await running.evidence();
      clearInterval(timer);
      for (const path of made) rmdirSync(path);

      expect(seen.value.source).toBe('directories');
      const ours = seen.value.patterns.find(
        ({ path }: { path: string }) => path === '/cgroup-medic-test-#/run-#',
      );
      expect(ours.made).toBeGreaterThan(5);
      expect(ours).toMatchObject({ removed: 0, by: null });
    });
  });

  describe.skipIf(!isInstalled('strace'))('reads only', { timeout: 120_000 }, () => {
    const calls =
      'open,openat,creat,mkdir,mkdirat,rmdir,unlink,unlinkat,rename,renameat,renameat2,chmod,fchmodat,chown,fchownat,link,linkat,symlink,symlinkat,truncate,mknod,mknodat,mount,umount2,kill,tkill,setxattr,utimensat,connect';
    const trace = join(folder, 'trace');
    const traced = `exec strace -f -qq -o ${trace} -e trace=${calls} bash`;
    /** The calls that succeeded, and would have changed something. */
    const changes = () =>
      readFileSync(trace, 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !/ = -1 | resumed>|--- SIG|\+\+\+ /.test(line))
        .filter((line) => !/ open(at)?\(/.test(line) || /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND/.test(line))
        .filter((line) => !/"\/dev\/(null|tty)"/.test(line));

    it('collect-evidence, but for its history and its own cgroups', async () => {
      await start('1', { prefix: `${traced} ${script};` }).evidence();
      const ours = changes()
        .filter((line) => !line.includes(`"${history}/history`))
        .filter((line) => !/"\/sys\/fs\/cgroup\/memory\/cgroup-medic-probe-\d+[/"]/.test(line))
        // The first run makes the folder of its history.
        .filter(
          (line) =>
            !/ mkdir(at)?\(.*"(\/var\/lib\/)?(cgroup-medic|evidence|\/var\/lib\/cgroup-medic(\/evidence)?)"/.test(
              line,
            ),
        );

      expect(ours).toEqual([]);
    });

    it('collect-services', () => {
      const scope = 'session-1.scope loaded active abandoned x';
      // With every tool that it may ask, so that nothing is left out.
      const path = commands({
        systemctl: `case "$*" in list-units*) echo '${scope}'; echo a.service loaded failed failed A ;; *) printf '%s' '${shown({ Id: 'a.service', NRestarts: 3 })}' ;; esac`,
        loginctl: 'case "$1" in list*) echo 1 1000 alice ;; *) echo State=closing ;; esac',
        journalctl: 'echo "1800000000.5 host systemd[1]: Started session-1.scope - Session 1 of User alice."',
        crictl: 'case "$*" in *pods*) echo \'{"items": []}\' ;; *) echo \'{"containers": []}\' ;; esac',
        kubelet: 'echo Kubernetes v1.33.1',
        containerd: 'echo containerd x 1.7.27 y',
        runc: 'echo runc version 1.2.4',
      });
      const { stdout } = spawnSync('sh', ['-c', `${traced} ${services}`], {
        encoding: 'utf8',
        env: { PATH: `${path}${process.env.PATH}` },
      });

      expect(json({ stdout }).probes.sessions).toMatchObject({ status: 'ok', value: { abandonedScopes: 1 } });
      // The kubelet's health, on the loopback.
      expect(changes().filter((line) => !/ connect\(.*htons\(10248\).*"127.0.0.1"/.test(line))).toEqual([]);
    });
  });

  it('stays within 20,000 characters and 15 seconds on a node of any size', {
    timeout: 300_000,
  }, async () => {
    const top = join(v1Mount, name, 'many');
    execFileSync('bash', [
      '-c',
      'for ((i = 0; i < 200; i++)); do mkdir -p "$1/user-$i.slice/x\\"ü$i"; (cd "$1/user-$i.slice" && mkdir session-{1..98}.scope); done',
      '-',
      top,
    ]);
    const long = (n: number) => `agent-${n}-${'x"ü'.repeat(40)}.service`;
    const bin = {
      units: Array.from({ length: 2000 }, (_, n) => `${long(n)} loaded failed failed Ein "Dienst" ${n}`),
      scopes: Array.from(
        { length: 600 },
        (_, n) => `session-${n}-${'"'.repeat(150)}.scope loaded active abandoned x`,
      ),
      shown: Array.from({ length: 24 }, (_, n) =>
        shown({
          Id: long(n),
          ActiveState: 'failed',
          NRestarts: n,
          RequiredBy: Array.from({ length: 30 }, (_, m) => long(m)).join(' '),
        }),
      ),
      sessions: Array.from({ length: 1500 }, (_, n) => `${n} ${n % 500} "user\\${n % 500}"`),
      journal: Array.from(
        { length: 30_000 },
        (_, n) =>
          `${1_800_000_000 - n}.5 host systemd[1]: Started session-${n}.scope - Session ${n} of User ${'"é'.repeat(30)}${n % 500}.`,
      ),
    };
    for (const [file, lines] of Object.entries(bin))
      writeFileSync(join(folder, file), `${lines.join('\n')}\n`);
    const path = commands({
      systemctl: `case "$*" in list-units*) cat ${folder}/units ${folder}/scopes ;; *) cat ${folder}/shown ;; esac`,
      loginctl: `case "$1" in list*) cat ${folder}/sessions ;; *) yes State=closing | head -200 ;; esac`,
      journalctl: `cat ${folder}/journal`,
    });
    const started = Date.now();
    const probes = await start('1', { path }).evidence();
    const seconds = (Date.now() - started) / 1000;

    expect(probes.cgroups.value.live).toBeGreaterThan(20_000);
    expect(probes.agents.value).toMatchObject({ total: 2000, failed: 2000 });
    expect(probes.agents.value.entries.length + probes.agents.value.omitted).toBe(2000);
    expect(probes.agents.value.entries.length).toBeGreaterThan(0);
    expect(probes.sessions.value).toMatchObject({ open: 1500, closing: 200, abandonedScopes: 600 });
    expect(probes.sessions.value.users.length + probes.sessions.value.usersOmitted).toBe(500);
    expect(probes.journal.value).toMatchObject({ cutOff: true });
    // This host may have no more; the services must not take the room of the slices.
    expect(probes.slices.value.entries.length).toBeGreaterThan(0);
    expect(probes.unpopulated.value.session).toBeGreaterThan(19_000);
    process.stdout.write(
      `collect-evidence on 20,000 cgroups, 2,000 units and 500 users: ${seconds.toFixed(1)} s\n`,
    );
    expect(seconds).toBeLessThan(15);
  });
});
