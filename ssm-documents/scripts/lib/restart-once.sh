#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# One restart of a unit for an incident, however often the command is delivered.

# Whether the unit, which was started at $1, has started since this incident was about to restart it. A run that was
# killed in between has restarted nothing, and this one goes on.
restarted_already() {
  read_line "${ROOT}/proc/sys/kernel/random/boot_id" || VALUE=unknown
  MARK="boot ${VALUE} started $1"
  read_line "${STATE}/restart" && [[ "${VALUE}" != "${MARK}" ]]
}

# Before it is restarted.
mark_restart() { printf '%s\n' "${MARK}" >"${STATE}/restart.new" && mv "${STATE}/restart.new" "${STATE}/restart"; }
