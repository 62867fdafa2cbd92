#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The inverse of reclaim: restores what a reclaim of this incident raised and could not restore itself.

DOCUMENT=reclaim-restore
# Longest wait for a reclaim of the same incident that is asked to stop.
STOP_SECONDS=60

main() {
  require_parameters incident dryRun
  [[ "${SSM_dryRun}" == true || "${SSM_dryRun}" == false ]] || fail "dryRun is \"${SSM_dryRun}\": use true or false"
  use_incident "${SSM_incident}"
  lower_priority
  RESTORED=0 REMAINING=0 SKIPPED=''
  if [[ -e "${STATE}/saved" ]]; then
    find_hierarchy || fail "${REASON}"
    if [[ "${SSM_dryRun}" == false ]]; then
      : >"${STATE}/stop"
      take_lock "${STOP_SECONDS}" "${SSM_incident}"
    fi
    restore_saved "${SSM_dryRun}"
    rm -f "${STATE}/stop"
  fi
  report
  ((REMAINING == 0))
}

report() {
  local path reason skipped='' changed=false
  while IFS=$'\t' read -r path reason; do
    [[ -n "${path}" ]] || continue
    # Bounded: one line a cgroup, on a node that may have thousands.
    if ((${#skipped} > 15000)); then break; fi
    json_string "${path}" && path="${REPLY}"
    json_string "${reason}" && reason="${REPLY}"
    skipped+="${skipped:+,}{\"path\":${path},\"reason\":${reason}}"
  done <<<"${SKIPPED}"
  if ((RESTORED > 0)) && [[ "${SSM_dryRun}" == false ]]; then changed=true; fi
  printf '{"version":1,"document":"reclaim-restore","changed":%s,"dryRun":%s,"restored":%d,"skipped":[%s],"remaining":%d}\n' \
    "${changed}" "${SSM_dryRun}" "${RESTORED}" "${skipped}" "${REMAINING}"
}

main "$@"
