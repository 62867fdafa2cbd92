import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRoot } from './node-folder.ts';

export const canMount = isRoot && spawnSync('unshare', ['-m', 'true']).status === 0;

const folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-sick-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** The environment in which bash first runs this, and then the document: functions in place of commands, say. */
export function first(code: string): Record<string, string> {
  const file = join(mkdtempSync(join(folder, 'hook-')), 'hook.sh');
  writeFileSync(file, `[[ "$0" == *_script_0.sh ]] || return 0\n${code}\n`);
  return { BASH_ENV: file };
}

/** A document sees the mounts that `code` makes in `$root`, and nobody else does; what it has in /etc then is in `etc-then`. */
function mounted(code: string): Record<string, string> {
  return first(`if [[ -z "\${MOUNTED:-}" ]]; then
  export MOUNTED=1 root="$CGROUP_MEDIC_ROOT"
  exec unshare -m bash -c '${code.replaceAll("'", "'\\''")}
status=0
bash "$0" || status=$?
(cd "$root/etc" && find .) >"$root/etc-then"
exit "$status"' "$0"
  exit 1
fi`);
}

/** A folder of the node (as the node names it) on a file system that is read-only. */
export function readOnly(path: string): Record<string, string> {
  return mounted(`mount --bind "$root${path}" "$root${path}"; mount -o remount,bind,ro "$root${path}"`);
}

/** A folder of the node on a disk of its own, with nothing free. */
export function fullDisk(path: string): Record<string, string> {
  return mounted(
    `held="$(mktemp -d "$root/held-XXXXXX")"
cp -a "$root${path}/." "$held"
mount -t tmpfs -o size=256k,mode=0700 none "$root${path}"
cp -a "$held/." "$root${path}"
rm -rf "$held"
cat /dev/zero >"$root${path}/fill" 2>/dev/null`,
  );
}
