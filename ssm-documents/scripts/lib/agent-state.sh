#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Whether an agent may start: the changes that disable-agent makes and enable-agent takes back (lib/changes.sh).
#
#     file, directory   the file that forbids the start, and a drop-in that looks for it
#     condition         whether systemd has "loaded" that drop-in, or has it "not"
#     state             whether the unit is "started", "stopped" or "failed"

# A service that is told to stop, or to start, has this long at the most, whatever its own limits are.
SETTLE_SECONDS=100
DROP_IN_PURPOSE=disabled

value_of_condition() {
  unit_properties "$1" DropInPaths || return 1
  VALUE=not
  name_drop_in "$1" "${DROP_IN_PURPOSE}" ''
  if [[ " ${PROPERTY[DropInPaths]} " == *" ${DROP_IN} "* ]]; then VALUE=loaded; fi
}

# For an inverse: our drop-in is gone by now.
take_back_condition() {
  reload_systemd && value_of_condition "$1" || return 1
  if [[ "${VALUE}" == not ]]; then return 0; fi
  if ((REMAINING == 0)); then
    REASON="${THEIRS}"
    return 2
  fi
  REASON='our drop-in is still there'
  return 1
}

THEIRS='the drop-in is changed by somebody else, and is still there'

predict_condition() {
  name_drop_in "$1" "${DROP_IN_PURPOSE}" ''
  if [[ ! -e "${ROOT}${DROP_IN}" || "${GONE}" == *$'\n'"${DROP_IN}"$'\n'* ]]; then return 0; fi
  REASON="${THEIRS}"
  return 2
}

# Sets VALUE to what systemd has of unit $1. One that crash-loops is started: systemd starts it again and again.
state_value() {
  unit_properties "$1" ActiveState || return 1
  case "${PROPERTY[ActiveState]}" in
    active | activating | reloading | refreshing) VALUE=started ;;
    deactivating) VALUE=stopping ;;
    failed) VALUE=failed ;;
    inactive) VALUE=stopped ;;
    *)
      REASON="systemd says that $1 is \"${PROPERTY[ActiveState]:0:40}\""
      return 1
      ;;
  esac
}

# The same, once it has stopped stopping.
value_of_state() {
  local second
  for ((second = 0; second < SETTLE_SECONDS; second++)); do
    state_value "$1" || return 1
    if [[ "${VALUE}" != stopping ]]; then return 0; fi
    sleep 1 9>&-
  done
  REASON="$1 is still stopping after ${SETTLE_SECONDS} s"
  return 1
}

take_back_state() {
  timeout -k 5 "${SETTLE_SECONDS}" "${SYSTEMCTL}" start -- "$1" >&2 9>&- || log "systemctl start $1 did not succeed"
  value_of_state "$1" || return 1
  case "${VALUE}" in
    started) ;;
    failed)
      REASON='it was started again, and has failed: see journalctl'
      return 2
      ;;
    *)
      REASON='it was told to start and is stopped all the same: another condition of its own?'
      return 1
      ;;
  esac
}
