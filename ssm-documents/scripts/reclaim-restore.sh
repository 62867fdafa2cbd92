#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The inverse of reclaim: stops a reclaim of this incident wherever it is, lets none begin any more, and restores what
# one raised and could not restore itself.

DOCUMENT=reclaim-restore
# Longest wait for a reclaim of the same incident that is asked to stop.
STOP_SECONDS=60

main() {
  require_parameters incident dryRun
  [[ "${SSM_dryRun}" == true || "${SSM_dryRun}" == false ]] || fail "dryRun is \"${SSM_dryRun:0:40}\": use true or false"
  use_incident "${SSM_incident}"
  lower_priority
  RESTORED=0 REMAINING=0 SKIPPED=''
  if [[ "${SSM_dryRun}" == false ]]; then
    leave_tombstone
    wait_for_reclaim
  fi
  if [[ -e "${STATE}/saved" ]]; then
    find_hierarchy || fail "${REASON}"
    restore_saved "${SSM_dryRun}"
  fi
  if [[ "${SSM_dryRun}" == false ]]; then rm -f "${STATE}/stop"; fi
  report
  ((REMAINING == 0))
}

# Also where nothing is saved: on v1 nothing ever is, and on v2 nothing is before the first slice and between two. The
# reclaim may not even have arrived yet. Before the lock is asked for: a reclaim looks for it when it has the lock, so
# one that gets the lock after us sees it at once, and one that has got it before us sees it at its next step.
leave_tombstone() {
  { mkdir -p "${STATE}" && : >"${STATE}/undone" && : >"${STATE}/stop"; } || fail "cannot write to ${STATE}"
}

# Returns when no reclaim of this incident is at work and what it left can be restored, or fails.
#
# If another incident has the lock, ours is not at work: it would have the lock. Nor is there anything to wait for if
# nothing of ours is saved: the tombstone is all there is to do. If something is, that reclaim restores it before its
# first step (restore_leftovers), so we wait until it is gone, or the lock free. A lock without a name has only just
# been taken, perhaps by our own: whoever took it before our tombstone has written its name before it looked for that.
wait_for_reclaim() {
  local second
  for ((second = 0; second < STOP_SECONDS; second++)); do
    if take_lock 1; then return 0; fi
    read_line "${STATE_ROOT}/lock" || true
    if [[ "${VALUE}" == "incident "* && "${VALUE}" != "incident ${SSM_incident},"* && ! -e "${STATE}/saved" ]]; then
      log "${VALUE}, has the lock of this node: nothing of incident ${SSM_incident} is at work or left to restore"
      return 0
    fi
  done
  if [[ "${VALUE}" == "incident ${SSM_incident},"* ]]; then
    fail "the reclaim of this incident (${VALUE}) has been asked to stop and has not within ${STOP_SECONDS} s: look at that process, then run this again"
  fi
  refuse_busy
}

report() {
  local path reason skipped='' changed=false
  while IFS=$'\t' read -r path reason; do
    [[ -n "${path}" ]] || continue
    # Bounded: one line a cgroup, on a node that may have thousands.
    if ((${#skipped} > 15000)); then break; fi
    json_string "${path:0:500}" && path="${REPLY}"
    json_string "${reason:0:500}" && reason="${REPLY}"
    skipped+="${skipped:+,}{\"path\":${path},\"reason\":${reason}}"
  done <<<"${SKIPPED}"
  if ((RESTORED > 0)) && [[ "${SSM_dryRun}" == false ]]; then changed=true; fi
  printf '{"version":1,"document":"reclaim-restore","changed":%s,"dryRun":%s,"restored":%d,"skipped":[%s],"remaining":%d}\n' \
    "${changed}" "${SSM_dryRun}" "${RESTORED}" "${skipped}" "${REMAINING}"
}

main "$@"
