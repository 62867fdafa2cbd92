import { expect } from 'vitest';
import { type BootedNode, json } from './booted-node.ts';

/** Everything that an undo has to give back, one line each. */
export async function stateOf(node: BootedNode): Promise<string[]> {
  const lines = await node.sh(`
    # Somebody's slice and manager go some seconds after the last logout.
    for ((second = 0; second < 120; second++)); do
      if [[ ! -d /run/systemd/users || -z $(ls -A /run/systemd/users) ]]; then break; fi
      sleep 1
    done
    sleep 1
    { find /etc/systemd /var/lib/systemd/linger; if [[ -d /etc/cgroup-medic ]]; then find /etc/cgroup-medic; fi; } |
      sort | xargs -d '\\n' stat -c '%n %a %U %F'
    find /etc/systemd -type f | sort | xargs -d '\\n' sha256sum
    cd ${node.mount}
    find . -name memory.low -o -name cgroup.subtree_control -o -name memory.max | sort | xargs -d '\\n' grep -H '' /dev/null
    systemctl show -P UnitFileState,Slice,ActiveState flaky-agent
    systemctl show -P DisableControllers user.slice system.slice`);
  return lines.split('\n');
}

/** As after a boot: nothing dying that can be freed, and nothing remembered of what was. */
export async function refresh(node: BootedNode): Promise<void> {
  await node.sh(`
    sync; echo 3 >/proc/sys/vm/drop_caches
    rm -rf /var/lib/cgroup-medic/evidence
    journalctl --quiet --rotate; journalctl --quiet --vacuum-time=1s
    systemctl reset-failed`);
}

/** Takes back what stays on the node once it has helped, as a person does who has mended the producer. */
export async function takeBack(node: BootedNode, document: string, incident: string): Promise<void> {
  const ours = 'grep -rl "Written by cgroup-medic" /etc/systemd/system /etc/cgroup-medic 2>/dev/null || true';
  expect(await node.sh(ours)).not.toBe('');
  expect(json(await node.document(document, { incident }))).toMatchObject({ changed: true, remaining: 0 });
}
