// The neighbour of a cure: reads small files, hot in the page cache, at a steady rate, and says how long each took.
//
//     neighbour-worker.ts CGROUP FILES
//
// CGROUP: a memory cgroup (v1) that it enters first, so that what it reads is charged there. FILES: a folder with them.
// Prints "ready", then lines of JSON, each a list of [when it was due, how long the read took, how late it ended], in
// milliseconds; the clock is the epoch's.
import { closeSync, openSync, readdirSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const everyMs = 5;
const samplesALine = 100;
const [cgroup = '', folder = ''] = process.argv.slice(2);
const buffer = Buffer.alloc(64 * 1024);

writeFileSync(join(cgroup, 'cgroup.procs'), String(process.pid));
const files = readdirSync(folder).map((name) => join(folder, name));
for (const file of files) read(file);
process.stdout.write('ready\n');

const still = new Int32Array(new SharedArrayBuffer(4));
const now = (): number => performance.timeOrigin + performance.now();
let samples: [number, number, number][] = [];
// A read that was held up does not put off the next ones: they are late, too, and it shows.
for (let due = now(), index = 0; ; due += everyMs, index += 1) {
  const early = due - now();
  if (early > 0) Atomics.wait(still, 0, 0, early);
  const started = now();
  read(files[index % files.length] ?? '');
  const ended = now();
  samples.push([due, ended - started, ended - due]);
  if (samples.length < samplesALine) continue;
  process.stdout.write(`${JSON.stringify(samples)}\n`);
  samples = [];
}

function read(path: string): void {
  const file = openSync(path, 'r');
  while (readSync(file, buffer) > 0);
  closeSync(file);
}
