import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readEvidence } from '../../lambdas/domain/evidence/read-evidence.ts';
import { materialise, type Tree } from '../../local/node/recorded-tree.ts';
import { runDocument } from '../../local/node/ssm-agent.ts';
import { loadDocument } from '../../ssm-documents/load.ts';
import { busyPod, busyTree, command, journal, journalLines, podUid } from './busy-node.ts';
import { cgroup, isInstalled, json } from './node-folder.ts';

const folders: string[] = [];
// Not after each: most of these wait for a tool that hangs or a window to pass, so they run side by side.
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(tree: Tree): string {
  const root = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-'));
  folders.push(root);
  materialise(tree, root);
  return root;
}

/** What both documents say, and the seconds that the slower one took. */
async function collect(root: string, parameters: Record<string, string> = {}, env = {}) {
  const run = async (name: string, own: Record<string, string>) => {
    const started = Date.now();
    const result = await runDocument({ content: loadDocument(name).content, parameters: own, root, env });
    expect(result.status).toBe('Success');
    expect(result.stdout.length).toBeLessThanOrEqual(20_000);
    expect(result.stdout).not.toMatch(/do-not-print|hunter2/);
    return { result, seconds: (Date.now() - started) / 1000 };
  };
  const evidence = await run('collect-evidence', { windowSeconds: '0', ...parameters });
  const services = await run('collect-services', {});
  expect(readEvidence(`${evidence.result.stdout}${services.result.stdout}`)).toMatchObject({ ok: true });
  const probes = { ...json(evidence.result).probes, ...json(services.result).probes };
  const values = Object.fromEntries(
    Object.entries<{ status: string; value?: unknown; reason?: string }>(probes).map(([name, probe]) => [
      name,
      probe.status === 'ok' ? probe.value : `${probe.status}: ${probe.reason}`,
    ]),
  );
  // biome-ignore lint/suspicious/noExplicitAny: tests look into output whose shape is what they are about
  return { values: values as Record<string, any>, seconds: Math.max(evidence.seconds, services.seconds) };
}

const busy = (changes: Tree = {}) => folder({ ...busyTree, ...changes });
const without = (...paths: string[]): Tree =>
  Object.fromEntries(
    Object.entries(busyTree).filter(([path]) => !paths.some((gone) => path.startsWith(gone))),
  );

it.concurrent('a probe that is killed because it takes too long leaves no cgroup behind', async () => {
  const root = busy();
  const bin = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-bin-'));
  folders.push(bin);
  const slow = '#!/bin/sh\n/bin/mkdir "$@"\ncase "$*" in *cgroup-medic-probe-*/5) exec sleep 30 ;; esac\n';
  writeFileSync(join(bin, 'mkdir'), slow, { mode: 0o755 });
  const { values } = await collect(root, {}, { PATH: `${bin}:${process.env.PATH}` });

  expect(values.mkdirProbe).toMatch(/^failed: /);
  expect(readdirSync(join(root, 'sys/fs/cgroup')).filter((name) => name.includes('probe'))).toEqual([]);
});

