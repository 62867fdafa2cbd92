import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { aroundProbes } from '../../lambdas/domain/evidence/around-probes.ts';
import type { Evidence } from '../../lambdas/domain/evidence/evidence.ts';
import { gapsOf } from '../../lambdas/domain/evidence/gaps.ts';
import { readEvidence } from '../../lambdas/domain/evidence/read-evidence.ts';
import type { VariantName } from '../../local/vm/variants.ts';
import { type BootedNode, json } from './booted-node.ts';
import { podsOf } from './pods.ts';

const setup = readFileSync(join(import.meta.dirname, 'equipped-node.sh'));

/**
 * What the documents may leave open on a node that has everything, and why it cannot be had there. Anything else that is a
 * gap is a defect, and so is something here that is none.
 */
const permittedGaps: Record<VariantName, { probe: string; why: string }[]> = { v2: [], v1: [], '6.12': [] };

/** What may be unknown although its probe says nothing about it, for there is nothing to know. */
const nothingToKnow = {
  'kubelet.memoryMaxKb': 'it has no limit',
  'kubelet.memoryHighKb': 'it has no limit',
  'workloads.top.limitKb': 'a pod without a limit',
  'workloads.top.pod': 'a leftover directory of a pod that nobody knows',
  'agents.entries.memoryKb': 'one that does not run',
  'agents.entries.rssKb': 'one that does not run',
  'mkdirProbe.errno': 'all could be made',
};
/** On cgroup v1, the kernel has no count per slice, and systemd none of CPU time per service. */
const notCountedOnV1 = {
  'agents.entries.cpuSeconds': 'one that does not run',
  'slices.entries.dying': 'no count per slice',
  'history.samples': 'no count below user.slice',
  'sessions.dyingThen': 'no count below user.slice',
  'sessions.dyingNow': 'no count below user.slice',
  'sessions.loginsSinceSample': 'there is no count to compare them with',
};

/** Where a value has a null, without the numbers of array elements. */
function nullsIn(value: unknown, path: string[] = []): string[] {
  if (value === null) return [path.join('.')];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, item]) =>
    nullsIn(item, Array.isArray(value) ? path : [...path, key]),
  );
}

type Probes = Evidence['probes'];
type Value<Name extends keyof Probes> = Extract<Probes[Name], { status: 'ok' }>['value'];

