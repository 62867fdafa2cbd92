#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# What a reclaim raised and has not restored, kept on the node so that it can be undone after any kind of death.
#
#     /var/lib/cgroup-medic/reclaim/lock               held while a reclaim or a restore is at work
#     /var/lib/cgroup-medic/reclaim/fencing            "NUMBER INCIDENT", the highest fencing number seen
#     /var/lib/cgroup-medic/reclaim/INCIDENT/saved     "boot ID", "run ID", then "low ORIGINAL RAISED /path" lines
#     /var/lib/cgroup-medic/reclaim/INCIDENT/stop      asks a running reclaim to end
#     /var/lib/cgroup-medic/reclaim/INCIDENT/undone    as stop, and lets none of the incident begin any more

STATE_ROOT="${ROOT}/var/lib/cgroup-medic/reclaim"

use_incident() {
  [[ "$1" =~ ^[A-Za-z0-9_-]{1,80}$ ]] || fail "incident is \"${1:0:80}\": letters, digits, _ and - only, at most 80"
  STATE="${STATE_ROOT}/$1"
}

# One at a time on a node: two would shield and expose each other's cgroups. The kernel drops the lock with its
# holder, however that dies. Children that outlive the document must close descriptor 9.
# Returns 1 when somebody else has held it for $1 seconds.
take_lock() {
  command -v flock >/dev/null || fail "flock is missing on this node (it is part of util-linux)"
  mkdir -p "${STATE_ROOT}" || fail "cannot create ${STATE_ROOT}"
  exec 9>>"${STATE_ROOT}/lock"
  flock -w "$1" 9 || return 1
  printf 'incident %s, pid %s\n' "${SSM_incident}" "$$" >"${STATE_ROOT}/lock"
}

# The same question without taking it.
check_lock() {
  if [[ -e "${STATE_ROOT}/lock" ]] && ! flock -n "${STATE_ROOT}/lock" true; then refuse_busy; fi
}

refuse_busy() {
  local holder=''
  if read_line "${STATE_ROOT}/lock"; then holder=" (${VALUE})"; fi
  fail "another reclaim is at work on this node${holder}: try again when it has ended"
}

boot_id() {
  read_line "${ROOT}/proc/sys/kernel/random/boot_id" || VALUE=unknown
}

# Writes the list of "ORIGINAL RAISED /path" lines on stdin as the saved state of run $1: complete, or not at all.
save_state() {
  mkdir -p "${STATE}" || return 1
  boot_id
  { printf 'boot %s\nrun %s\n' "${VALUE}" "$1" && sed 's/^/low /'; } >"${STATE}/saved.new" || return 1
  # An old sync takes no file and writes everything, which can hang on a sick node. A reboot voids the state anyway.
  timeout 10 sync "${STATE}/saved.new" 2>/dev/null || log "could not sync the saved state"
  mv "${STATE}/saved.new" "${STATE}/saved"
}

# Not "stop" and "undone": whoever restores between two slices has not been asked any less to stop.
clear_state() { rm -f "${STATE}/saved" "${STATE}/saved.new" "${STATE}/switch.sh" "${STATE}/armed"; }

asked_to_stop() { [[ -e "${STATE}/stop" || -e "${STATE}/undone" ]]; }