describe.concurrent.each(['gawk', 'mawk', 'busybox'])('on a busy node, with %s as awk', (awk) => {
  describe.skipIf(!isInstalled(awk))('(skipped where it is not installed)', () => {
    it('every probe finds what is there', async () => {
      const bin = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-bin-'));
      folders.push(bin);
      spawnSync('sh', ['-c', `ln -s "$(command -v ${awk})" '${bin}/awk'`]);
      const { values } = await collect(
        busy(),
        { windowSeconds: '1' },
        { PATH: `${bin}:/usr/bin:/bin`, AWS_SECRET_ACCESS_KEY: 'do-not-print' },
      );

      expect(values.host).toMatchObject({ systemdVersion: 252, instanceId: 'i-0123456789abcdef0' });
      expect(values.kmem).toEqual({ accounting: 'off', usageKb: 4096 });
      expect(values.mkdirProbe).toEqual({ made: 20, errno: null });
      expect(values.unpopulated).toMatchObject({ pod: 0, scope: 1, session: 1, other: 1 });
      expect(values.unpopulated.sample).toEqual(
        expect.arrayContaining([
          {
            kind: 'session',
            path: '/user.slice/user-1000.slice/session-12.scope',
            ageSeconds: expect.any(Number),
          },
          { kind: 'scope', path: '/system.slice/run-r12.scope', ageSeconds: expect.any(Number) },
          { kind: 'other', path: '/system.slice/leftover.service', ageSeconds: expect.any(Number) },
        ]),
      );
      expect(values.kubelet).toEqual({
        unit: 'kubelet.service',
        active: 'active',
        sub: 'running',
        result: 'oom-kill',
        execMainStatus: 9,
        restarts: 4,
        memoryKb: 2_097_152,
        memoryMaxKb: null,
        memoryHighKb: 4_194_304,
        startedSecondsAgo: 600,
        rssKb: 345_678,
        version: 'v1.31.7-eks-473151a',
        healthz: null,
        config: {
          file: '/etc/kubernetes/kubelet/config.json',
          featureGates: { EventedPLEG: 'true', MemoryQoS: 'false' },
          evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '10%' },
          evictionSoft: {},
          kubeReserved: { cpu: '70m', memory: '442Mi' },
          systemReserved: {},
          flags: { cgroupDriver: 'systemd', maxPods: '58', kubeReservedCgroup: '/runtime' },
        },
        journal: { cgroupDeleteFailed: 1, pleg: 1, criDeadline: 1, listTooLarge: 1 },
        notRead: { healthz: expect.stringContaining('10248') },
      });
      expect(values.containers).toMatchObject({
        running: 2,
        exited: 2,
        other: 1,
        sandboxesReady: 1,
        sandboxesNotReady: 1,
        runtime: 'containerd',
        runtimeVersion: '1.7.27',
        cgroupDriver: 'systemd',
        runc: '1.2.4',
        notRead: {},
      });
      expect(values.containers.oldestExitedSeconds).toBeGreaterThanOrEqual(5000);
      expect(values.containers.oldestExitedSeconds).toBeLessThan(5300);
      expect(values.containers.oldestNotReadySeconds).toBeGreaterThanOrEqual(7200);
      expect(values.sessions).toMatchObject({
        open: 3,
        closing: 2,
        abandonedScopes: 1,
        abandonedSample: ['session-12.scope'],
        abandonedLeft: { scopes: 1, processes: 2, users: ['alice', 'root'] },
        logins: 4,
        coveredSeconds: 1000,
        users: [
          { name: 'alice', logins: 3, linger: false },
          { name: 'bob', logins: 1, linger: true },
        ],
        usersOmitted: 0,
        memoryCgroup: 'session',
        dyingNow: 55,
      });
      expect(values.timers).toEqual({
        coveredSeconds: 1000,
        cronRuns: 1,
        timerRuns: 4,
        timers: [{ unit: 'tick.service', runs: 4 }],
        shortLived: [
          { unit: 'tick.service', runs: 4 },
          { unit: 'session-#.scope', runs: 2 },
          { unit: 'orphan.service', runs: 1 },
        ],
      });
      expect(values.agents).toMatchObject({ total: 4, failed: 1, omitted: 0 });
      expect(values.agents.entries).toEqual([
        {
          unit: 'orphan.service',
          active: 'activating',
          sub: 'auto-restart',
          unitFile: 'enabled',
          restarts: 812,
          memoryKb: null,
          rssKb: null,
          cpuSeconds: 2.5,
          requiredBy: [],
          wantedBy: [],
          containers: 0,
        },
        expect.objectContaining({
          unit: 'datadog.service',
          memoryKb: null,
          cpuSeconds: null,
          requiredBy: ['helper.service', 'needy.service'],
        }),
        expect.objectContaining({
          unit: 'helper.service',
          memoryKb: 10_240,
          rssKb: 8000,
          cpuSeconds: 3,
          wantedBy: ['other.service'],
          containers: 0,
        }),
        expect.objectContaining({ unit: 'docker.service', containers: 1, protected: true }),
      ]);
      expect(values.workloads).toEqual({
        pods: 1,
        unread: 0,
        top: [{ pod: 'shop/web-1', uid: podUid, workingSetKb: 400 * 1024, limitKb: 512 * 1024 }],
      });
      expect(values.oomKills).toMatchObject({ sinceBoot: 12, source: 'journal', seen: 2, ofKubelet: 1 });
      expect(values.oomKills.recent).toEqual([
        {
          at: expect.any(Number),
          comm: 'java, the, app',
          cgroup: `${busyPod.pod}/${busyPod.container}`.slice(0, 200),
        },
        { at: expect.any(Number), comm: 'kubelet', cgroup: '/runtime.slice/kubelet.service' },
      ]);
      expect(values.journal).toEqual({
        coveredSeconds: 1000,
        lines: journalLines.length,
        cutOff: false,
        cgroupNoSpace: 1,
        cgroupNoMemory: 1,
      });
      expect(values.load).toMatchObject({
        averages: [3.5, 2.25, 1],
        running: 2,
        threads: 345,
        processes: 5,
        blocked: 2,
        blockedThroughout: 2,
        blockedIn: [
          { comm: 'a) b (c', wchan: 'mem_cgroup_css_alloc', processes: 1 },
          { comm: 'kworker/0:1', wchan: 'mem_cgroup_css_alloc', processes: 1 },
        ],
      });
      expect(values.throttling).toMatchObject({ withQuota: 0, throttled: 0, top: [] });
      expect(values.churn).toMatchObject({ source: 'directories', made: 0, removed: 0, patterns: [] });
      expect(values.history).toEqual({ samples: [], kubelet: [null, null, 1] });
    });
  });
});