/** Every probe beside another way to find out the same, on a node on which there is something for each of them to find. */
export function equippedSuite(node: BootedNode): void {
  const pods = podsOf(node);
  const [webUid, oldUid] = [pods.uid('1'), pods.uid('2')];
  let evidence: Evidence;
  /** What the documents printed, before the schema filled in what only others know. */
  let printed: Record<string, { status: string; value?: unknown }>;
  let before: Seen;
  let after: Seen;
  let startedDying: number;

  type Seen = Awaited<ReturnType<typeof look>>;
  /** What only grows, or hardly moves: what the documents say is between two looks. */
  const look = async () => {
    const lines = await node.sh(`
      vmstat() { awk -v key="$1" '$1 == key { print $2 }' /proc/vmstat; }
      stalled() { grep -oP "$2 .*total=\\K.*" "/proc/pressure/$1"; }
      said() { journalctl -q -b --since=-1h -o cat "\${@:2}" | grep -c -- "$1" || true; }
      echo restarts $(systemctl show -P NRestarts flaky-agent)
      echo ticks $(said '^tick.service: Deactivated' _PID=1)
      echo crons $(said ' CMD (' -t CRON)
      echo logins $(said '^Started .*Session .* of' _PID=1)
      echo oom $(vmstat oom_kill)
      echo pgmajfault $(vmstat pgmajfault)
      echo memoryStall $(stalled memory some)
      echo cpuStall $(stalled cpu some)
      echo throttled $(awk '$1 == "nr_throttled" { print $2 }' $(find /sys/fs/cgroup -path '*pod11111111*cri-containerd*/cpu.stat' ! -path '*/systemd/*' | xargs grep -l 'nr_throttled [1-9]' | head -n 1))
      echo uptime $(cut -d . -f 1 /proc/uptime)
      echo now $(date +%s)
      echo percpu $(awk '$1 == "Percpu:" { print $2 }' /proc/meminfo)
      echo available $(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
      echo slab $(awk '$1 == "SUnreclaim:" { print $2 }' /proc/meminfo)`);
    return Object.fromEntries(
      lines.split('\n').map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]),
    );
  };
  const collect = async () => {
    before = await look();
    const first = await node.document('collect-evidence', { profile: 'full', windowSeconds: '5' });
    const second = await node.document('collect-services', {});
    after = await look();
    for (const { stdout } of [first, second]) expect(stdout.length).toBeLessThanOrEqual(20_000);
    const read = readEvidence(first.stdout, { output: second.stdout });
    if (!read.ok) throw new Error(`${read.error}: ${read.rawHead}`);
    evidence = read.evidence;
    printed = { ...json(first).probes, ...json(second).probes };
  };
  const value = <Name extends keyof Probes>(name: Name): Value<Name> => {
    const probe = evidence.probes[name];
    if (probe.status !== 'ok') throw new Error(`${name} is ${probe.status}: ${probe.reason}`);
    return probe.value as Value<Name>;
  };
  const expectBetween = (what: string, said: number | null, slack = 0) => {
    const [least, most] = [before[what], after[what]].sort((a = 0, b = 0) => a - b);
    expect(said, what).toBeGreaterThanOrEqual((least ?? Number.NaN) * (1 - slack));
    expect(said, what).toBeLessThanOrEqual((most ?? Number.NaN) * (1 + slack));
  };
  const show = (unit: string, property: string) => node.sh(`systemctl show -P ${property} ${unit}`);

  describe('on a node that has everything', () => {
    beforeAll(async () => {
      await node.node.write('/root/equip', setup, 0o755);
      // A first sample, so that there is a history.
      await node.document('collect-evidence', { profile: 'quick', windowSeconds: '0' });
      startedDying = node.variant === 'v1' ? 0 : await node.dying('/user.slice');
      await node.sh('/root/equip', 600);
      // cron has its minute, and the next sample is due.
      await node.sh(`until journalctl -q -b -t CRON | grep -q CMD; do sleep 2; done; sleep 60`);
      // An emulated machine can be so slow that a probe runs out of time, which it says: that is no gap of the evidence.
      for (let tries = 0; tries < 4; tries++) {
        await collect();
        if (!gapsOf(evidence).some(({ reason }) => /slow|did not answer within/.test(reason))) break;
      }
      process.stdout.write(`${node.variant}: ${JSON.stringify(evidence)}\n`);
    }, 900_000);

    it('the gaps are those that are permitted, and no others', () => {
      const others = new Set<string>([...aroundProbes, 'observations']);
      const asked = Object.keys(evidence.probes).filter((name) => !others.has(name));
      expect(new Set(Object.keys(printed))).toEqual(new Set(asked));
      const gaps = gapsOf(evidence).map(({ probe }) => probe);
      expect(gaps.filter((probe) => !others.has(probe.split('.')[0] ?? probe))).toEqual(
        permittedGaps[node.variant].map(({ probe }) => probe),
      );
    });

    it('nothing is unknown without a reason', () => {
      const known = Object.fromEntries(
        Object.entries(printed).map(([name, { status, value }]) => [
          name,
          status === 'ok' ? value : undefined,
        ]),
      );
      expect(new Set(nullsIn(known))).toEqual(
        new Set(Object.keys(node.variant === 'v1' ? { ...nothingToKnow, ...notCountedOnV1 } : nothingToKnow)),
      );
    });

    it('host, hierarchy and kernel', async () => {
      const { uptimeSeconds, ...host } = value('host');
      expectBetween('uptime', uptimeSeconds);
      expect(host).toEqual({
        kernel: await node.sh('uname -r'),
        os: await node.sh('. /etc/os-release; echo "$PRETTY_NAME"'),
        bootId: node.node.bootId,
        cpus: await node.number('getconf _NPROCESSORS_CONF'),
        systemdVersion: await node.number(
          `busctl get-property org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager Version | grep -oP '"\\K[0-9]+'`,
        ),
        instanceId: 'i-0123456789abcdef0',
      });
      expect(value('hierarchy').mount).toBe(node.mount);
      expect(value('mkdirProbe')).toEqual({ made: 20, errno: null });
      expect(await node.sh(`find ${node.mount} -name 'cgroup-medic-probe*'`)).toBe('');
      expect(value('kmem').accounting).toBe('on');
      expect(value('kmem').usageKb).toBeGreaterThan(1000);
    });

    it('memory, pressure and reclaim', () => {
      expectBetween('percpu', value('memory').percpuKb, 0.1);
      expectBetween('available', value('memory').availableKb, 0.1);
      expectBetween('slab', value('memory').slabUnreclaimableKb, 0.1);
      expectBetween('memoryStall', value('pressure').memory.some.totalUs);
      expectBetween('cpuStall', value('pressure').cpu.some.totalUs);
      const faults = value('reclaim').pgmajfault;
      expect(faults).toBeGreaterThan(5);
      expect(faults).toBeLessThanOrEqual((after.pgmajfault ?? 0) - (before.pgmajfault ?? 0));
    });

    it('the kubelet, its unit and its configuration', async () => {
      const { rssKb, memoryKb, startedSecondsAgo, config, ...kubelet } = value('kubelet');
      const pid = await show('kubelet', 'MainPID');
      expect(kubelet).toMatchObject({
        unit: 'kubelet.service',
        active: 'active',
        sub: 'running',
        result: 'success',
        execMainStatus: 0,
        restarts: 0,
        memoryMaxKb: null,
        version: (await node.sh('kubelet --version')).replace('Kubernetes ', ''),
        healthz: await node.number(`curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:10248/healthz`),
        journal: { cgroupDeleteFailed: 2, pleg: 1, criDeadline: 1, listTooLarge: 0 },
      });
      expect(Math.abs((rssKb ?? 0) - (await node.number(`ps -o rss= ${pid}`)))).toBeLessThan(2048);
      expect(
        Math.abs((memoryKb ?? 0) - (await node.number('systemctl show -P MemoryCurrent kubelet')) / 1024),
      ).toBeLessThan(4096);
      const started = await node.number(`date -d "$(systemctl show -P ActiveEnterTimestamp kubelet)" +%s`);
      const collectedAt = Date.parse(evidence.collectedAt) / 1000;
      expect(started + (startedSecondsAgo ?? 0)).toBeGreaterThanOrEqual(collectedAt - 2);
      expect(started + (startedSecondsAgo ?? 0)).toBeLessThanOrEqual((after.now ?? 0) + 2);
      const written = JSON.parse(
        await node.sh('cd /etc/kubernetes/kubelet; jq -s ".[0] * .[1]" config.json config.json.d/*.conf'),
      );
      const asText = (settings: Record<string, unknown>) =>
        Object.fromEntries(Object.entries(settings).map(([key, setting]) => [key, String(setting)]));
      expect(config).toEqual({
        file: '/etc/kubernetes/kubelet/config.json',
        featureGates: asText(written.featureGates),
        evictionHard: asText(written.evictionHard),
        evictionSoft: {},
        kubeReserved: asText(written.kubeReserved),
        systemReserved: asText(written.systemReserved),
        flags: asText({
          cgroupDriver: written.cgroupDriver,
          cgroupRoot: written.cgroupRoot,
          kubeReservedCgroup: written.kubeReservedCgroup,
          maxPods: written.maxPods,
          serializeImagePulls: written.serializeImagePulls,
          systemReservedCgroup: written.systemReservedCgroup,
        }),
      });
    });

    it('containers, sandboxes and the runtime', async () => {
      const seen = await pods.seen();
      expect(value('containers')).toMatchObject({
        running: seen.running.length,
        exited: seen.exited.length,
        sandboxesReady: seen.ready.length,
        sandboxesNotReady: seen.notReady.length,
        runtimeVersion: await node.sh(`containerd --version | awk '{ print $3 }'`),
        runc: await node.sh(`runc --version | awk 'NR == 1 { print $3 }'`),
        cgroupDriver: 'systemd',
      });
      expect(seen).toMatchObject({ running: [expect.any(String)], exited: [expect.any(String)] });
      expect(seen.notReady).toHaveLength(1);
    });

    it('pods by working set, and those that use up their CPU quota', async () => {
      const [web, ...others] = value('workloads').top;
      const group = `${node.mount}${pods.slice(webUid)}`;
      const [usage, idle, limit] =
        node.variant === 'v1'
          ? ['memory.usage_in_bytes', 'total_inactive_file', 'memory.limit_in_bytes']
          : ['memory.current', 'inactive_file', 'memory.max'];
      const used = await node.number(
        `echo $((($(cat ${group}/${usage}) - $(awk '$1 == "${idle}" { print $2 }' ${group}/memory.stat)) / 1024))`,
      );
      expect(value('workloads').pods).toBe(3);
      expect(web).toMatchObject({
        pod: 'shop/web-1',
        uid: webUid,
        limitKb: (await node.number(`cat ${group}/${limit}`)) / 1024,
      });
      expect(Math.abs((web?.workingSetKb ?? 0) - used)).toBeLessThan(512);
      expect(others).toContainEqual(
        expect.objectContaining({ pod: 'shop/old-1', uid: oldUid, limitKb: null }),
      );

      const [worst] = value('throttling').top;
      expect(worst).toMatchObject({ pod: 'shop/web-1' });
      expect(worst?.path).toContain(pods.slice(webUid));
      expect(worst?.throttledPeriods).toBeGreaterThan(0);
      expect(worst?.throttledPeriods).toBeLessThanOrEqual((after.throttled ?? 0) - (before.throttled ?? 0));
      expect(value('throttling').throttled).toBe(1);
    });

    it('logins, and what they leave', async () => {
      const sessions = value('sessions');
      const states = await node.sh(
        `loginctl list-sessions --no-legend | awk '{ print $1 }' | xargs -r loginctl show-session -P State | sed '/^$/d'`,
      );
      expect(sessions).toMatchObject({
        open: states.split('\n').length,
        closing: states.split('\n').filter((state) => state === 'closing').length,
        abandonedScopes: await node.number(
          'systemctl list-units --type=scope --no-legend --plain | grep -c abandoned',
        ),
        memoryCgroup: 'session',
        users: [
          { name: 'alice', logins: 3, linger: false },
          { name: 'bob', logins: 1, linger: true },
          { name: 'carol', logins: 1, linger: false },
        ],
      });
      expect(sessions.abandonedScopes).toBe(1);
      expectBetween('logins', sessions.logins);
      if (node.variant === 'v1') return;
      expect(sessions).toMatchObject({
        loginsSinceSample: 5,
        dyingThen: startedDying,
        dyingNow: await node.dying('/user.slice'),
      });
      expect(sessions.dyingNow).toBeGreaterThanOrEqual(startedDying + 3);
    });

    it('what starts by the clock', () => {
      const { cronRuns, timerRuns, timers, shortLived } = value('timers');
      expectBetween('crons', cronRuns);
      expect(cronRuns).toBeGreaterThan(0);
      expectBetween('ticks', timers.find(({ unit }) => unit === 'tick.service')?.runs ?? null);
      expect(timerRuns).toBeGreaterThanOrEqual(timers[0]?.runs ?? Number.NaN);
      expect(shortLived.map(({ unit }) => unit)).toContain('flaky-agent.service');
    });

    it('agents, and who needs them', async () => {
      const { entries, failed } = value('agents');
      const flaky = entries.find(({ unit }) => unit === 'flaky-agent.service');
      expectBetween('restarts', flaky?.restarts ?? null);
      expect(flaky).toMatchObject({ requiredBy: [], wantedBy: [], containers: 0 });
      expect(entries.find(({ unit }) => unit === 'needed.service')).toMatchObject({
        active: 'active',
        requiredBy: ['needs-it.service'],
        memoryKb: expect.any(Number),
        rssKb: expect.any(Number),
        cpuSeconds: expect.any(Number),
      });
      // It never stops to work.
      const faults = entries.find(({ unit }) => unit === 'faults.service')?.cpuSeconds;
      const used = await node.number('ps -o cputimes= -p "$(systemctl show -P MainPID faults)"');
      expect(faults).toBeGreaterThan(1);
      expect(faults).toBeLessThanOrEqual(used + 2);
      expect(failed).toBe(
        await node.number('systemctl list-units --failed --no-legend --type=service | wc -l'),
      );
    });

    it('OOM kills and complaints about cgroups', async () => {
      const { recent, ...kills } = value('oomKills');
      expect(kills).toMatchObject({ sinceBoot: after.oom, source: 'journal', seen: 1, ofKubelet: 0 });
      expect(recent).toEqual([
        {
          at: await node.number(`journalctl -k -b -q -o short-unix | grep oom-kill: | cut -d . -f 1`),
          comm: 'python3',
          cgroup: '/system.slice/hungry.service',
        },
      ]);
      // On cgroup v1, systemd sees no more than the signal.
      expect(await show('hungry', 'Result')).toBe(node.variant === 'v1' ? 'signal' : 'oom-kill');
      expect(value('journal')).toMatchObject({ cgroupNoSpace: 1, cgroupNoMemory: 2, cutOff: false });
    });

    it('load: who waits, and where', async () => {
      const load = value('load');
      const [comm, wchan] = (
        await node.sh(`ps -o comm=,wchan:40= -p "$(systemctl show -P MainPID stuck)"`)
      ).split(/ +/);
      expect(load.blocked).toBeGreaterThanOrEqual(1);
      expect(load.blockedThroughout).toBeGreaterThanOrEqual(1);
      expect(load.blockedIn).toContainEqual({ comm, wchan, processes: 1 });
      expect(
        Math.abs((load.processes ?? 0) - (await node.number('ps -e --no-headers | wc -l'))),
      ).toBeLessThan(20);
      expect(load.shares.kworkerPercent).not.toBeNull();
      expect(load.shares.systemPercent).toBeGreaterThan(0);
      expect(load.shares.systemPercent).toBeLessThanOrEqual(100);
    });

    it('cgroups: live, dying, made, removed and left behind', async () => {
      const [live, dying] = [
        await node.number(`find ${node.mount} -mindepth 1 -type d | wc -l`),
        await node.dying(),
      ];
      expect(Math.abs(value('cgroups').live - live)).toBeLessThan(10);
      const since = (after.restarts ?? 0) - (before.restarts ?? 0);
      expect(Math.abs(value('cgroups').dying - dying)).toBeLessThan(since + 60);
      if (node.variant !== 'v1') {
        const ofPods = value('slices').entries.find(({ path }) => path === '/kubepods.slice');
        expect(ofPods?.dying).toBe(await node.dying('/kubepods.slice'));
      }
      const churn = value('churn');
      expect(churn).toMatchObject({ source: 'tracepoints', lost: 0 });
      expect(churn.patterns).toContainEqual(
        expect.objectContaining({ path: '/system.slice/flaky-agent.service', by: 'systemd' }),
      );
      const flaky = churn.patterns.find(({ path }) => path.endsWith('/flaky-agent.service'));
      expect(flaky?.made).toBeGreaterThan(0);
      expect(flaky?.made).toBeLessThanOrEqual(since);
      expect(value('unpopulated')).toMatchObject({ pod: 2, scope: 1, session: 1, other: 3 });
      expect(value('unpopulated').sample.map(({ path }) => path)).toEqual(
        expect.arrayContaining([
          '/user.slice/user-1002.slice/session-99.scope',
          '/system.slice/run-gone.scope',
          pods.slice(pods.uid('3')),
          '/plain/below',
        ]),
      );
    });

    it('the history on the node', async () => {
      const { samples } = value('history');
      const kept = (await node.sh('cut -d " " -f 2- /var/lib/cgroup-medic/evidence/history')).split('\n');
      expect(samples.map((sample) => sample.map(String).join(' '))).toEqual(kept.slice(0, samples.length));
      // What a document finds is for the next one.
      expect(samples.length).toBeGreaterThanOrEqual(1);
      expect(kept.length).toBeGreaterThanOrEqual(2);
    });
  });

  it('no cgroup can be made any more: which error, and after how many', async () => {
    if (node.variant === 'v1') return;
    const live = await node.number(`awk '$1 == "nr_descendants" { print $2 }' ${node.mount}/cgroup.stat`);
    await node.sh(
      `systemctl stop flaky-agent tick.timer cron; echo ${live + 3} >${node.mount}/cgroup.max.descendants`,
    );
    const { probes } = json(await node.document('collect-evidence', { profile: 'full', windowSeconds: '0' }));
    await node.sh(`echo max >${node.mount}/cgroup.max.descendants`);

    expect(probes.mkdirProbe.value.errno).toBe('other');
    expect(probes.mkdirProbe.value.made).toBeLessThan(10);
  });

  it('the kernel scans for pages: how many, who, and what it costs', async () => {
    const counters = () =>
      node
        .sh(`awk '/^pg(scan|steal)_kswapd / { print $2 }' /proc/vmstat; ps -o cputimes= -C kswapd0`)
        .then((text) => text.split('\n').map(Number));
    // Reads more than there is memory, over and over.
    await node.sh(
      `truncate -s 3G /var/tmp/large
      systemd-run --quiet --unit=scan bash -c 'while :; do cat /var/tmp/large >/dev/null; done'
      scanned() { awk '$1 == "pgscan_kswapd" { print $2 }' /proc/vmstat; }
      until (($(scanned) > 10000)); do sleep 1; done`,
      600,
    );
    const [stealBefore = 0, scanBefore = 0] = await counters();
    const { probes } = json(await node.document('collect-evidence', { profile: 'full', windowSeconds: '5' }));
    const [stealAfter = 0, scanAfter = 0] = await counters();
    await node.sh('systemctl stop scan; rm /var/tmp/large');

    const { pgscanKswapd, pgstealKswapd } = probes.reclaim.value;
    expect(pgscanKswapd).toBeGreaterThan(0);
    expect(pgscanKswapd).toBeLessThanOrEqual(Math.max(scanAfter - scanBefore, stealAfter - stealBefore));
    expect(pgstealKswapd).toBeGreaterThan(0);
    expect(probes.load.value.shares.kswapdPercent).toBeGreaterThan(0);
  });
}
