#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# An inverse: takes back what treatment $1 has kept of its changes for this incident (lib/changes.sh). The further
# arguments are functions that find what is needed for that, where something is kept.
undo_changes() {
  local find
  require_parameters incident dryRun
  one_of dryRun "${SSM_dryRun}" true false
  use_incident "$1" "${SSM_incident}"
  shift
  lower_priority
  RESTORED=0 REMAINING=0 SKIPPED=''
  if [[ "${SSM_dryRun}" == false ]]; then take_undo_turn; fi
  if [[ -e "${STATE}/saved" ]]; then
    for find in "$@"; do "${find}" || fail "${REASON}"; done
    if [[ "${SSM_dryRun}" == false ]]; then remove_unfinished_files; fi
    restore_changes "${SSM_dryRun}"
  fi
  if [[ "${SSM_dryRun}" == false ]]; then rm -f "${STATE}/stop"; fi
  print_undo_result
}
