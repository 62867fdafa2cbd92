#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Puts back what the saved state of an incident says was raised. The dead man's switch runs these same functions.

# Sets RESTORED, REMAINING and SKIPPED ("PATH<tab>REASON" lines). With $1 = true changes nothing.
# Only a file that still has the value we wrote is ours to restore: a later write by somebody else wins.
restore_saved() {
  local dry_run="$1" kind original raised path file boot run=''
  RESTORED=0 REMAINING=0 SKIPPED=''
  [[ -r "${STATE}/saved" ]] || return 0
  boot_id
  boot="${VALUE}"
  while IFS=' ' read -r kind original raised path; do
    if [[ "${kind}" == boot && "${original}" != "${boot}" ]]; then
      log "the node has been restarted since: its protections are already what they were"
      break
    fi
    if [[ "${kind}" == run ]]; then run="${original}"; fi
    [[ "${kind}" == low ]] || continue
    file="${ROOT}${MOUNT}${path}/memory.low"
    # The cgroup is gone, and its protection with it.
    read_line "${file}" || continue
    [[ "${VALUE}" != "${original}" ]] || continue
    if [[ "${VALUE}" != "${raised}" ]]; then
      SKIPPED+="${path}"$'\t'"memory.low is ${VALUE} now, written by somebody else; it was ${original}"$'\n'
      continue
    fi
    if [[ "${dry_run}" == true ]]; then
      RESTORED=$((RESTORED + 1))
    elif write_value "${file}" "${original}"; then
      RESTORED=$((RESTORED + 1))
    elif [[ -e "${file}" ]]; then
      REMAINING=$((REMAINING + 1))
      log "could not restore ${file} to ${original}"
    fi
  done <"${STATE}/saved"
  if [[ "${dry_run}" != true ]] && ((REMAINING == 0)); then
    # A run that has begun meanwhile has saved a state of its own.
    if [[ -n "${run}" ]] && ! grep -qx "run ${run}" "${STATE}/saved" 2>/dev/null; then return 0; fi
    clear_state
    disarm_switch "${run}"
  fi
}

# Stops the timer of run $1. A watcher ends by itself when the saved state is gone.
disarm_switch() {
  if [[ -n "$1" && -z "${ROOT}" && -d /run/systemd/system ]]; then
    systemctl stop "cgroup-medic-restore-$1.timer" >/dev/null 2>&1 || true
  fi
}

# Both the open and the write can fail: the cgroup may go away at any moment.
write_value() { { printf '%s\n' "$2" >"$1"; } 2>/dev/null; }