describe.concurrent('the window', () => {
  it('compares the counters before and after: throttling, CPU time, directories that come and go', async () => {
    const root = busy();
    const replace = (path: string, content: string) => {
      writeFileSync(join(root, 'next'), content);
      renameSync(join(root, 'next'), join(root, path));
    };
    // Every counter grows in the same ratios for as long as somebody looks.
    let n = 0;
    const tick = () => {
      n += 1;
      replace(
        `sys/fs/cgroup${busyPod.pod}/cpu.stat`,
        `nr_periods ${100 + 10 * n}\nnr_throttled ${10 + 4 * n}\nthrottled_usec ${5000 + 20_000 * n}\n`,
      );
      replace('proc/stat', `cpu  100 0 ${50 + 30 * n} ${800 + 60 * n} ${20 + 10 * n} 5 5 20 0 0\n`);
      replace(
        'proc/61/stat',
        `61 (kworker/0:1) S 2 1 1 0 -1 4194560 1 1 1 1 10 ${10 + 25 * n} 1 1 20 0 1 0 5\n`,
      );
      const name = join(root, `sys/fs/cgroup/user.slice/user-1000.slice/session-${100 + n}.scope`);
      spawnSync('mkdir', [name]);
    };
    replace(`sys/fs/cgroup${busyPod.pod}/cpu.max`, '50000 100000\n');
    tick();
    const running = collect(root, { windowSeconds: '5' });
    const timer = setInterval(tick, 200);
    const { values } = await running.finally(() => clearInterval(timer));

    const [worst] = values.throttling.top;
    expect(worst).toMatchObject({ path: busyPod.pod, pod: 'shop/web-1', quotaUs: 50_000, periodUs: 100_000 });
    expect(worst.throttledPeriods / worst.periods).toBeCloseTo(0.4);
    expect(worst.throttledMs / worst.throttledPeriods).toBeCloseTo(5);
    expect(values.load.shares).toMatchObject({ systemPercent: 30, iowaitPercent: 10, memoryStallPercent: 0 });
    // Of one CPU, and there are two: half of all ticks is one CPU.
    expect(values.load.shares.kworkerPercent).toBeGreaterThan(30);
    expect(values.load.shares.kworkerPercent).toBeLessThan(60);
    expect(values.load).toMatchObject({ blocked: 1, blockedThroughout: 1 });
    expect(values.churn.made).toBeGreaterThan(5);
    expect(values.churn.patterns).toEqual([
      {
        path: '/user.slice/user-#.slice/session-#.scope',
        made: values.churn.made,
        removed: 0,
        by: null,
      },
    ]);
  });
});

