// Keeps a large file in use: reads it from end to end, over and over, a MiB at a time.
//
//     hot-worker.ts CGROUP HOT
//
// CGROUP: a memory cgroup (v1) that it enters first, so that the file is charged there. Prints "ready" after the first
// time. What it had to fetch from the disk is in its /proc/PID/io.
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const everyMs = 5;
const [cgroup = '', hot = ''] = process.argv.slice(2);
const buffer = Buffer.alloc(1024 * 1024);
const still = new Int32Array(new SharedArrayBuffer(4));

writeFileSync(join(cgroup, 'cgroup.procs'), String(process.pid));
for (let pause = 0; ; pause = everyMs) {
  const file = openSync(hot, 'r');
  while (readSync(file, buffer) > 0) if (pause > 0) Atomics.wait(still, 0, 0, pause);
  closeSync(file);
  if (pause === 0) process.stdout.write('ready\n');
}
