import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { homeFolder } from '../home.ts';
import type { Variant } from './variants.ts';
import { VirtualNodeError } from './virtual-node-error.ts';

/** The finished files of an image. */
export type Image = {
  /** A raw ext4 file system; nobody ever writes to it. */
  disk: string;
  kernel: string;
  initrd: string;
  /** A folder with the QEMU that this image needs, where the host's would not do. */
  qemu?: string;
};

export type BuildOptions = {
  onProgress?: ((text: string) => void) | undefined;
  signal?: AbortSignal | undefined;
};

const recipe = join(import.meta.dirname, 'image');
const mirror = 'http://deb.debian.org/debian';
const diskSize = '6G';

/** Everything but the kernel and systemd's own dependencies that is in a node. */
const packages = [
  ...['linux-image-cloud-amd64', 'initramfs-tools', 'lz4', 'kmod', 'udev'],
  ...['systemd-sysv', 'dbus', 'libpam-systemd', 'cron', 'procps', 'iproute2', 'less'],
  ...['gawk', 'mawk', 'busybox-static', 'strace', 'curl', 'jq'],
  ...['python3', 'containerd', 'runc'],
];

/** The image of a variant, from the cache or made now (a minute); several processes at once make it once. */
export async function imageOf({ suite }: Variant, options: BuildOptions = {}): Promise<Image> {
  const parent = join(homeFolder(), 'vm');
  const key = `${suite}-${digestOfRecipe(suite)}`;
  const folder = join(parent, key);
  const image: Image = {
    disk: join(folder, 'disk.img'),
    kernel: join(folder, 'vmlinuz'),
    initrd: join(folder, 'initrd'),
    ...(suite === 'trixie' ? { qemu: join(folder, 'qemu') } : {}),
  };
  if (existsSync(folder)) return image;
  mkdirSync(parent, { recursive: true });
  const release = await holdBuild(key, options);
  try {
    if (existsSync(folder)) return image;
    removeAbandoned(parent);
    const unfinished = join(parent, `unfinished-${process.pid}-${key}`);
    mkdirSync(unfinished);
    try {
      await build(suite, unfinished, options);
      // Whole or not at all.
      renameSync(unfinished, folder);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  } finally {
    await release();
  }
  return image;
}

async function build(suite: Variant['suite'], folder: string, options: BuildOptions): Promise<void> {
  const say = (text: string) => options.onProgress?.(text);
  const tree = join(folder, 'tree');
  say(`making the image of a Debian ${suite} node (once; about a minute)`);
  await debootstrap(suite, tree, packages, options, [
    `--customize-hook=sync-in ${join(recipe, 'files')} /`,
    `--customize-hook=${join(recipe, 'customize.sh')} "$1"`,
  ]);
  for (const [name, pattern] of [
    ['vmlinuz', /^vmlinuz-/],
    ['initrd', /^initrd$/],
  ] as const) {
    renameSync(join(tree, 'boot', onlyFile(join(tree, 'boot'), pattern)), join(folder, name));
  }
  say('putting it on a disk');
  await execute('mke2fs', ['-q', '-t', 'ext4', '-d', tree, join(folder, 'disk.img'), diskSize], options);
  rmSync(tree, { recursive: true });
  if (suite === 'trixie') {
    say('fetching the QEMU that boots its kernel');
    await debootstrap(suite, join(folder, 'qemu'), ['qemu-system-x86'], options, []);
  }
}

function debootstrap(
  suite: Variant['suite'],
  target: string,
  include: readonly string[],
  options: BuildOptions,
  more: readonly string[],
): Promise<void> {
  return execute(
    'mmdebstrap',
    [
      '--mode=root',
      '--format=directory',
      '--variant=minbase',
      '--aptopt=APT::Install-Recommends "false"',
      `--include=${include.join(',')}`,
      ...more,
      suite,
      target,
      `deb ${mirror} ${suite} main`,
      `deb ${mirror} ${suite}-updates main`,
      `deb ${mirror}-security ${suite}-security main`,
    ],
    options,
  );
}

/** Runs a tool; what it said is in the error if it fails. It dies with this process. */
function execute(command: string, args: readonly string[], { signal }: BuildOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4000);
    });
  }
  const stop = () => child.kill('SIGTERM');
  signal?.addEventListener('abort', stop, { once: true });
  child.once('error', reject);
  // Only then does it no longer touch the files that are removed next.
  child.once('close', (code) => {
    signal?.removeEventListener('abort', stop);
    if (code === 0) resolve();
    else if (signal?.aborted) reject(signal.reason);
    else reject(new VirtualNodeError(`${command} failed (exit code ${code}):\n${said.trim()}`));
  });
  return promise;
}

function onlyFile(folder: string, pattern: RegExp): string {
  const [file, ...others] = readdirSync(folder).filter((name) => pattern.test(name));
  if (file === undefined || others.length > 0)
    throw new Error(
      `${folder} has ${others.length + (file === undefined ? 0 : 1)} files like ${pattern}, not one`,
    );
  return file;
}

/** What defines an image; new Debian packages alone do not make a new one. */
function digestOfRecipe(suite: string): string {
  const hash = createHash('sha256').update(JSON.stringify({ suite, mirror, diskSize, packages }));
  for (const name of readdirSync(recipe, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(recipe, name);
    const { mode } = statSync(path);
    hash.update(`${name}\0${mode & 0o111}\0`);
    if (statSync(path).isFile()) hash.update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 16);
}

/** An abstract socket: the kernel lets go of it however the builder ends. */
async function holdBuild(key: string, { onProgress, signal }: BuildOptions): Promise<() => Promise<void>> {
  for (let tries = 0; ; tries++) {
    signal?.throwIfAborted();
    const server = createServer();
    const held = await new Promise<boolean>((resolve) => {
      server
        .once('error', () => resolve(false))
        .listen(`\0cgroup-medic-vm-image-${key}`, () => resolve(true));
    });
    if (held) return () => new Promise((resolve) => server.close(() => resolve()));
    if (tries === 0) onProgress?.('another process makes the image; waiting for it');
    await sleep(500, undefined, signal === undefined ? {} : { signal });
  }
}

/** Removes what builders left that were killed. */
function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = /^unfinished-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
}
