import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Image } from './image.ts';
import type { Variant } from './variants.ts';

const cpus = 2;
const memoryMb = 2048;
/**
 * Besides the disk and the console: PSI, and nothing that only costs emulated time. (Mitigations are for a CPU that
 * speculates; retpolines alone double the time of a boot.)
 */
const kernelArguments = [
  ...['root=/dev/vda', 'rw', 'console=ttyS0', 'quiet', 'panic=-1', 'psi=1'],
  ...['mitigations=off', 'nokaslr', 'audit=0', 'apparmor=0'],
  // On a busy host the emulated timer can be too late for the kernel's test of it, which ends in a panic.
  'no_timer_check',
];

export type QemuCommand = { command: string; args: string[]; env: Record<string, string> };

/**
 * QEMU for one node. Its standard input and output are the node's channel, and the file descriptor 3 is where the
 * console is written. Nothing is ever written to the image, and there is no network.
 */
export function qemuCommand(image: Image, variant: Variant): QemuCommand {
  const program = programOf(image);
  return {
    command: program.command,
    env: program.env,
    args: [
      ...program.args,
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-nic', 'none', '-no-reboot'],
      ...acceleration(),
      ...['-smp', String(cpus), '-m', String(memoryMb)],
      ...['-kernel', image.kernel, '-initrd', image.initrd],
      ...['-append', [...kernelArguments, ...variant.kernelArguments].join(' ')],
      ...['-drive', `file=${image.disk},format=raw,if=virtio,snapshot=on,cache=unsafe`],
      ...['-device', 'virtio-serial-pci', '-chardev', 'stdio,id=channel,signal=off'],
      ...['-device', 'virtserialport,chardev=channel,name=org.cgroup-medic.channel'],
      ...['-chardev', 'file,id=console,path=/dev/fd/3', '-serial', 'chardev:console'],
    ],
  };
}

/** Another Debian's QEMU is run by that Debian's own loader, from its folder: nothing of it is installed. */
function programOf({ qemu }: Image): QemuCommand {
  if (qemu === undefined) return { command: 'qemu-system-x86_64', args: [], env: {} };
  const libraries = join(qemu, 'usr/lib/x86_64-linux-gnu');
  return {
    command: join(libraries, 'ld-linux-x86-64.so.2'),
    args: [
      ...['--library-path', libraries, join(qemu, 'usr/bin/qemu-system-x86_64')],
      ...['-L', join(qemu, 'usr/share/qemu'), '-L', join(qemu, 'usr/share/seabios')],
    ],
    env: { QEMU_MODULE_DIR: join(libraries, 'qemu') },
  };
}

/** Emulation, unless the CPU really virtualizes: /dev/kvm can exist and not work. */
function acceleration(): string[] {
  // The least that Debian runs on: every feature more is one more for the emulation, and drivers to load for it.
  const cpu = ['-cpu', 'qemu64,svm=off'];
  const virtualizes = /^flags\s*:.*\b(vmx|svm)\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  return virtualizes && existsSync('/dev/kvm')
    ? ['-accel', 'kvm', '-accel', 'tcg', ...cpu]
    : ['-accel', 'tcg,thread=multi', ...cpu];
}
