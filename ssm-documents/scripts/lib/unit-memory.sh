#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# In which slice a service starts: the changes that contain-unit makes and release-unit takes back (lib/changes.sh).
#
#     file, directory   the drop-ins of the service and of its slice
#     setting           the slice that systemd has loaded for the service
#     slice             whether the slice of its own is "active" or "inactive"

# What the slice of one service is called, after that of the slice in which it was.
CHURN=cgroupmedic_

# Sets VALUE to the slice in which unit $1 will start next.
value_of_setting() {
  unit_properties "$1" Slice || return 1
  VALUE="${PROPERTY[Slice]:-none}"
}

take_back_setting() {
  reload_systemd && value_of_setting "$1" || return 1
  if [[ "${VALUE}" != "$3" ]]; then return 0; fi
  if ((REMAINING > 0)); then
    REASON='our drop-in is still there'
    return 1
  fi
  REASON="another drop-in than ours says Slice=$3"
  return 2
}

predict_setting() {
  other_drop_in_says "$1" "^[[:blank:]]*Slice=${3//\\/\\\\}[[:blank:]]*\$" || return 0
  REASON="another drop-in than ours says Slice=$3"
  return 2
}

predict_slice() {
  local populated
  populated="$(slice_populated "$1")" || populated=yes
  [[ "${populated}" == yes ]] || return 0
  REASON="${STILL_RUNS}"
  return 2
}

value_of_slice() {
  unit_properties "$1" ActiveState || return 1
  VALUE="${PROPERTY[ActiveState]:-inactive}"
  # It has no file of its own, so it is neither failed nor on its way for long.
  if [[ "${VALUE}" != active ]]; then VALUE=inactive; fi
}

STILL_RUNS='the service still runs in it, and moves back at its next start; the empty slice is gone after the next boot'

# Only an empty slice: stopping it would stop what is in it.
take_back_slice() {
  local populated
  populated="$(slice_populated "$1")" || populated=yes
  if [[ "${populated}" == yes ]]; then
    REASON="${STILL_RUNS}"
    return 2
  fi
  if ask_systemd stop "$1" >&2; then return 0; fi
  REASON="systemctl stop $1 failed"
  return 1
}

# systemd tells processes apart on a hierarchy of its own, or on the only one.
slice_populated() {
  local top path
  unit_properties "$1" ControlGroup || return 1
  path="${PROPERTY[ControlGroup]}"
  if [[ -z "${path}" ]]; then
    echo no
    return
  fi
  for top in "${ROOT}/sys/fs/cgroup" "${ROOT}/sys/fs/cgroup/unified"; do
    if read_field "${top}${path}/cgroup.events" populated; then
      if ((VALUE > 0)); then echo yes; else echo no; fi
      return
    fi
  done
  top="${ROOT}/sys/fs/cgroup/systemd"
  [[ -d "${top}" ]] || return 1
  if [[ -z "$(cat "${top}${path}/cgroup.procs" "${top}${path}"/*/cgroup.procs 2>/dev/null | head -n 1)" ]]; then echo no; else echo yes; fi
}
