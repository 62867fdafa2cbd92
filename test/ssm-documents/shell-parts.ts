import { type SpawnSyncReturns, spawnSync } from 'node:child_process';

/** Runs `code` after the named parts of a document, on the node in the folder `root`. */
export function runParts(
  parts: readonly string[],
  code: string,
  { root, env = {} }: { root: string; env?: Record<string, string> },
): SpawnSyncReturns<string> {
  const sources = ['prelude', 'json', ...parts].map((part) => `. ssm-documents/scripts/lib/${part}.sh`);
  return spawnSync('bash', ['-c', [...sources, code].join('\n')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 300_000,
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      CGROUP_MEDIC_ROOT: root,
      ...env,
    },
  });
}
