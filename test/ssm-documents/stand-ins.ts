import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

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
case "$command" in
  show)
    if [[ -z "$1" ]]; then cat "$root/units/manager"; exit; fi
    IFS=, read -ra wanted <<<"$properties"
    file="$root/units/$1"
    if [[ ! -e "$file" ]]; then printf 'Id=%s\\nNames=%s\\nLoadState=not-found\\nActiveState=inactive\\n' "$1" "$1"; exit; fi
    for property in "\${wanted[@]}"; do grep "^$property=" "$file" || true; done
    ;;
  daemon-reload)
    for file in "$root"/units/*; do
      unit="$(sed -n 's/^Id=//p' "$file")"
      for key in DisableControllers Slice; do
        value=
        for conf in "$root/etc/systemd/system/$unit.d"/*.conf "$root/run/systemd/system/$unit.d"/*.conf; do
          [[ -e "$conf" ]] || continue
          value="$(sed -n "s/^$key=//p" "$conf")"
        done
        before="$(sed -n "s/^Before$key=//p" "$file")"
        sed -i "/^$key=/d" "$file"
        printf '%s=%s\\n' "$key" "\${value:-$before}" >>"$file"
      done
    done
    ;;
  restart | stop | start | reset-failed)
    ;;
  list-units)
    for file in "$root"/units/*; do
      [[ "\${file##*/}" == manager ]] || printf '%s loaded active running stand-in\\n' "\${file##*/}"
    done
    ;;
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
  put('units/manager', 'Version=252.39-1~deb12u1\n');
  for (const folder of ['run/systemd/system', 'etc/systemd/system'])
    mkdirSync(file(folder), { recursive: true });
  return {
    unit: (name, properties) =>
      put(
        `units/${name}`,
        Object.entries({ Id: name, Names: name, LoadState: 'loaded', ActiveState: 'active', ...properties })
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
