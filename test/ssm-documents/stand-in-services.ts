import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type StandIns, standIns } from './stand-ins.ts';

export type StandInServices = StandIns & {
  /** Bash that runs instead of `systemctl COMMAND UNIT`; `put KEY VALUE` changes the unit's property. */
  on(command: string, script: string): void;
};

/** Microseconds since boot, so many seconds ago. */
export function startedSecondsAgo(seconds: number): string {
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  return String(Math.round((uptime - seconds) * 1e6));
}

const systemctl = `
shopt -s extglob
put() { sed -i "/^$1=/d" "$file"; printf '%s=%s\\n' "$1" "$2" >>"$file"; }
now() { local up; read -r up _ </proc/uptime; printf '%s0000' "\${up/./}"; }
run() { put ActiveState active; put SubState running; put MainPID "$((RANDOM + 2))"; put Result success; put ExecMainStartTimestampMonotonic "$(now)"; }
end() { put ActiveState inactive; put SubState dead; put MainPID 0; }
forbidden() { grep -qsx 'ConditionPathExists=!.*' "$root/etc/systemd/system/$unit.d/"*.conf && [[ -e "$root$(sed -n 's/^ConditionPathExists=!//p' "$root/etc/systemd/system/$unit.d/"*.conf)" ]]; }
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
unit="$1"
if [[ "$command" == daemon-reload ]]; then
  for file in "$root"/units/*.*; do
    paths="$(cd "$root" && printf '/%s ' "etc/systemd/system/\${file##*/}.d/"*.conf)"
    [[ "$paths" != *'*'* ]] || paths=
    put DropInPaths "$paths"
  done
  exit
fi
if [[ "$command" == +(start|stop) ]] && (($# > 1)); then
  for unit in "$@"; do "$0" "$command" "$unit"; done
  exit
fi
file="$root/units/$unit"
if [[ -e "$root/on/$command" ]]; then . "$root/on/$command"; exit; fi
case "$command" in
  show)
    if [[ -z "$unit" ]]; then cat "$root/units/manager"; exit; fi
    if [[ ! -e "$file" ]]; then printf 'Id=%s\\nNames=%s\\nLoadState=not-found\\nActiveState=inactive\\n' "$unit" "$unit"; exit; fi
    IFS=, read -ra wanted <<<"$properties"
    for property in "\${wanted[@]}"; do grep "^$property=" "$file" || true; done
    ;;
  start) if ! forbidden; then run; fi ;;
  stop) end ;;
  restart) end; run; put NRestarts 0 ;;
  reset-failed) put ActiveState inactive; put SubState dead; put Result success ;;
esac
`;

/** Stand-ins as in stand-ins.ts, with services that start, stop and have conditions. */
export function standInServices(root: string): StandInServices {
  const commands = standIns(root);
  commands.install('systemctl', systemctl);
  return {
    ...commands,
    on: (command, script) => {
      const file = join(root, 'on', command);
      mkdirSync(dirname(file), { recursive: true });
      if (!existsSync(file)) writeFileSync(file, '');
      appendFileSync(file, `${script}\n`);
    },
  };
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
