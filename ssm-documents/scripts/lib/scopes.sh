#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The scopes of sessions and of systemd-run that nobody needs any more. Those of containers and of users' own managers
# have other names and are never looked at.

# Names per call of systemctl.
BATCH=100

# Prints "NAME<tab>KIND<tab>CGROUP" for each session or run scope that has been for $1 seconds "abandoned" (its maker is
# gone, processes are left in it: counted from when that was, not from the login), or is that old and "empty" (no process
# is left, and systemd has missed it). One that is either, and too young for it or of unknown age, has the KIND "young" or
# "unknown". Returns 1 when systemd does not answer.
stale_scopes() {
  local text name state sub since entered group kind
  local -a names=()
  text="$(ask_systemd list-units --type=scope --all --full --no-legend --plain --no-pager |
    awk '{ for (i = 1; i <= 2; i++) if ($i ~ /^(session-[A-Za-z0-9]+|run-[A-Za-z0-9_-]+)\.scope$/) { print $i; break } }')" || return 1
  if [[ -n "${text}" ]]; then mapfile -t names <<<"${text}"; fi
  while ((${#names[@]} > 0)); do
    text="$(scope_properties "${names[@]:0:BATCH}")" || return 1
    names=("${names[@]:BATCH}")
    while IFS=$'\t' read -r name state sub since entered group; do
      [[ "${state}" == active && "${group}" == /* && "${group}" != *kubepods* ]] || continue
      if ! scope_populated "${group}"; then
        # Nobody is in it, whenever that was.
        kind=empty since="${entered}"
      elif [[ "${sub}" == abandoned ]]; then
        kind=abandoned
      else
        continue
      fi
      tell_age "${since}" "$1"
      if [[ "${AGE}" != old ]]; then kind="${AGE}"; fi
      printf '%s\t%s\t%s\n' "${name}" "${kind}" "${group}"
    done <<<"${text}"
  done
}

# Sets AGE of what was at $1 (microseconds since boot): old from $2 seconds on, young, or unknown, as of an old systemd.
tell_age() {
  AGE=unknown
  [[ "$1" =~ ^[1-9][0-9]{0,17}$ ]] && read_line "${ROOT}/proc/uptime" || return 0
  AGE=young
  if ((10#${VALUE%%.*} - $1 / 1000000 >= $2)); then AGE=old; fi
}

# One line for each unit: systemctl prints the properties in an order of its own, and an empty line between units.
scope_properties() {
  ask_systemd show -p Id,ActiveState,SubState,StateChangeTimestampMonotonic,ActiveEnterTimestampMonotonic,ControlGroup -- "$@" | awk '
    # An empty field would be lost between two tabs.
    function num(name) { return p[name] == "" ? 0 : p[name] }
    function flush() {
      if (p["Id"] != "") print p["Id"] "\t" p["ActiveState"] "\t" p["SubState"] "\t" num("StateChangeTimestampMonotonic") "\t" num("ActiveEnterTimestampMonotonic") "\t" p["ControlGroup"]
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

# More processes of one scope than this are not looked at.
MOST_PROCESSES=1000

# Sets PIDS to the processes of cgroup $1 and of those below it, at most one more than MOST_PROCESSES.
list_processes() {
  local top
  PIDS=()
  for top in "${ROOT}/sys/fs/cgroup/systemd" "${ROOT}/sys/fs/cgroup/unified" "${ROOT}/sys/fs/cgroup"; do
    if [[ -d "${top}$1" ]]; then break; fi
  done
  mapfile -t PIDS < <(list_directories "${top}$1" | awk -v most="${MOST_PROCESSES}" '
    BEGIN { FS = "\n" }
    { file = $0 "/cgroup.procs"; while ((getline pid < file) > 0) if (pid ~ /^[0-9]+$/ && n++ <= most) print pid; close(file) }')
}

# Whether every process of cgroup $1 is of somebody in SSM_processesOf, by whom it was started and by whose rights it runs:
# what root has started in a session (sudo) is not the user's. Returns 1 with REASON, also where it cannot be told.
is_of_named_processes() {
  local pid uid name
  list_processes "$1"
  if ((${#PIDS[@]} > MOST_PROCESSES)); then
    REASON="it has more than ${MOST_PROCESSES} processes: whose they are is not looked at"
    return 1
  fi
  for pid in ${PIDS[@]+"${PIDS[@]}"}; do
    if ! process_users "${pid}"; then
      REASON="whose process ${pid} is cannot be told"
      return 1
    fi
    for uid in "${UIDS[@]}"; do
      name="$(user_name "${uid}")"
      if [[ " ${SSM_processesOf} " != *" ${name} "* ]]; then
        REASON="process ${pid} in it is of ${name:0:32}, who is not named in processesOf"
        return 1
      fi
    done
  done
}

# Sets VALUE to "N processes (of USER USER)" of cgroup $1, of at most MOST_PROCESSES that are looked at.
count_processes() {
  local pid uid name count owners=''
  list_processes "$1"
  count="${#PIDS[@]}"
  for pid in ${PIDS[@]+"${PIDS[@]}"}; do
    process_users "${pid}" || continue
    for uid in "${UIDS[@]}"; do
      name="$(user_name "${uid}")"
      if [[ ", ${owners}, " != *", ${name}, "* ]] && ((${#owners} < 200)); then owners+="${owners:+, }${name}"; fi
    done
  done
  VALUE="${count} process$( ((count == 1)) || printf es)${owners:+ (${owners})}"
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
