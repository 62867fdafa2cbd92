#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The inverse of reclaim: stops a reclaim of this incident wherever it is, lets none begin any more, and restores what
# one raised and could not restore itself.

DOCUMENT=reclaim-restore

main() {
  require_parameters incident dryRun
  [[ "${SSM_dryRun}" == true || "${SSM_dryRun}" == false ]] || fail "dryRun is \"${SSM_dryRun:0:40}\": use true or false"
  use_incident reclaim "${SSM_incident}"
  lower_priority
  RESTORED=0 REMAINING=0 SKIPPED=''
  if [[ "${SSM_dryRun}" == false ]]; then take_undo_turn; fi
  if [[ -e "${STATE}/saved" ]]; then
    find_hierarchy || fail "${REASON}"
    restore_saved "${SSM_dryRun}"
  fi
  if [[ "${SSM_dryRun}" == false ]]; then rm -f "${STATE}/stop"; fi
  report
  ((REMAINING == 0))
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
  SAID=1
  printf '{"version":1,"document":"reclaim-restore","changed":%s,"dryRun":%s,"restored":%d,"skipped":[%s],"remaining":%d}\n' \
    "${changed}" "${SSM_dryRun}" "${RESTORED}" "${skipped}" "${REMAINING}"
}

main "$@"
