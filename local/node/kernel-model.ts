import { closeSync, constants, existsSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import * as z from 'zod';

/** How a node answers a reclaim. */
export const Response = z.enum(['cures', 'partly', 'nothing', 'worse', 'silent', 'garbage']);
export type Response = z.infer<typeof Response>;

/** Dying cgroups of one slice, at the moment of the recording. */
export const Holder = z.strictObject({
  slice: z.string().regex(/^\//),
  dying: z.int().nonnegative(),
  /** Page cache that each of them holds. */
  kbEach: z.int().positive(),
});
export type Holder = z.infer<typeof Holder>;

/** Counters in files of "key number" lines, and what each goes on by in a second. */
export const Moves = z.record(z.string(), z.record(z.string(), z.number().nonnegative()));
export type Moves = z.infer<typeof Moves>;

export type ModelOptions = {
  root: string;
  hierarchy: 'v1' | 'v2';
  response: Response;
  holders: readonly Holder[];
  /** Dying cgroups that the first holder gains each second, reclaim or not. */
  growsPerSecond: number;
  /** A file, relative to the root, whose existence ends that. */
  growsUntil?: string | undefined;
  /** Counters that go on, by the file relative to the root. */
  moves?: Moves;
  /** The FIFOs of the tree, relative to the root: memory.reclaim, memory.force_empty and drop_caches. */
  knobs: readonly string[];
};

/** Kernel memory that one dying cgroup costs, as measured on two CPUs. */
const slabKbEach = 12;
const percpuKbEach = 8;
/** Share of the dying that stays under any reclaim: dirty and metadata pages hold them (measured on kernel 6.1). */
const stays = { cures: 0.05, partly: 0.4 };
/** memory.force_empty is interrupted after a short turn: each frees this share of what it still can. */
const sharePerTurn = 0.6;
/** Share of the node's page cache that is left when it has been dropped, as measured: what is dirty, mapped or shmem. */
const cacheAfterDrop = 0.02;
const tickMs = 250;

/**
 * The little of the kernel that a repair sees on a recorded node: writes to memory.reclaim, memory.force_empty or
 * drop_caches change the counts, and time passes. It is a model, and everything that shows its numbers says so.
 */
export class KernelModel {
  readonly #options: ModelOptions;
  readonly #slices: { path: string; kbEach: number; dying: number; start: number }[];
  readonly #sockets: Socket[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = Date.now();
  readonly #uptime: number;
  #growth = 0;
  #movedSeconds = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
    this.#slices = options.holders.map(({ slice, dying, kbEach }) => ({
      path: slice,
      kbEach,
      dying,
      start: dying,
    }));
    this.#uptime = Number(this.#read('proc/uptime').split(' ')[0]);
    for (const knob of options.knobs) this.#listen(knob);
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
  }

  #listen(knob: string): void {
    // Read and write: opening never waits for a writer, and the last writer's leaving is not the end.
    const fd = openSync(join(this.#options.root, knob), constants.O_RDWR | constants.O_NONBLOCK);
    const write =
      knob === 'proc/sys/vm/drop_caches'
        ? (value: number) => this.#drop(value)
        : (value: number) => this.#reclaim(dirname(knob).slice(this.#mount.length), value);
    let socket: Socket;
    try {
      socket = new Socket({ fd, readable: true, writable: false });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    let rest = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) write(Number(line));
    });
    socket.unref();
    this.#sockets.push(socket);
  }

  /** One write of `bytes` to memory.reclaim, or of 0 to memory.force_empty. */
  #reclaim(slice: string, bytes: number): void {
    const { response, hierarchy } = this.#options;
    if (response === 'worse') {
      this.#worsen(slice);
      return;
    }
    if (response !== 'cures' && response !== 'partly') return;
    let kb = bytes / 1024;
    for (const holder of this.#slices) {
      if (holder.path !== slice && !holder.path.startsWith(`${slice}/`)) continue;
      const freeable = Math.max(0, holder.dying - Math.ceil(holder.start * stays[response]));
      const freed =
        hierarchy === 'v1'
          ? Math.ceil(freeable * sharePerTurn)
          : Math.min(freeable, Math.floor(kb / holder.kbEach));
      kb -= freed * holder.kbEach;
      this.#change(holder, -freed);
    }
  }

  /** One write to drop_caches: 1 drops the page cache, 2 slab, 3 both. The dying stay where a reclaim leaves them, too. */
  #drop(what: number): void {
    const { response } = this.#options;
    if (response === 'worse') {
      for (const { path } of this.#slices) this.#worsen(path);
    }
    if ((what & 1) === 0) return;
    if (response === 'cures' || response === 'partly') {
      for (const holder of this.#slices) {
        this.#change(holder, -Math.max(0, holder.dying - Math.ceil(holder.start * stays[response])));
      }
    }
    const cached = Number(/^Cached:\s+(\d+)/m.exec(this.#read('proc/meminfo'))?.[1]);
    const dropped = Math.floor(cached * (1 - cacheAfterDrop));
    this.#add('proc/meminfo', { Cached: -dropped, MemFree: dropped });
  }

  /** The reclaim stalls the node and frees nothing. */
  #worsen(slice: string): void {
    for (const holder of this.#slices) {
      if (holder.path === slice) this.#change(holder, Math.ceil(holder.start * 0.1));
    }
    this.#edit('proc/pressure/memory', (text) => text.replace(/^(some|full) avg10=\S+/gm, '$1 avg10=38.20'));
  }

  #change(holder: { path: string; kbEach: number; dying: number }, by: number): void {
    if (by === 0) return;
    holder.dying += by;
    const kb = by * holder.kbEach;
    const { hierarchy } = this.#options;
    const mount = this.#mount;
    for (const path of ancestry(holder.path)) {
      if (hierarchy === 'v2') {
        this.#add(`${mount}${path}/cgroup.stat`, { nr_dying_descendants: by });
        this.#add(`${mount}${path}/memory.stat`, { file: kb * 1024, inactive_file: kb * 1024 });
      } else {
        this.#add(`${mount}${path}/memory.stat`, { total_cache: kb * 1024, total_inactive_file: kb * 1024 });
      }
    }
    if (hierarchy === 'v1') {
      this.#edit('proc/cgroups', (text) =>
        text.replace(
          /^(memory\t\d+\t)(\d+)/m,
          (_, head: string, count: string) => `${head}${Number(count) + by}`,
        ),
      );
    }
    this.#add('proc/meminfo', {
      MemFree: -kb - by * (slabKbEach + percpuKbEach),
      MemAvailable: -by * (slabKbEach + percpuKbEach),
      Cached: kb,
      Slab: by * slabKbEach,
      SUnreclaim: by * slabKbEach,
      Percpu: by * percpuKbEach,
    });
  }

  #tick(): void {
    const elapsed = (Date.now() - this.#startedAt) / 1000;
    this.#edit(
      'proc/uptime',
      () => `${(this.#uptime + elapsed).toFixed(2)} ${(this.#uptime * 1.8).toFixed(2)}\n`,
    );
    this.#add('proc/vmstat', { pgmajfault: 1, pgscan_kswapd: 3, pgsteal_kswapd: 2 });
    for (const [path, counters] of Object.entries(this.#options.moves ?? {})) {
      const by = Object.entries(counters).map(([key, perSecond]) => [
        key,
        Math.floor(perSecond * elapsed) - Math.floor(perSecond * this.#movedSeconds),
      ]);
      this.#add(path, Object.fromEntries(by));
    }
    this.#movedSeconds = elapsed;
    const [first] = this.#slices;
    if (first === undefined) return;
    const due = Math.floor(elapsed * this.#options.growsPerSecond);
    if (due > this.#growth && !this.#growthEnded) this.#change(first, due - this.#growth);
    this.#growth = due;
  }

  get #growthEnded(): boolean {
    const { root, growsUntil } = this.#options;
    return growsUntil !== undefined && existsSync(join(root, growsUntil));
  }

  get #mount(): string {
    return this.#options.hierarchy === 'v2' ? 'sys/fs/cgroup' : 'sys/fs/cgroup/memory';
  }

  /** Adds to the numbers of "key number" lines; a key that the file does not have is left out. */
  #add(path: string, changes: Record<string, number>): void {
    this.#edit(path, (text) =>
      text.replace(/^(\w+)(:?\s+)(\d+)/gm, (line, key: string, gap: string, value: string) =>
        Object.hasOwn(changes, key)
          ? `${key}${gap}${Math.max(0, Number(value) + (changes[key] ?? 0))}`
          : line,
      ),
    );
  }

  #read(path: string): string {
    return readFileSync(join(this.#options.root, path), 'utf8');
  }

  /** By rename: a document that reads meanwhile sees the old file or the new one, never half of it. */
  #edit(path: string, change: (text: string) => string): void {
    const file = join(this.#options.root, path);
    writeFileSync(`${file}.new`, change(this.#read(path)));
    renameSync(`${file}.new`, file);
  }
}

/** A slice and all above it, the root of the hierarchy (the empty path) last. */
function ancestry(slice: string): string[] {
  const parts = slice.split('/');
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
}
