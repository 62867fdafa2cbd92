import { type Fault, shell } from './fault.ts';

const count = 60;
/** The least age at which a directory may be removed. The shipped hour is longer than this node has been up. */
const minAgeSeconds = 60;
const directories = '/sys/fs/cgroup/system.slice/run-leaked*.scope';

/** Directories of scopes that nobody is in and nobody removed, as a container runtime leaves them that was killed. */
export const leakedScopes: Fault = {
  about: `${count} empty directories of scopes in /system.slice, a minute old, that nobody owns`,
  cluster: { scopes: { minAgeSeconds } },
  symptom: {
    what: 'empty scope directories',
    count: async (node) => Number(await shell(node, `ls -d ${directories} 2>/dev/null | wc -l`)),
  },

  async make(node, signal) {
    // The kernel's age of a directory counts from when somebody first looked at it.
    await shell(
      node,
      `mkdir /sys/fs/cgroup/system.slice/run-leaked{1..${count}}.scope; stat ${directories} >/dev/null; sleep ${minAgeSeconds + 5}`,
      signal,
    );
  },

  async end(node) {
    await shell(node, `for folder in ${directories}; do [[ ! -d $folder ]] || rmdir "$folder"; done`);
  },
};
