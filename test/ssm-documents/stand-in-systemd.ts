import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { smallTree } from './node-folder.ts';

/**
 * Stand-ins for systemctl and its fellows in a node's folder, for what no real one does on demand: hang, lie, fail, be
 * of another age. What real ones do is tested on the virtual node.
 *
 * A unit is the file `units/NAME` with a line `Property=value` each; what is not there is not loaded. Every call is
 * written to `calls`. A command named in `hangs` never answers, one in `fails` ends with 1.
 */
export type StandIns = {
  unit(name: string, properties: Record<string, string>): void;
  property(name: string, property: string): string | undefined;
  hang(...commands: string[]): void;
  fail(...commands: string[]): void;
  /** Bash that runs instead of `systemctl COMMAND UNIT`; `put KEY VALUE` changes the unit's property. */
  on(command: string, script: string): void;
  /** From now on it speaks as systemd 219 does, which Amazon Linux 2 has. */
  grow219(): void;
  /** The calls so far that change something, one a line. */
  changes(): string[];
  install(name: string, script: string): void;
};

/** Microseconds since boot, so many seconds ago, on a node that has been up for as long as the small one says. */
export function startedSecondsAgo(seconds: number): string {
  const uptime = Number.parseFloat(smallTree['proc/uptime'] ?? '');
  return String(Math.round((uptime - seconds) * 1e6));
}

/** A kubelet as on EKS. */
export const healthyKubelet = {
  SubState: 'running',
  Result: 'success',
  KillMode: 'process',
  MainPID: '777',
  NRestarts: '2',
  WantedBy: 'multi-user.target',
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
shopt -s nullglob
command="$1"
shift
properties=
while (($#)); do
  case "$1" in
    -p) properties="$2"; shift 2 ;;
    --) shift; break ;;
    --no-legend | --plain | --no-pager | --all | --full | --no-block | --type=scope | --job-mode=ignore-dependencies) shift ;;
    # What every systemd from 219 on knows is above; -P and --value came later.
    -*) echo "systemctl: unrecognized option '$1'" >&2; exit 1 ;;
    *) break ;;
  esac
