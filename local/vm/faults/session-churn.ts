import { dyingBelow, type Fault, shell, untilDying } from './fault.ts';

/** Dying cgroups to begin with. */
const enough = 90;
/** Logs in and leaves a small file, as a monitor does that logs what it has seen. */
const monitor = `#!/bin/bash
while :; do
  su - "$1" -c 'mkdir -p seen && date >"$(mktemp -p seen)"'
  sleep 0.1
done
`;

/** Something logs in again and again, and each login leaves a dying cgroup below user.slice. */
export const sessionChurn: Fault = {
  about:
    'something that logs in as alice and bob again and again; each login leaves a dying cgroup below /user.slice',
  cluster: { thresholds: { dyingFloor: 45 } },
  symptom: dyingBelow('/user.slice'),

  async make(node, signal) {
    await node.write('/usr/local/bin/monitor', monitor, 0o755);
    // Three at once until there are enough, and two that go on.
    await shell(
      node,
      `for user in alice bob carol; do systemd-run --quiet --unit="monitor-$user" monitor "$user"; done
      ${untilDying('/user.slice', enough)}
      systemctl stop monitor-carol`,
      signal,
    );
  },

  async end(node) {
    await shell(
      node,
      'systemctl stop "monitor-*"; rm -rf /usr/local/bin/monitor /home/{alice,bob,carol}/seen',
    );
  },
};
