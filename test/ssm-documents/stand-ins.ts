import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Tree } from '../../local/node/recorded-tree.ts';
import { cgroup, type NodeFolder, nodeFolder, smallTree } from './node-folder.ts';

/** The user.slice of a node: a user with a manager and a session. */
export const sessionsTree: Tree = {
  ...smallTree,
  'etc/passwd':
    'root:x:0:0::/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\nbob:x:1001:1001::/home/bob:/bin/bash\n',
  ...sessionCgroup('/user.slice', 'cpu memory pids'),
  ...sessionCgroup('/user.slice/user-1000.slice', 'cpu memory pids'),
  ...sessionCgroup('/user.slice/user-1000.slice/user@1000.service', 'memory pids'),
  ...sessionCgroup('/user.slice/user-1000.slice/session-1.scope', ''),
};

function sessionCgroup(path: string, passesOn: string): Tree {
  return {
    ...cgroup(path, { live: 1, dying: 3, cacheKb: 10 }),
    [`sys/fs/cgroup${path}/cgroup.controllers`]: 'cpu memory pids\n',
    [`sys/fs/cgroup${path}/cgroup.subtree_control`]: `${passesOn}\n`,
    [`sys/fs/cgroup${path}/memory.max`]: 'max\n',
  };
}

export type SystemdNode = NodeFolder & { systemd: StandIns; files(): Record<string, string> };

/** A node whose systemd is a stand-in. */
export function systemdNode(tree: Tree = sessionsTree): SystemdNode {
  const node = nodeFolder(tree);
  const systemd = standIns(node.root);
  systemd.unit('user.slice', {});
  systemd.unit('system.slice', {});
  systemd.unit('systemd-logind.service', { ActiveEnterTimestampMonotonic: '0' });
  systemd.unit('my-agent.service', { Slice: 'system.slice', ActiveState: 'activating', NRestarts: '17' });
  return { ...node, systemd, files: () => filesOf(node.root) };
}

/** What a treatment could change: files with their modes and content, and what systemd has loaded. */
function filesOf(root: string): Record<string, string> {
  const kept = /^(etc|units|sys\/fs\/cgroup|var\/lib\/systemd)(\/|$)/;
  return Object.fromEntries(
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((path) => kept.test(path))
      .sort()
      .map((path) => {
        const stat = lstatSync(join(root, path));
        const content = stat.isFile() ? readFileSync(join(root, path), 'utf8') : '';
        const text = path.startsWith('units/') ? content.split('\n').sort().join('\n') : content;
        return [path, `${(stat.mode & 0o7777).toString(8)} ${text}`];
      }),
  );
}

/**
 * Stand-ins for systemctl and its fellows in a node's folder, for what no real one does on demand: hang, lie, fail.
 * What real ones do is tested on the virtual node.
 *
 * A unit is the file `units/NAME` with a line `Property=value` each; what is not there is not loaded. Every call is
 * written to `calls`. A command named in `hangs` never answers, one in `fails` ends with 1.
 */
export type StandIns = {
  unit(name: string, properties: Record<string, string>): void;
  property(name: string, property: string): string | undefined;
  hang(...commands: string[]): void;
  fail(...commands: string[]): void;
  /** The calls so far that change something, one a line. */
  changes(): string[];
  install(name: string, script: string): void;
};

const preamble = `#!/bin/bash
root="$CGROUP_MEDIC_ROOT"
echo "\${0##*/} $*" >>"$root/calls"
for word in "$@"; do
  if grep -qxs -- "$word" "$root/hangs"; then sleep 300; fi
  if grep -qxs -- "$word" "$root/fails"; then echo "Failed to $word: stand-in" >&2; exit 1; fi
done
`;