describe.concurrent('the history', () => {
  it('keeps a sample a minute, of this boot, and what is printed is bounded', async () => {
    const now = Math.floor(Date.now() / 1000);
    const boot = '00000000-0000-4000-8000-000000000001';
    const old = Array.from({ length: 200 }, (_, n) => `${boot} ${now - 300 * (200 - n)} 10 ${n} 5 1 2 3`);
    const root = busy({
      'var/lib/cgroup-medic/evidence/history': `${[`another ${now - 9} 1 2 3 4 5 6`, 'garbage "', ...old].join('\n')}\n`,
    });
    const kept = () =>
      readFileSync(join(root, 'var/lib/cgroup-medic/evidence/history'), 'utf8').trim().split('\n');

    const first = (await collect(root)).values.history.samples;
    const after = kept();
    await collect(root, { profile: 'quick' });

    expect(first).toHaveLength(24);
    expect(first[0]).toEqual([now - 300 * 200, 10, 0, 5, 1, 2, 3]);
    expect(first.at(-1)).toEqual([now - 300, 10, 199, 5, 1, 2, 3]);
    expect(after).toHaveLength(96);
    expect(after.at(-1)).toMatch(new RegExp(`^${boot} \\d+ 6 900 55 1500000 30000 4000 null null 1$`));
    // Less than a minute later.
    expect(kept()).toEqual(after);
  });

  const stat = (pid: number, started: number) =>
    `${pid} (kube) let) S 1 ${pid} ${pid} 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 14 0 ${started} 0 0\n`;
  const procs = (folder: string, ...pids: number[]): Tree => ({
    [`${folder}/cgroup.procs`]: pids.map((pid) => `${pid}\n`).join(''),
  });

  it.each([
    ['below runtime.slice', procs('sys/fs/cgroup/runtime.slice/kubelet.service', 49, 50)],
    ['below system.slice', procs('sys/fs/cgroup/system.slice/kubelet.service', 49, 50)],
    ['as a snap', procs('sys/fs/cgroup/system.slice/snap.kubelet-eks.daemon.service', 49, 50)],
    [
      'by systemd alone, without a memory cgroup',
      procs('sys/fs/cgroup/systemd/system.slice/kubelet.service', 49, 50),
    ],
  ])('tells what the kubelet holds and when it was started, also at a quick look, %s', async (_, unit) => {
    const root = busy({
      ...unit,
      // What mounts a volume for it is not the kubelet.
      'proc/49/comm': 'mount.nfs4\n',
      'proc/49/status': 'VmRSS:\t 1 kB\n',
      'proc/50/comm': 'kubelet\n',
      'proc/50/stat': stat(50, 40_012),
    });
    const { values } = await collect(root, { profile: 'quick' });

    expect(values.history.kubelet).toEqual([345_678, 40_012, 1]);
    expect(readFileSync(join(root, 'var/lib/cgroup-medic/evidence/history'), 'utf8')).toMatch(
      / 345678 40012 1\n$/,
    );
  });

  it('says nothing of a kubelet that is not the process it was told of', async () => {
    const unit = procs('sys/fs/cgroup/runtime.slice/kubelet.service', 50, 7777);
    const other = await collect(busy({ ...unit, 'proc/50/comm': 'bash\n', 'proc/50/stat': stat(50, 1) }));
    expect(other.values.history.kubelet).toEqual([null, null, 1]);
    const young = { 'proc/50/comm': 'kubelet\n', 'proc/50/stat': '50 (kubelet) S 1\n' };
    const ageless = await collect(busy({ ...unit, ...young }));
    expect(ageless.values.history.kubelet).toEqual([345_678, null, 1]);
  });

  it('tells its earlier samples as they are, those of before it kept any of the kubelet, too', async () => {
    const now = Math.floor(Date.now() / 1000);
    const boot = '00000000-0000-4000-8000-000000000001';
    const lines = [
      `${boot} ${now - 1800} 10 20 5 1 2 3`,
      `${boot} ${now - 900} 10 20 5 1 2 3 4000 41 12`,
      `${boot} ${now - 800} 10 20 5 1 2 3 4000 41 12 99`,
    ];
    const { values } = await collect(
      busy({ 'var/lib/cgroup-medic/evidence/history': `${lines.join('\n')}\n` }),
    );
    expect(values.history.samples).toEqual([
      [now - 1800, 10, 20, 5, 1, 2, 3],
      [now - 900, 10, 20, 5, 1, 2, 3, 4000, 41, 12],
    ]);
  });

  it('counts the pods of either driver', async () => {
    const pods = { 'sys/fs/cgroup/kubepods/besteffort/podabc/x': '', 'sys/fs/cgroup/kubepods/podabd/x': '' };
    expect((await collect(busy(pods))).values.history.kubelet[2]).toBe(3);
    expect((await collect(folder(without('sys/fs/cgroup/kubepods')))).values.history.kubelet[2]).toBeNull();
  });

  it('tells what the logins since an earlier sample have left', async () => {
    const now = Math.floor(Date.now() / 1000);
    const root = busy({
      'var/lib/cgroup-medic/evidence/history': `00000000-0000-4000-8000-000000000001 ${now - 200} 10 20 52 1 2 3\n`,
    });
    const { sessions } = (await collect(root)).values;

    // Of the four logins of the journal, one was 300 s ago.
    expect(sessions).toMatchObject({ loginsSinceSample: 3, dyingThen: 52, dyingNow: 55 });
  });
});

