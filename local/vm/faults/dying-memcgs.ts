import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dyingBelow, type Fault, shell } from './fault.ts';

/** Enough to be a fault by the shipped thresholds, and made in some seconds under emulation. */
const leakSize = 2000;
/** Among the slices that reclaim may touch as shipped, beside the node's own services. */
const slice = '/system.slice/cgroup-medic-leak.slice';
/** On kernel 6.1 some 260 of them stay whatever is done, drop_caches included: metadata of the file system. */
const unfreeable = 300;
const shippedFloor = 300;

/** Cgroups that were removed and left a page of a file behind. Nothing makes more. */
export const dyingMemcgs: Fault = {
  about: `a real leak of ${leakSize} dying cgroups in ${slice}`,
  cluster: { thresholds: { dyingFloor: shippedFloor + unfreeable } },
  symptom: dyingBelow(),

  async make(node, signal) {
    await node.write('/run/make-leak', readFileSync(join(import.meta.dirname, '../guest-leak.sh')), 0o755);
    await shell(node, `/run/make-leak /sys/fs/cgroup${slice} /var/tmp/leak ${leakSize}`, signal);
  },

  async end(node) {
    await shell(node, `rmdir /sys/fs/cgroup${slice}; rm -r /var/tmp/leak /run/make-leak`);
  },
};
