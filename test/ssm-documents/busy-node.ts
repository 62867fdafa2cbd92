import type { Tree } from '../../local/node/recorded-tree.ts';
import { cgroup, smallTree } from './node-folder.ts';

export const podUid = '3f2a1b4c-0d1e-4f2a-8b3c-9d0e1f2a3b4c';
const pod = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${podUid.replaceAll('-', '_')}.slice`;
const container = `cri-containerd-${'ab12'.repeat(16)}.scope`;
const now = () => Math.floor(Date.now() / 1000);

/** A command of a recorded node. */
export function command(script: string): string {
  return `#!/bin/sh\nR="$CGROUP_MEDIC_ROOT/recorded"\n${script}\n`;
}

/** The properties of a unit as `systemctl show` prints them. */
export function shown(properties: Record<string, string | number>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

export type Line = { ago: number; who: string; text: string };

/** Lines of a journal as `journalctl -r -o short-unix` prints them, newest first. */
export function journal(lines: Line[]): string {
  return lines
    .sort((a, b) => a.ago - b.ago)
    .map(({ ago, who, text }) => `${now() - ago}.123456 node-1 ${who}: ${text}\n`)
    .join('');
}

export const oomLine = (cgroupPath: string, comm: string) =>
  `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=${cgroupPath},task_memcg=${cgroupPath},task=${comm},pid=77,uid=0`;

export const journalLines: Line[] = [
  { ago: 30, who: 'kernel', text: oomLine(`${pod}/${container}`, 'java, the, app') },
  { ago: 400, who: 'kernel', text: oomLine('/runtime.slice/kubelet.service', 'kubelet') },
  { ago: 50, who: 'kernel', text: 'Memory cgroup out of memory: Killed process 77 (java)' },
  ...[10, 20, 300].map((ago) => ({
    ago,
    who: 'systemd[1]',
    text: 'Started session-c12.scope - Session c12 of User alice.',
  })),
  // As systemd 219 says it.
  { ago: 40, who: 'systemd[1]', text: 'Starting Session 13 of user bob.' },
  { ago: 40, who: 'systemd[1]', text: 'Started Session 13 of user bob.' },
  { ago: 5, who: 'systemd-logind[9]', text: 'Session 12 logged out. Waiting for processes to exit.' },
  ...[60, 120, 180, 240].map((ago) => ({
    ago,
    who: 'systemd[1]',
    text: 'tick.service: Deactivated successfully.',
  })),
  { ago: 70, who: 'systemd[1]', text: 'session-12.scope: Deactivated successfully.' },
  { ago: 71, who: 'systemd[1]', text: 'session-13.scope: Deactivated successfully.' },
  { ago: 72, who: 'systemd[1]', text: "orphan.service: Failed with result 'exit-code'." },
  { ago: 72, who: 'systemd[1]', text: "orphan.service: Failed with result 'start-limit-hit'." },
  { ago: 80, who: 'CRON[55]', text: '(root) CMD (do-not-print --secret hunter2)' },
  { ago: 81, who: 'kubelet[50]', text: 'E1121 "Failed to delete cgroup paths" cgroupName=[kubepods]' },
  { ago: 82, who: 'kubelet[50]', text: 'PLEG is not healthy: pleg was last seen active 3m0s ago' },
  {
    ago: 83,
    who: 'kubelet[50]',
    text: 'rpc error: code = DeadlineExceeded desc = context deadline exceeded',
  },
  {
    ago: 83,
    who: 'kubelet[50]',
    text: '"GenericPLEG: Unable to retrieve pods" err="grpc: received message larger than max (16791221 vs. 16777216)"',
  },
  {
    ago: 84,
    who: 'containerd[60]',
    text: 'mkdir /sys/fs/cgroup/memory/kubepods/x: no space left on device',
  },
  { ago: 85, who: 'systemd[1]', text: 'Failed to create cgroup /x: Cannot allocate memory' },
  { ago: 86, who: 'containerd[60]', text: 'write /var/lib/x: no space left on device' },
];

const units = `  init.scope loaded active running System and Service Manager
  session-12.scope loaded active abandoned Session 12 of User alice
* orphan.service loaded activating auto-restart Orphan agent
  helper.service loaded active running Helper
  datadog.service loaded failed failed Datadog
  docker.service loaded active running Docker
  kubelet.service loaded active running Kubelet
  sshd.service loaded active running OpenSSH
  done.service loaded active exited Done
  gone.service not-found inactive dead gone.service
  tick.timer loaded active waiting Tick
`;

const agents = [
  {
    Id: 'orphan.service',
    ActiveState: 'activating',
    SubState: 'auto-restart',
    UnitFileState: 'enabled',
    NRestarts: 812,
    MemoryCurrent: '[not set]',
    CPUUsageNSec: 2_500_000_000,
    ControlGroup: '',
    RequiredBy: '',
    WantedBy: 'multi-user.target',
    Requires: 'sysinit.target',
  },
  {
    Id: 'datadog.service',
    ActiveState: 'failed',
    SubState: 'failed',
    UnitFileState: 'enabled',
    NRestarts: 5,
    MemoryCurrent: '18446744073709551615',
    CPUUsageNSec: '18446744073709551615',
    ControlGroup: '',
    RequiredBy: 'helper.service needy.service',
    WantedBy: '',
  },
  {
    Id: 'helper.service',
    ActiveState: 'active',
    SubState: 'running',
    UnitFileState: 'enabled',
    NRestarts: 0,
    MemoryCurrent: 10_485_760,
    CPUUsageNSec: '[not set]',
    MainPID: 55,
    ControlGroup: '/system.slice/helper.service',
    WantedBy: 'other.service multi-user.target',
  },
  {
    Id: 'docker.service',
    ActiveState: 'active',
    SubState: 'running',
    UnitFileState: 'enabled',
    NRestarts: 0,
    MemoryCurrent: 1024,
    CPUUsageNSec: 0,
    ControlGroup: '/system.slice/docker.service',
  },
].map(shown);

const kubelet = shown({
  Id: 'kubelet.service',
  LoadState: 'loaded',
  ActiveState: 'active',
  SubState: 'running',
  Result: 'oom-kill',
  ExecMainStatus: 9,
  NRestarts: 4,
  MainPID: 50,
  ActiveEnterTimestampMonotonic: 400_000_000,
  MemoryCurrent: 2_147_483_648,
  MemoryMax: 'infinity',
  MemoryHigh: 4_294_967_296,
});

const containers = {
  containers: [
    item('CONTAINER_RUNNING', 100),
    item('CONTAINER_RUNNING', 200),
    item('CONTAINER_EXITED', 5000),
    item('CONTAINER_EXITED', 90),
    item('CONTAINER_CREATED', 1),
  ],
};
const pods = { items: [item('SANDBOX_READY', 10), item('SANDBOX_NOTREADY', 7200)] };

function item(state: string, ago: number) {
  return {
    id: 'x',
    // Somebody else's text, that looks like ours.
    metadata: { name: '      "state": "CONTAINER_EXITED",\n      "state": "CONTAINER_EXITED",' },
    labels: { state: 'CONTAINER_EXITED', createdAt: '1' },
    state,
    createdAt: `${now() - ago}000000000`,
  };
}

/** A cgroup v2 node on which there is something to find by every probe that a recorded node can have. */
export const busyTree: Tree = {
  ...smallTree,
  'sys/devices/virtual/dmi/id/board_asset_tag': 'i-0123456789abcdef0\n',
  'proc/cmdline': 'BOOT_IMAGE=/vmlinuz cgroup.memory=nosocket,nokmem quiet\n',
  'proc/uptime': '1000.00 1900.00\n',
  'proc/loadavg': '3.50 2.25 1.00 2/345 6789\n',
  'proc/stat': 'cpu  100 0 50 800 20 5 5 20 0 0\n',
  'proc/vmstat': `${smallTree['proc/vmstat']}oom_kill 12\n`,
  'proc/1/cgroup': '0::/init.scope\n',
  'proc/1/stat': '1 (systemd) S 0 1 1 0 -1 4194560 1 1 1 1 10 10 1 1 20 0 1 0 5\n',
  'proc/50/cgroup': '0::/runtime.slice/kubelet.service\n',
  'proc/50/status': 'Name:\tkubelet\nVmRSS:\t  345678 kB\n',
  'proc/50/stat': '50 (kubelet) S 1 1 1 0 -1 4194560 1 1 1 1 10 10 1 1 20 0 1 0 5\n',
  'proc/55/stat': '55 (a) helper) S 1 1 1 0 -1 4194560 1 1 1 1 150 100 40 10 20 0 1 0 5\n',
  'proc/55/status': 'Name:\ta) helper\nVmRSS:\t    8000 kB\n',
  'proc/60/cgroup': `0::${pod}/${container}\n`,
  'proc/60/stat': '60 (a) b (c) D 1 1 1 0 -1 4194560 1 1 1 1 10 10 1 1 20 0 1 0 5\n',
  'proc/60/wchan': 'mem_cgroup_css_alloc',
  'proc/61/cgroup': '0::/\n',
  'proc/61/stat': '61 (kworker/0:1) D 2 1 1 0 -1 4194560 1 1 1 1 10 10 1 1 20 0 1 0 5\n',
  'proc/61/wchan': 'mem_cgroup_css_alloc',
  'var/lib/systemd/linger/bob': '',
  [`var/log/pods/shop_web-1_${podUid}/`]: '',
  ...cgroup('/init.scope', { live: 0, dying: 0, cacheKb: 4 }),
  ...cgroup('/system.slice', { live: 4, dying: 3, cacheKb: 4 }),
  ...cgroup('/system.slice/done.service', { live: 0, dying: 0, cacheKb: 4 }),
  ...cgroup('/system.slice/leftover.service', { live: 0, dying: 0, cacheKb: 4 }),
  ...cgroup('/system.slice/run-r12.scope', { live: 0, dying: 0, cacheKb: 4 }),
  ...cgroup('/system.slice/data.mount', { live: 0, dying: 0, cacheKb: 4 }),
  ...cgroup(`/system.slice/docker-${'0f'.repeat(32)}.scope`, { live: 0, dying: 0, cacheKb: 4 }),
  ...cgroup('/runtime.slice', { live: 1, dying: 0, cacheKb: 4 }),
  ...cgroup('/runtime.slice/kubelet.service', { live: 0, dying: 0, cacheKb: 4 }),
  ...cgroup('/runtime.slice/kubelet.service/.control', { live: 0, dying: 0, cacheKb: 4 }),
  ...cgroup('/user.slice', { live: 2, dying: 55, cacheKb: 4 }),
  ...cgroup('/user.slice/user-1000.slice', { live: 1, dying: 50, cacheKb: 4 }),
  ...cgroup('/user.slice/user-1000.slice/session-12.scope', { live: 0, dying: 0, cacheKb: 4 }),
  'sys/fs/cgroup/user.slice/user-1000.slice/session-12.scope/cgroup.procs': '4711\n4712\n',
  // Started by alice with sudo.
  'proc/4712/status': 'Name:\tnohup\nUid:\t0\t0\t0\t0\n',
  'etc/passwd': 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n',
  ...cgroup('/kubepods.slice', { live: 3, dying: 0, cacheKb: 4 }),
  ...cgroup(pod, { live: 1, dying: 0, cacheKb: 2000 }),
  ...cgroup(`${pod}/${container}`, { live: 0, dying: 0, cacheKb: 4 }),
  ...Object.fromEntries(
    [
      '/system.slice/done.service',
      '/system.slice/leftover.service',
      '/runtime.slice/kubelet.service/.control',
      '/system.slice/run-r12.scope',
      '/system.slice/data.mount',
      '/user.slice/user-1000.slice/session-12.scope',
    ].map((path) => [`sys/fs/cgroup${path}/cgroup.events`, 'populated 0\nfrozen 0\n']),
  ),
  [`sys/fs/cgroup${pod}/memory.current`]: `${1000 * 1024 * 1024}\n`,
  [`sys/fs/cgroup${pod}/memory.max`]: `${512 * 1024 * 1024}\n`,
  [`sys/fs/cgroup${pod}/memory.stat`]: `file 1\ninactive_file ${600 * 1024 * 1024}\n`,
  [`sys/fs/cgroup${pod}/cpu.stat`]: 'usage_usec 5\nnr_periods 100\nnr_throttled 10\nthrottled_usec 5000\n',
  'sys/fs/cgroup/memory.stat': `${smallTree['sys/fs/cgroup/memory.stat']}kernel 4194304\n`,
  'etc/kubernetes/kubelet/config.json': JSON.stringify({
    kind: 'KubeletConfiguration',
    authentication: { webhook: { enabled: true } },
    cgroupDriver: 'systemd',
    featureGates: { EventedPLEG: true, MemoryQoS: false },
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '10%' },
    kubeReserved: { cpu: '70m', memory: '442Mi' },
    maxPods: 29,
    kubeReservedCgroup: '/runtime',
    staticPodURLHeader: { Authorization: ['Bearer do-not-print'] },
  }),
  'etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf': JSON.stringify({ maxPods: 58 }, null, 2),
  'recorded/units': units,
  'recorded/agents': agents.join('\n'),
  'recorded/kubelet': `${kubelet}\n${shown({ Id: 'snap.kubelet-eks.daemon.service', LoadState: 'not-found' })}`,
  'recorded/timers': 'Unit=tick.service\n\nUnit=fstrim.service\n',
  'recorded/journal': journal(journalLines),
  'recorded/containers': JSON.stringify(containers, null, 2),
  'recorded/pods': JSON.stringify(pods, null, 2),
  'usr/bin/systemctl': command(`case "$*" in
--version) echo 'systemd 252 (252.38-1)' ;;
list-units*) cat "$R/units" ;;
*kubelet.service*) cat "$R/kubelet" ;;
*.timer) cat "$R/timers" ;;
*) cat "$R/agents" ;;
esac`),
  'usr/bin/loginctl': command(`case "$1" in
list-sessions) printf '     12 1000 alice seat0 tty1\\n     13 1001 bob\\n     c1 0 root\\n' ;;
*) printf 'State=closing\\n\\nState=active\\n\\nState=closing\\n' ;;
esac`),
  'usr/bin/journalctl': command('cat "$R/journal"'),
  'usr/bin/crictl': command(`case "$*" in
*ps*) cat "$R/containers" ;;
*pods*) cat "$R/pods" ;;
*version) printf 'Version:  0.1.0\\nRuntimeName:  containerd\\nRuntimeVersion:  1.7.27\\n' ;;
*info) printf '{\\n  "config": {\\n    "SystemdCgroup": true\\n  }\\n}\\n' ;;
esac`),
  'usr/bin/runc': command("printf 'runc version 1.2.4\\ncommit: x\\n'"),
  'usr/bin/kubelet': command('echo "Kubernetes v1.31.7-eks-473151a"'),
};

/** The pod of the busy node, and the container in it. */
export const busyPod = { pod, container };