describe.concurrent('where a login gets its memory cgroup', () => {
  const user = 'sys/fs/cgroup/user.slice/user-1000.slice';
  const session = `${user}/session-12.scope`;

  it.each([
    ['in the user’s slice', without(session), 'user'],
    [
      'in the next session',
      { ...without(session), [`${user}/cgroup.subtree_control`]: 'memory pids\n' },
      'session',
    ],
    ['nowhere', { ...without(user), [`${session}/cgroup.events`]: 'populated 1\n' }, 'none'],
    ['nobody is there to tell', without(user), null],
  ])('%s', async (_, tree, expected) => {
    const { sessions } = (await collect(folder(tree))).values;

    expect(sessions.memoryCgroup).toBe(expected);
    expect(Object.hasOwn(sessions.notRead, 'memoryCgroup')).toBe(expected === null);
  });
});

describe.concurrent('what crictl says is understood', () => {
  const layouts = {
    'with two spaces after a key, as every other build of it prints': (value: unknown) =>
      JSON.stringify(value, null, 2).replaceAll(/^( *"\w+":) /gm, '$1  '),
    'on one line': (value: unknown) => JSON.stringify(value),
  };
  it.each(Object.entries(layouts))('%s', async (_, print) => {
    const changed = Object.fromEntries(
      ['recorded/containers', 'recorded/pods'].map((file) => [
        file,
        print(JSON.parse(String(busyTree[file]))),
      ]),
    );
    const { containers } = (await collect(busy(changed))).values;

    expect(containers).toMatchObject({
      running: 2,
      exited: 2,
      other: 1,
      sandboxesReady: 1,
      sandboxesNotReady: 1,
    });
    expect(containers.oldestExitedSeconds).toBeGreaterThanOrEqual(5000);
  });

  it('when there is no container: none, and that is not a gap', async () => {
    const { containers } = (await collect(busy({ 'recorded/containers': '{\n  "containers": []\n}' })))
      .values;

    expect(containers).toMatchObject({ running: 0, exited: 0, oldestExitedSeconds: null, notRead: {} });
  });

  it('of the containers, where it tells nothing else: the rest is not read, with the reasons', async () => {
    const crictl = command('case "$*" in *ps*) cat "$R/containers" ;; *) echo "{}" ;; esac');
    const { containers } = (await collect(busy({ 'usr/bin/crictl': crictl }))).values;

    expect(containers).toMatchObject({ running: 2, sandboxesReady: null, runtime: null, cgroupDriver: null });
    expect(containers.notRead).toEqual({
      sandboxes: 'crictl pods gave no answer',
      runtime: 'crictl version gave no answer',
      cgroupDriver: 'crictl info does not say',
    });
  });

  it('of the containers, and then hangs: what it has told is kept', async () => {
    const crictl = command('case "$*" in *ps*) cat "$R/containers" ;; *) exec sleep 60 ;; esac');
    const { containers } = (await collect(busy({ 'usr/bin/crictl': crictl }))).values;

    expect(containers).toMatchObject({ running: 2, exited: 2, sandboxesReady: null, runtime: null });
    expect(Object.keys(containers.notRead).sort()).toEqual(['cgroupDriver', 'runc', 'runtime', 'sandboxes']);
  });

  it.each([
    ['cut off in the middle', JSON.stringify({ containers: [{ state: 'CONTAINER_RUNNING' }] }).slice(0, -3)],
    ['with an error instead of a list', '{"error": "no runtime"}'],
  ])('%s: a gap, never a zero', async (_, said) => {
    const { containers } = (await collect(busy({ 'recorded/containers': said }))).values;

    expect(containers).toBe('failed: crictl printed no list of containers');
  });
});

