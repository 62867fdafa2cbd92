#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Restarts systemd-logind once, when sessions are stuck in "closing". It keeps its sessions in /run and the scopes are
# systemd's: those who are logged in notice nothing. There is nothing to undo.

DOCUMENT=restart-logind
LOGIND=systemd-logind.service
RESTART_SECONDS=60
ANSWER_SECONDS=30

main() {
  require_parameters minUptimeSeconds incident fencing dryRun
  one_of minUptimeSeconds "${SSM_minUptimeSeconds}" 300 900 3600 21600
  one_of dryRun "${SSM_dryRun}" true false
  use_incident restart-logind "${SSM_incident}"
  lower_priority
  find_loginctl || fail "${REASON}: logind cannot be restarted without it"
  take_turn
  count_sessions
  local before="{\"sessions\":${SESSIONS},\"closing\":${CLOSING}}" open=("${OPEN[@]+"${OPEN[@]}"}") changed=false
  if needs_restart; then
    plan_change restart "${LOGIND}" running restarted
    if [[ "${SSM_dryRun}" == false ]]; then
      restart
      changed=true
    fi
  fi
  count_sessions
  count_gone "${open[@]+"${open[@]}"}"
  print_result "${changed}" "${before}" "{\"sessions\":${SESSIONS},\"closing\":${CLOSING}}" '' ",\"gone\":${GONE}"
}

# Sets SESSIONS, CLOSING and OPEN (the ids of those not closing). From the files that sd-login reads, too: they are
# there when logind does not answer.
count_sessions() {
  local file id
  SESSIONS=0 CLOSING=0 OPEN=()
  for file in "${ROOT}"/run/systemd/sessions/*; do
    # The ".ref" are pipes.
    [[ -f "${file}" ]] || continue
    id="${file##*/}"
    SESSIONS=$((SESSIONS + 1))
    if grep -qx 'STATE=closing' "${file}" 2>/dev/null; then CLOSING=$((CLOSING + 1)); else OPEN+=("${id}"); fi
  done
}

# Sets GONE to how many of these sessions are no more: people log out, so it is a figure and not an error.
count_gone() {
  local id
  GONE=0
  for id in "$@"; do
    if [[ ! -e "${ROOT}/run/systemd/sessions/${id}" ]]; then GONE=$((GONE + 1)); fi
  done
}

# Returns 1 when there is nothing to do, and ends the document when it was done too recently.
needs_restart() {
  local age
  unit_properties "${LOGIND}" LoadState ActiveState ActiveEnterTimestampMonotonic || fail "${REASON}"
  [[ "${PROPERTY[LoadState]}" == loaded ]] || fail "this node has no ${LOGIND} (systemd says: ${PROPERTY[LoadState]:-nothing})"
  if restarted_already "${PROPERTY[ActiveEnterTimestampMonotonic]}"; then
    refuse "${LOGIND}" "incident ${SSM_incident} has had it restarted already"
    return 1
  fi
  if [[ "${PROPERTY[ActiveState]}" == active ]]; then
    if ((CLOSING == 0)); then
      refuse "${LOGIND}" 'no session is closing: nothing to clear'
      return 1
    fi
    read_line "${ROOT}/proc/uptime" || fail 'cannot read /proc/uptime'
    [[ "${PROPERTY[ActiveEnterTimestampMonotonic]}" =~ ^[0-9]{1,18}$ ]] || fail "systemd does not say since when ${LOGIND} runs"
    age=$((10#${VALUE%%.*} - PROPERTY[ActiveEnterTimestampMonotonic] / 1000000))
    if ((age < SSM_minUptimeSeconds)); then
      fail "${LOGIND} was started ${age} s ago, less than minUptimeSeconds (${SSM_minUptimeSeconds}), and ${CLOSING} sessions are closing still: another restart will not clear them. Look at their processes, or use stop-scopes"
    fi
  fi
}

restart() {
  local status=0 second
  mark_restart || fail "cannot write to ${STATE}: nothing was restarted"
  timeout -k 5 "${RESTART_SECONDS}" "${SYSTEMCTL}" restart "${LOGIND}" >&2 9>&- || status=$?
  for ((second = 0; second < ANSWER_SECONDS; second++)); do
    if timeout -k 1 5 "${LOGINCTL}" list-sessions --no-legend --no-pager >/dev/null 2>&1 9>&-; then
      # It looks through its sessions once more when it is up.
      sleep 2 9>&-
      return 0
    fi
    sleep 1 9>&-
  done
  fail "systemctl restart ${LOGIND} ended with ${status}, and logind did not answer within ${ANSWER_SECONDS} s after it: see journalctl -u ${LOGIND}"
}

main "$@"
