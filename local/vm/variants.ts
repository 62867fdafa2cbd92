/** What a virtual node can be. */
export type VariantName = 'v2' | 'v1' | '6.12';

export type Variant = {
  /** What it is, in plain words. */
  title: string;
  suite: 'bookworm' | 'trixie';
  /** For the kernel's command line. */
  kernelArguments: readonly string[];
};

export const variants: Readonly<Record<VariantName, Variant>> = {
  v2: {
    title: 'QEMU, Debian 12, kernel 6.1, systemd 252, cgroup v2',
    suite: 'bookworm',
    kernelArguments: ['systemd.unified_cgroup_hierarchy=1'],
  },
  v1: {
    title: 'QEMU, Debian 12, kernel 6.1, systemd 252, cgroup v1',
    suite: 'bookworm',
    // Legacy and not hybrid, as on Amazon Linux 2.
    kernelArguments: ['systemd.unified_cgroup_hierarchy=0', 'systemd.legacy_systemd_cgroup_controller=1'],
  },
  '6.12': {
    title: 'QEMU, Debian 13, kernel 6.12, systemd 257, cgroup v2',
    suite: 'trixie',
    kernelArguments: [],
  },
};

export const variantNames = Object.keys(variants) as readonly VariantName[];

export function isVariantName(name: string): name is VariantName {
  return Object.hasOwn(variants, name);
}