const systemctl = `
command="$1"
shift
properties=
while (($#)); do
  case "$1" in
    -p) properties="$2"; shift 2 ;;
    --) shift; break ;;
    -*) shift ;;
    *) break ;;
  esac
done
set_property() { sed -i "/^$2=/d" "$root/units/$1"; printf '%s=%s\\n' "$2" "$3" >>"$root/units/$1"; }
case "$command" in
  show)
    if [[ -z "$1" ]]; then cat "$root/units/manager"; exit; fi
    IFS=, read -ra wanted <<<"$properties"
    for unit in "$@"; do
      if [[ "$unit" != "$1" ]]; then echo; fi
      file="$root/units/$unit"
      if [[ ! -e "$file" ]]; then printf 'Id=%s\\nNames=%s\\nLoadState=not-found\\nActiveState=inactive\\n' "$unit" "$unit"; continue; fi
      for property in "\${wanted[@]}"; do grep "^$property=" "$file" || true; done
    done
    ;;
  daemon-reload)
    # systemd knows every slice, with a file or without.
    for folder in "$root"/etc/systemd/system/*.slice.d; do
      unit="\${folder##*/}"
      unit="\${unit%.d}"
      if [[ -d "$folder" && ! -e "$root/units/$unit" ]]; then printf 'Id=%s\\nLoadState=loaded\\nActiveState=inactive\\n' "$unit" >"$root/units/$unit"; fi
    done
    for file in "$root"/units/*; do
      unit="\${file##*/}"
      [[ "$unit" != manager ]] || continue
      for key in DisableControllers Slice; do
        value="$(sed -n "s/^Before$key=//p" "$file")"
        for conf in "$root/etc/systemd/system/$unit.d"/*.conf; do
          [[ -e "$conf" ]] || continue
          said="$(sed -n "s/^$key=//p" "$conf")"
          value="\${said:-$value}"
        done
        set_property "$unit" "$key" "$value"
      done
    done
    ;;
  stop)
    for unit in "$@"; do
      group="$(sed -n 's/^ControlGroup=//p' "$root/units/$unit")"
      set_property "$unit" ActiveState inactive
      [[ -z "$group" ]] || rm -rf "$root"/sys/fs/cgroup{,/systemd,/memory}"$group"
    done
    ;;
  list-units)
    for file in "$root"/units/*; do
      [[ "\${file##*/}" == manager ]] || printf '%s loaded active running stand-in\\n' "\${file##*/}"
    done
    ;;
esac
`;

const loginctl = `
command="$1"
shift
[[ "$1" != -- ]] || shift
case "$command" in
  enable-linger) mkdir -p "$root/var/lib/systemd/linger"; : >"$root/var/lib/systemd/linger/$1" ;;
  disable-linger) rm -f "$root/var/lib/systemd/linger/$1" ;;
esac
`;

export function standIns(root: string): StandIns {
  const file = (path: string) => join(root, path);
  const put = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(file(path)), { recursive: true });
    writeFileSync(file(path), text);
    chmodSync(file(path), mode);
  };
  const install = (name: string, script: string) => put(`usr/bin/${name}`, preamble + script, 0o755);
  install('systemctl', systemctl);
  install('loginctl', loginctl);
  put('units/manager', 'Version=252.39-1~deb12u1\n');
  for (const folder of ['run/systemd/system', 'etc/systemd/system'])
    mkdirSync(file(folder), { recursive: true });
  return {
    unit: (name, properties) =>
      put(
        `units/${name}`,
        Object.entries({
          Id: name,
          Names: name,
          LoadState: 'loaded',
          ActiveState: 'active',
          // What it is without any drop-in.
          BeforeSlice: properties.Slice ?? '',
          BeforeDisableControllers: properties.DisableControllers ?? '',
          ...properties,
        })
          .map(([key, value]) => `${key}=${value}\n`)
          .join(''),
      ),
    property: (name, property) =>
      readFileSync(file(`units/${name}`), 'utf8')
        .split('\n')
        .findLast((line) => line.startsWith(`${property}=`))
        ?.slice(property.length + 1),
    hang: (...commands) => put('hangs', commands.map((command) => `${command}\n`).join('')),
    fail: (...commands) => put('fails', commands.map((command) => `${command}\n`).join('')),
    changes: () =>
      existsSync(file('calls'))
        ? readFileSync(file('calls'), 'utf8')
            .split('\n')
            .filter((line) => line !== '' && !/^\S+ (show|list|--version)/.test(line))
        : [],
    install,
  };
}