describe.concurrent('the kubelet of Ubuntu, a snap', () => {
  it('has its journal read, under its own name', async () => {
    const lines = journalLines.map((line) => ({
      ...line,
      who: line.who.replace('kubelet[', 'kubelet-eks.daemon['),
    }));
    // What journalctl is asked for decides what it prints.
    const asked = 'case "$*" in *snap.kubelet-eks.daemon.service*) cat "$R/journal" ;; esac';
    const { kubelet } = (
      await collect(busy({ 'recorded/journal': journal(lines), 'usr/bin/journalctl': command(asked) }))
    ).values;

    expect(kubelet.journal).toEqual({ cgroupDeleteFailed: 1, pleg: 1, criDeadline: 1, listTooLarge: 1 });
  });
});

describe.concurrent('a tool that does not do its work is a gap with the reason', () => {
  const tools = ['systemctl', 'loginctl', 'journalctl', 'crictl', 'runc', 'kubelet'];
  const all = (script: string): Tree =>
    Object.fromEntries(tools.map((tool) => [`usr/bin/${tool}`, command(script)]));

  it('not installed', async () => {
    const { values } = await collect(folder(without('usr/bin')));

    expect(values.kubelet).toBe('missing: systemctl is not installed');
    expect(values.agents).toBe('missing: systemctl is not installed');
    expect(values.sessions).toBe('missing: loginctl is not installed');
    expect(values.containers).toBe('missing: crictl is not installed');
    expect(values.journal).toBe('missing: journalctl is not installed');
    expect(values.timers).toBe('missing: journalctl is not installed');
    expect(values.oomKills).toMatch(/^failed: journalctl is not installed, and/);
    expect(values.host.systemdVersion).toBeNull();
    expect(values.cgroups.dying).toBe(900);
  });

  it('hanging: it is cut off, and all together stay within the time of the whole', async () => {
    const { values, seconds } = await collect(busy(all('exec sleep 60')), { windowSeconds: '1' });

    for (const probe of ['kubelet', 'agents', 'sessions', 'containers', 'journal']) {
      expect(values[probe]).toMatch(/did not answer within \d s|was cut off|no time was left/);
    }
    expect(values.reclaim.windowMs).toBeGreaterThanOrEqual(1000);
    expect(values.cgroups.dying).toBe(900);
    expect(seconds).toBeLessThan(16);
  });

  it.each([
    ['failing', 'exit 7'],
    ['printing nothing', ':'],
    ['printing garbage', 'head -c 300000 /dev/urandom'],
    ['printing one endless line', 'head -c 3000000 /dev/zero | tr "\\0" x'],
    ['printing nul bytes', 'head -c 5000 /dev/zero; echo'],
  ])('%s', async (_, script) => {
    const { values } = await collect(busy(all(script)));

    for (const probe of ['kubelet', 'agents', 'sessions', 'containers', 'journal', 'timers']) {
      // No session is an answer that loginctl gives; the shell drops nul bytes.
      if (probe === 'sessions' && /^:|echo/.test(script))
        expect(values.sessions).toMatchObject({ open: 0, logins: null });
      else expect(values[probe]).toMatch(/^(failed|missing): ./);
    }
  });
});

describe.skipIf(!isInstalled('strace'))('the quick profile (skipped without strace)', () => {
  it('reads as many files on cgroup v2 with 200 more cgroups deeper down', async () => {
    const deep = Object.assign(
      {},
      ...Array.from({ length: 200 }, (_, n) =>
        cgroup(`/a.slice/pod/deep-${n}`, { live: 0, dying: 0, cacheKb: 4 }),
      ),
    );
    const script = join(folder({}), 'collect.sh');
    writeFileSync(
      script,
      loadDocument('collect-evidence')
        .content.mainSteps.flatMap((step) => step.inputs.runCommand)
        .join('\n'),
    );
    const reads = (root: string) => {
      const trace = join(root, 'trace');
      spawnSync('strace', ['-f', '-qq', '-o', trace, '-e', 'trace=open,openat', 'bash', script], {
        env: {
          PATH: process.env.PATH,
          CGROUP_MEDIC_ROOT: root,
          SSM_profile: 'quick',
          SSM_windowSeconds: '0',
        },
      });
      return readFileSync(trace, 'utf8').match(/sys\/fs\/cgroup/g)?.length;
    };

    expect(reads(busy(deep))).toBe(reads(busy()));
    expect(reads(busy())).toBeGreaterThan(5);
  });
});
