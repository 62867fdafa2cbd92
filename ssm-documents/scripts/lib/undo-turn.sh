#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The turn of an inverse: it stops the treatment of its incident wherever it is, and lets none begin any more.

# Longest wait for a treatment of the same incident that is asked to stop.
STOP_SECONDS=60

# Ends the document when the treatment did not stop in time.
take_undo_turn() {
  leave_tombstone
  wait_for_treatment
}

# Also where nothing is saved: a treatment may have changed nothing yet, or may not even have arrived. Before the lock
# is asked for: a treatment looks for it when it has the lock, so one that gets the lock after us sees it at once, and
# one that has got it before us sees it at its next step.
leave_tombstone() {
  { mkdir -p "${STATE}" && : >"${STATE}/undone" && : >"${STATE}/stop"; } || fail "cannot write to ${STATE}"
}

# If another incident has the lock, ours is not at work: it would have the lock. Nor is there anything to wait for if
# nothing of ours is saved: the tombstone is all there is to do. If something is, we wait until it is gone, or the lock
# free. A lock without a name has only just been taken, perhaps by our own: whoever took it before our tombstone has
# written its name before it looked for that.
wait_for_treatment() {
  local second
  for ((second = 0; second < STOP_SECONDS; second++)); do
    if take_lock 1; then return 0; fi
    read_line "${NODE_STATE}/lock" || true
    if [[ "${VALUE}" == "incident "* && "${VALUE}" != "incident ${SSM_incident},"* && ! -e "${STATE}/saved" ]]; then
      log "${VALUE}, has the lock of this node: nothing of incident ${SSM_incident} is at work or left to restore"
      return 0
    fi
  done
  if [[ "${VALUE}" == "incident ${SSM_incident},"* ]]; then
    fail "the treatment of this incident (${VALUE}) has been asked to stop and has not within ${STOP_SECONDS} s: look at that process, then run this again"
  fi
  refuse_busy
}