done
# An empty property is one that is not there.
put() { sed -i "/^$1=/d" "$file"; [[ -z "$2" ]] || printf '%s=%s\\n' "$1" "$2" >>"$file"; }
said() { sed -n "s/^$1=//p" "$2"; }
now() { local up; read -r up _ <"$root/proc/uptime"; printf '%s0000' "\${up/./}"; }
run() { put ActiveState active; put SubState running; put MainPID "$((RANDOM + 2))"; put Result success; put ExecMainStartTimestampMonotonic "$(now)"; }
end() {
  local group
  put ActiveState inactive; put SubState dead; put MainPID 0
  group="$(said ControlGroup "$file")"
  [[ -z "$group" ]] || rm -rf "$root"/sys/fs/cgroup{,/systemd,/memory}"$group"
}
forbidden() {
  local conf path
  for conf in "$root/etc/systemd/system/$unit.d/"*.conf; do
    path="$(said 'ConditionPathExists' "$conf")"
    [[ "$path" == '!'* && -e "$root\${path#!}" ]] && return 0
  done
  return 1
}
reload() {
  local folder conf key value said paths
  # systemd knows every slice, with a file or without; one that does nothing and has no file is forgotten.
  for folder in "$root"/etc/systemd/system/*.slice.d; do
    unit="\${folder##*/}"
    unit="\${unit%.d}"
    [[ -e "$root/units/$unit" ]] || printf 'Id=%s\\nLoadState=loaded\\nActiveState=inactive\\nForgotten=yes\\n' "$unit" >"$root/units/$unit"
  done
  for file in "$root"/units/*.*; do
    unit="\${file##*/}"
    folder="$root/etc/systemd/system/$unit.d"
    if [[ ! -d "$folder" ]] && grep -qx Forgotten=yes "$file" && grep -qx ActiveState=inactive "$file"; then rm "$file"; continue; fi
    paths=
    for conf in "$folder"/*.conf; do paths+="\${paths:+ }\${conf#"$root"}"; done
    put DropInPaths "$paths"
    for key in DisableControllers Slice; do
      value="$(said "Before$key" "$file")"
      for conf in "$folder"/*.conf; do
        said="$(said "$key" "$conf")"
        value="\${said:-$value}"
      done
      put "$key" "$value"
    done
  done
}
# systemd 219 leaves out what is empty, and what it does not know.
legacy() { if grep -qx Version=219 "$root/units/manager"; then grep -vE '=$|^(NRestarts|DisableControllers|MemoryMax|MemoryHigh|MemorySwapMax|MemoryMin|MemoryLow|SuccessAction|UpheldBy|ConsistsOf)='; else cat; fi; }
each() {
  for unit in "$@"; do
    file="$root/units/$unit"
    if [[ -e "$root/on/$command" ]]; then (. "$root/on/$command") || exit; else "$action"; fi
  done
}
case "$command" in
  show)
    if [[ -z "$1" ]]; then cat "$root/units/manager"; exit; fi
    IFS=, read -ra wanted <<<"$properties"
    for unit in "$@"; do
      if [[ "$unit" != "$1" ]]; then echo; fi
      file="$root/units/$unit"
      if [[ -e "$root/on/show" ]]; then (. "$root/on/show"); continue; fi
      if [[ ! -e "$file" ]]; then printf 'Id=%s\\nNames=%s\\nLoadState=not-found\\nActiveState=inactive\\n' "$unit" "$unit"; continue; fi
      for property in "\${wanted[@]}"; do grep "^$property=" "$file" | legacy || true; done
    done
    ;;
  daemon-reload) if [[ -e "$root/on/$command" ]]; then . "$root/on/$command"; else reload; fi ;;
  list-units)
    for file in "$root"/units/*.*; do
      mark=
      if grep -qx Version=219 "$root/units/manager"; then mark='  '; fi
      if grep -qx ActiveState=failed "$file"; then mark='● '; fi
      printf '%s%s loaded %s %s stand-in\\n' "$mark" "\${file##*/}" "$(said ActiveState "$file")" "$(said SubState "$file")"
    done
    ;;
  start) start() { if ! forbidden; then run; fi; }; action=start; each "$@" ;;
  stop) action=end; each "$@" ;;
  restart) restart() { end; run; put NRestarts 0; put ActiveEnterTimestampMonotonic "$(now)"; }; action=restart; each "$@" ;;
  reset-failed) reset() { put ActiveState inactive; put SubState dead; put Result success; }; action=reset; each "$@" ;;
  *) echo "Unknown operation $command." >&2; exit 1 ;;
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

/** Puts them into the folder of a node. */
export function standIns(root: string): StandIns {
  const commands = standInsOf(root);
  commands.install('systemctl', systemctl);
  commands.install('loginctl', loginctl);
  mkdirSync(join(root, 'units'), { recursive: true });
  writeFileSync(join(root, 'units/manager'), 'Version=252.39-1~deb12u1\n');
  for (const folder of ['run/systemd/system', 'etc/systemd/system'])
    mkdirSync(join(root, folder), { recursive: true });
  return commands;
}

/** Those that are in the folder already: of a copy. */
export function standInsOf(root: string): StandIns {
  const file = (path: string) => join(root, path);
  const put = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(file(path)), { recursive: true });
    writeFileSync(file(path), text);
    chmodSync(file(path), mode);
  };
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
    on: (command, script) => {
      if (!existsSync(file(`on/${command}`))) put(`on/${command}`, '');
      appendFileSync(file(`on/${command}`), `${script}\n`);
    },
    grow219: () => put('units/manager', 'Version=219\n'),
    changes: () =>
      existsSync(file('calls'))
        ? readFileSync(file('calls'), 'utf8')
            .split('\n')
            .filter((line) => line !== '' && !/^\S+ (show|list|--version)/.test(line))
        : [],
    install: (name, script) => put(`usr/bin/${name}`, preamble + script, 0o755),
  };
}
