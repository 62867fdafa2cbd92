#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The inverse of contain-sessions: removes our drop-in, and passes the memory controller on where it was taken away.

DOCUMENT=release-sessions

main() {
  require_parameters incident dryRun
  one_of dryRun "${SSM_dryRun}" true false
  use_incident contain-sessions "${SSM_incident}"
  lower_priority
  RESTORED=0 REMAINING=0 SKIPPED=''
  if [[ "${SSM_dryRun}" == false ]]; then take_undo_turn; fi
  if [[ -e "${STATE}/saved" ]]; then
    find_hierarchy || fail "${REASON}"
    find_systemd || fail "${REASON}"
    if [[ "${SSM_dryRun}" == false ]]; then remove_unfinished_files; fi
    restore_changes "${SSM_dryRun}"
  fi
  if [[ "${SSM_dryRun}" == false ]]; then rm -f "${STATE}/stop"; fi
  print_undo_result
}

main "$@"
