#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# What a reclaim raised and has not restored, kept on the node so that it can be undone after any kind of death.
#
#     STATE/saved    "boot ID", "run ID", then "low ORIGINAL RAISED /path" lines

boot_id() {
  read_line "${ROOT}/proc/sys/kernel/random/boot_id" || VALUE=unknown
}

# Writes the list of "ORIGINAL RAISED /path" lines on stdin as the saved state of run $1: complete, or not at all.
save_state() {
  mkdir -p "${STATE}" || return 1
  boot_id
  { printf 'boot %s\nrun %s\n' "${VALUE}" "$1" && sed 's/^/low /'; } >"${STATE}/saved.new" || return 1
  # A reboot voids the state anyway.
  sync_file "${STATE}/saved.new"
  mv "${STATE}/saved.new" "${STATE}/saved"
}

# Not "stop" and "undone": whoever restores between two slices has not been asked any less to stop.
clear_state() { rm -f "${STATE}/saved" "${STATE}/saved.new" "${STATE}/switch.sh" "${STATE}/armed"; }
