#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Whether sessions get memory cgroups of their own: the changes that contain-sessions makes and release-sessions
# takes back (lib/changes.sh).
#
#     file, directory   the drop-in
#     setting           what systemd has loaded of it: "without memory" or "with memory"
#     controllers       cgroup v2: whether a cgroup passes the memory controller on to its children: "+memory" or "-memory"

SESSIONS=user.slice

# Sets VALUE to whether systemd lets the children of user.slice have the memory controller.
value_of_setting() {
  unit_properties "${SESSIONS}" DisableControllers || return 1
  VALUE='with memory'
  if [[ " ${PROPERTY[DisableControllers]} " == *' memory '* ]]; then VALUE='without memory'; fi
}

take_back_setting() {
  reload_systemd || return 1
  value_of_setting || return 1
  [[ "${VALUE}" == 'without memory' ]] || return 0
  if ((REMAINING > 0)); then
    REASON='our drop-in is still there'
    return 1
  fi
  STILL_OFF=1
  REASON="${KEPT_OFF}"
  return 2
}

KEPT_OFF='another drop-in than ours turns the memory controller off'

predict_setting() {
  other_drop_in_says "$1" '^[[:blank:]]*DisableControllers=(.* )?memory( |$)' || return 0
  STILL_OFF=1
  REASON="${KEPT_OFF}"
  return 2
}

predict_controllers() {
  [[ -n "${STILL_OFF:-}" ]] || return 0
  REASON='another drop-in than ours keeps it off'
  return 2
}

value_of_controllers() {
  if ! read_line "${ROOT}${MOUNT}$1/cgroup.subtree_control"; then
    # An empty file: it passes nothing on.
    if [[ ! -e "${ROOT}${MOUNT}$1/cgroup.subtree_control" ]]; then return 3; fi
  fi
  if [[ " ${VALUE} " == *' memory '* ]]; then VALUE=+memory; else VALUE=-memory; fi
}

take_back_controllers() {
  local file="${ROOT}${MOUNT}$1/cgroup.controllers"
  if [[ -n "${STILL_OFF:-}" ]]; then
    REASON='another drop-in than ours keeps it off'
    return 2
  fi
  if write_controllers "$1" +memory || [[ ! -d "${ROOT}${MOUNT}$1" ]]; then return 0; fi
  # A session that began while contained: nothing was turned off here.
  if read_line "${file}" && [[ " ${VALUE} " != *' memory '* ]]; then
    REASON='it has no memory controller to pass on: it is newer than the containment'
    return 2
  fi
  REASON='the kernel does not take +memory'
  return 1
}

# In a child with a time limit: on a sick node the write can block.
write_controllers() {
  printf '%s\n' "$2" | timeout -k 5 10 tee "${ROOT}${MOUNT}$1/cgroup.subtree_control" >/dev/null 2>&1 9>&-
}
