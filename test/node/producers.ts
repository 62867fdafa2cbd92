import type { BootedNode } from './booted-node.ts';

/** A second producer, which no rule knows and no treatment stops. It works until the function returned is called. */
export async function hiddenProducer(node: BootedNode): Promise<() => Promise<void>> {
  const slice = `${node.mount}/system.slice/hidden.slice`;
  const work = `for ((n = 0; ; n++)); do make-leak ${slice} /var/tmp/hidden/$n 2; sleep 1; done`;
  await node.sh(`systemd-run --quiet --unit=hidden bash -c '${work}'`);
  return async () => {
    await node.sh(`systemctl stop hidden; rm -rf /var/tmp/hidden; rmdir ${slice}`);
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
