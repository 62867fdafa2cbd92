import type { BootedNode } from './booted-node.ts';

/** A second producer, which no rule knows and no treatment stops. It works until the function returned is called. */
export function hiddenProducer(node: BootedNode): Promise<() => Promise<void>> {
  return hidden(node, 'count=2; sleep 1');
}

/**
 * The same beside logins, each of which leaves a file in a folder `seen`: two for every login, so that however fast the
 * machine is, the logins are neither all of it nor next to nothing.
 */
export function producerBesideLogins(node: BootedNode): Promise<() => Promise<void>> {
  const logins = 'ls /home/alice/seen /home/bob/seen | wc -l';
  return hidden(
    node,
    `: "\${before:=$(${logins})}"; until now=$(${logins}); ((now > before)); do sleep 0.5; done; count=$((2 * (now - before))); before=$now`,
  );
}

/** @param next waits until it is time for more, and sets `count` to how many */
async function hidden(node: BootedNode, next: string): Promise<() => Promise<void>> {
  const slice = `${node.mount}/system.slice/hidden.slice`;
  await node.node.write(
    '/usr/local/bin/hidden',
    `#!/bin/bash
for ((n = 0; ; n++)); do
  ${next}
  make-leak ${slice} /var/tmp/hidden/$n "$count"
done
`,
  );
  await node.sh('systemd-run --quiet --unit=hidden bash /usr/local/bin/hidden');
  return async () => {
    await node.sh(`systemctl stop hidden; rm -rf /var/tmp/hidden /usr/local/bin/hidden; rmdir ${slice}`);
  };
}

/** Dying cgroups that hold a page of a file on a tmpfs, which no reclaim and no drop of the caches frees without swap. */
export async function unfreeableLeak(
  node: BootedNode,
  path: string,
  count: number,
): Promise<() => Promise<void>> {
  await node.sh(`make-leak ${node.mount}${path} /dev/shm/unfreeable ${count}`);
  return async () => {
    await node.sh(`rm -r /dev/shm/unfreeable; rmdir ${node.mount}${path}`);
  };
}
