import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until no other test file measures this host's cgroups, and keeps the others out until the returned function is
 * called. An abstract socket: the kernel lets go of it however the test ends.
 */
export async function holdHost(): Promise<() => Promise<void>> {
  for (;;) {
    const server = createServer();
    const held = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen('\0cgroup-medic-test-host', () => resolve(true));
    });
    if (held) return () => new Promise((resolve) => server.close(() => resolve()));
    await sleep(200);
  }
}
