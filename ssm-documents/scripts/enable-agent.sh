#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The inverse of disable-agent: removes the condition, and starts again what that one stopped.

DOCUMENT=enable-agent

main() {
  require_parameters incident dryRun
  one_of dryRun "${SSM_dryRun}" true false
  use_incident disable-agent "${SSM_incident}"
  lower_priority
  RESTORED=0 REMAINING=0 SKIPPED=''
  if [[ "${SSM_dryRun}" == false ]]; then take_undo_turn; fi
  if [[ -e "${STATE}/saved" ]]; then
    find_systemd || fail "${REASON}"
    if [[ "${SSM_dryRun}" == false ]]; then remove_unfinished_files; fi
    restore_changes "${SSM_dryRun}"
  fi
  if [[ "${SSM_dryRun}" == false ]]; then rm -f "${STATE}/stop"; fi
  print_undo_result
}

main "$@"
