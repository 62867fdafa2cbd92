#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The inverse of enable-linger: ends the linger of the users for whom this incident began it, and of no others.

DOCUMENT=disable-linger

main() {
  require_parameters incident dryRun
  one_of dryRun "${SSM_dryRun}" true false
  use_incident enable-linger "${SSM_incident}"
  lower_priority
  RESTORED=0 REMAINING=0 SKIPPED=''
  if [[ "${SSM_dryRun}" == false ]]; then take_undo_turn; fi
  if [[ -e "${STATE}/saved" ]]; then
    find_loginctl || fail "${REASON}"
    restore_changes "${SSM_dryRun}"
  fi
  if [[ "${SSM_dryRun}" == false ]]; then rm -f "${STATE}/stop"; fi
  print_undo_result
}

main "$@"
