#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Restores the protections if the document dies before it has done so itself: no trap runs on SIGKILL.

# Arms the switch for run $1, to act at the latest in $2 seconds. Returns 1 if no way to arm it worked.
# Sets SWITCH to what it is. Two ways where there is systemd: the watcher acts within a second or two, and the timer outlives whatever kills the
# watcher along with the document (a restart of the agent's service, say).
arm_switch() {
  SWITCH=''
  write_switch "$1" || return 1
  if arm_timer "$1" "$2"; then SWITCH=timer; fi
  if arm_watcher "$1" "$2"; then SWITCH="watcher${SWITCH:+ and ${SWITCH}}"; fi
  [[ -n "${SWITCH}" ]]
}

CLEAN_PATH='/usr/sbin:/usr/bin:/sbin:/bin'

# A timer needs no process, and no cgroup unless it fires.
arm_timer() {
  [[ -z "${ROOT}" && -d /run/systemd/system ]] && command -v systemd-run >/dev/null || return 1
  local -a timer=(--unit="cgroup-medic-restore-$1" --on-active="$2s" --timer-property=AccuracySec=1s
    --description="restore the memory protections of cgroup-medic ${SSM_incident}"
    /usr/bin/env -i PATH="${CLEAN_PATH}" bash "${STATE}/switch.sh" now)
  # Before systemd 236 there is no --collect.
  if ! timeout -k 5 20 systemd-run --quiet --collect "${timer[@]}" >&2 9>&- && ! timeout -k 5 20 systemd-run --quiet "${timer[@]}" >&2 9>&-; then
    log "systemd-run did not arm the switch; only the watcher is left"
    return 1
  fi
}

# A session of its own, so that a kill of our process group does not reach it, and none of our descriptors.
arm_watcher() {
  setsid env -i PATH="${CLEAN_PATH}" bash "${STATE}/switch.sh" watch "$$" "$2" </dev/null >/dev/null 2>&1 9>&- &
  disown $! 2>/dev/null || true
  # Until it has left our process group, a kill of the group takes it along.
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    if read_line "${STATE}/armed" && [[ "${VALUE}" == "$1" ]]; then return 0; fi
    sleep 0.05 9>&-
  done
  return 1
}

# The switch has to work without this document: the functions it needs are written beside the saved state.
write_switch() {
  {
    printf '#!/usr/bin/env bash\nshopt -s nullglob\nexport LC_ALL=C\nROOT=%q\nMOUNT=%q\nSTATE=%q\nRUN=%q\n' \
      "${ROOT}" "${MOUNT}" "${STATE}" "$1"
    declare -f log read_line boot_id restore_saved write_value clear_state disarm_switch process_start switch_main
    # shellcheck disable=SC2016 # expanded by the switch
    printf 'switch_main "$@"\n'
  } >"${STATE}/switch.sh.new" && mv "${STATE}/switch.sh.new" "${STATE}/switch.sh"
}

# "now", or "watch PID SECONDS": as soon as that process is gone, at the latest after so many seconds.
switch_main() {
  local mode="$1" pid="${2:-0}" seconds="${3:-0}" started
  if [[ "${mode}" == watch ]]; then
    printf '%s\n' "${RUN}" >"${STATE}/armed"
    process_start "${pid}"
    started="${VALUE}"
    while ((seconds-- > 0)); do
      [[ -e "${STATE}/switch.sh" ]] || return 0
      process_start "${pid}"
      [[ -n "${VALUE}" && "${VALUE}" == "${started}" ]] || break
      sleep 1
    done
  fi
  # Another run of the same incident has saved a state of its own, and has a switch of its own.
  grep -qx "run ${RUN}" "${STATE}/saved" 2>/dev/null || return 0
  restore_saved false
}
