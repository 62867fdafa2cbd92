#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The scopes of sessions and of systemd-run that nobody needs any more. Those of containers and of users' own managers
# have other names and are never looked at.

# Names per call of systemctl.
BATCH=100

# Prints "NAME<tab>KIND<tab>CGROUP" for each session or run scope that is older than $1 seconds and "abandoned" (its
# maker is gone, processes are left in it), or "empty" (no process is left, and systemd has missed it). Returns 1 when
# systemd does not answer.
stale_scopes() {
  local text uptime name state sub since group
  local -a names=()
  read_line "${ROOT}/proc/uptime" || return 1
  uptime="${VALUE%%.*}"
  text="$(ask_systemd list-units --type=scope --all --full --no-legend --plain --no-pager |
    awk '{ for (i = 1; i <= 2; i++) if ($i ~ /^(session-[A-Za-z0-9]+|run-[A-Za-z0-9_-]+)\.scope$/) { print $i; break } }')" || return 1
  if [[ -n "${text}" ]]; then mapfile -t names <<<"${text}"; fi
  while ((${#names[@]} > 0)); do
    text="$(scope_properties "${names[@]:0:BATCH}")" || return 1
    names=("${names[@]:BATCH}")
    while IFS=$'\t' read -r name state sub since group; do
      [[ "${state}" == active && "${since}" =~ ^[0-9]{1,18}$ ]] || continue
      ((10#${uptime} - 10#${since} / 1000000 >= $1)) || continue
      [[ "${group}" == /* && "${group}" != *kubepods* ]] || continue
      if ! scope_populated "${group}"; then
        printf '%s\tempty\t%s\n' "${name}" "${group}"
      elif [[ "${sub}" == abandoned ]]; then
        printf '%s\tabandoned\t%s\n' "${name}" "${group}"
      fi
    done <<<"${text}"
  done
}

# One line for each unit: systemctl prints the properties in an order of its own, and an empty line between units.
scope_properties() {
  ask_systemd show -p Id,ActiveState,SubState,ActiveEnterTimestampMonotonic,ControlGroup -- "$@" | awk '
    function flush() {
      if (p["Id"] != "") print p["Id"] "\t" p["ActiveState"] "\t" p["SubState"] "\t" p["ActiveEnterTimestampMonotonic"] "\t" p["ControlGroup"]
      split("", p)
    }
    $0 == "" { flush(); next }
    { at = index($0, "="); p[substr($0, 1, at - 1)] = substr($0, at + 1) }
    END { flush() }'
}

# Whether a process is in cgroup $1 or below it; true where that cannot be told. systemd keeps track on a hierarchy of
# its own (v1), on "unified" (hybrid), or on the only one (v2).
scope_populated() {
  local top
  for top in "${ROOT}/sys/fs/cgroup" "${ROOT}/sys/fs/cgroup/unified"; do
    if [[ -e "${top}/cgroup.controllers" ]]; then
      # No directory, no process.
      [[ -d "${top}$1" ]] || return 1
      if read_field "${top}$1/cgroup.events" populated && ((VALUE == 0)); then return 1; fi
      return 0
    fi
  done
  top="${ROOT}/sys/fs/cgroup/systemd"
  [[ -d "${top}" ]] || return 0
  [[ -d "${top}$1" ]] || return 1
  has_process "${top}$1"
}

# v1: whether a process is in directory $1 or in one below it; true where that cannot be told.
has_process() {
  local answer
  answer="$(list_directories "$1" | awk '
    BEGIN { FS = "\n" }
    { file = $0 "/cgroup.procs"; if ((getline line < file) > 0) found = 1; close(file) }
    END { print found ? "some" : "none" }')" || return 0
  [[ "${answer}" != none ]]
}

# Whether scope $1 is that of a login that is over, as systemd and logind say at this moment. Returns 1 with REASON.
is_over() {
  local id="${1#session-}"
  if [[ "$1" != session-* ]]; then
    REASON='it is not of a login: nobody can be asked whether its processes are needed'
    return 1
  fi
  unit_properties "$1" ActiveState SubState || return 1
  if [[ "${PROPERTY[ActiveState]}/${PROPERTY[SubState]}" != active/abandoned ]]; then
    REASON="it is ${PROPERTY[ActiveState]:0:40} (${PROPERTY[SubState]:0:40}) by now, not abandoned"
    return 1
  fi
  if grep -qsxE 'STATE=(active|online|opening)' "${ROOT}/run/systemd/sessions/${id%.scope}"; then
    REASON='logind says that its login is not over'
    return 1
  fi
}

# Sets VALUE to "N processes (of USER USER)" of cgroup $1, of at most 1000 that are looked at.
count_processes() {
  local top pid count=0
  local -a pids=() folders=()
  for top in "${ROOT}/sys/fs/cgroup/systemd" "${ROOT}/sys/fs/cgroup/unified" "${ROOT}/sys/fs/cgroup"; do
    if [[ -d "${top}$1" ]]; then break; fi
  done
  mapfile -t pids < <(list_directories "${top}$1" | awk '
    BEGIN { FS = "\n" }
    { file = $0 "/cgroup.procs"; while ((getline pid < file) > 0) if (++n <= 1000) print pid; close(file) }')
  for pid in ${pids[@]+"${pids[@]}"}; do
    if [[ "${pid}" =~ ^[0-9]{1,10}$ ]]; then
      count=$((count + 1))
      folders+=("${ROOT}/proc/${pid}")
    fi
  done
  # By number where the node has no name for it.
  VALUE="$({ if ((count > 0)); then stat -c '%U %u' -- "${folders[@]}" 2>/dev/null; fi || true; } | awk -v count="${count}" '
    { name = $1 == "UNKNOWN" ? $2 : $1; if (!(name in seen) && ++n <= 5) text = text (n > 1 ? ", " : "") name; seen[name] = 1 }
    END { print count " process" (count == 1 ? "" : "es") (text == "" ? "" : " (" text (n > 5 ? " and others" : "") ")") }')"
}

# Stops scopes $@ and waits until they are gone, at most as long as systemd itself waits before it kills.
stop_scopes() {
  local second answer
  ask_systemd stop --no-block -- "$@" >&2 || log "systemctl stop ended with $?"
  for ((second = 0; second < 100; second++)); do
    answer="$(ask_systemd show -p ActiveState -- "$@")" || return 0
    if asked_to_stop || [[ "${answer}" != *=active* && "${answer}" != *=deactivating* ]]; then return 0; fi
    sleep 1 9>&-
  done
}
