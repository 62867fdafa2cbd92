import { type Fault, shell } from './fault.ts';

const count = 60;
/** Older than the shipped settings want a directory to be before it is removed. */
const age = '2 hours';
const directories = '/sys/fs/cgroup/system.slice/run-leaked*.scope';

/** Directories of scopes that nobody is in and nobody removed, as a container runtime leaves them that was killed. */
export const leakedScopes: Fault = {
  about: `${count} empty directories of scopes in /system.slice, ${age} old, that nobody owns`,
  symptom: {
    what: 'empty scope directories',
    count: async (node) => Number(await shell(node, `ls -d ${directories} 2>/dev/null | wc -l`)),
  },

  async make(node, signal) {
    await shell(
      node,
      `mkdir /sys/fs/cgroup/system.slice/run-leaked{1..${count}}.scope; touch -d '-${age}' ${directories}`,
      signal,
    );
  },

  async end(node) {
    await shell(node, `for folder in ${directories}; do [[ ! -d $folder ]] || rmdir "$folder"; done`);
  },
};
