#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Which cgroup version owns memory, where it is mounted, and which cgroups are there.

# Longest time for a walk over all of them: on a sick node it can block.
WALK_SECONDS=15

# Sets HIERARCHY (v1, v2), LAYOUT (unified, hybrid, legacy) and MOUNT (as the node names it, without ROOT).
# Returns 1 with REASON where there is none, or not the node's own.
find_hierarchy() {
  local top="${ROOT}/sys/fs/cgroup"
  HIERARCHY='' LAYOUT='' MOUNT='' REASON=''
  if is_cgroup2 "${top}"; then
    if [[ ! -r "${top}/cgroup.controllers" || " $(<"${top}/cgroup.controllers") " != *' memory '* ]]; then
      REASON="cgroup v2 is mounted on /sys/fs/cgroup without the memory controller (disabled on the kernel command line?)"
      return 1
    fi
    HIERARCHY=v2 LAYOUT=unified MOUNT=/sys/fs/cgroup
  elif is_cgroup1 "${top}/memory"; then
    HIERARCHY=v1 LAYOUT=legacy MOUNT=/sys/fs/cgroup/memory
    if is_cgroup2 "${top}/unified"; then LAYOUT=hybrid; fi
  else
    REASON="no memory hierarchy: /sys/fs/cgroup is not cgroup v2 and /sys/fs/cgroup/memory is not cgroup v1"
    return 1
  fi
  is_whole_hierarchy
}

# A recorded node has no file systems of its own, so there the files decide.
is_cgroup2() {
  if [[ -n "${ROOT}" ]]; then
    [[ -e "$1/cgroup.controllers" ]]
  else
    [[ "$(stat -fc %T "$1" 2>/dev/null)" == cgroup2fs ]]
  fi
}

is_cgroup1() {
  [[ -e "$1/memory.stat" ]] || return 1
  [[ -n "${ROOT}" || "$(stat -fc %T "$1" 2>/dev/null)" == cgroupfs ]]
}

# Inside a container the visible part of the tree is small and the kernel's counters are the whole node's: every
# number would be wrong. 0xEFFFFFFB is the kernel's fixed inode of the first cgroup namespace.
is_whole_hierarchy() {
  local namespace
  [[ -z "${ROOT}" ]] || return 0
  namespace="$(readlink /proc/self/ns/cgroup 2>/dev/null || true)"
  if [[ -n "${namespace}" && "${namespace}" != 'cgroup:[4026531835]' ]]; then
    REASON="running inside a cgroup namespace (a container): only part of the hierarchy is visible"
    return 1
  fi
  if [[ "${HIERARCHY}" == v2 && -e "${MOUNT}/cgroup.events" ]]; then
    REASON="${MOUNT} is not the root of the cgroup hierarchy"
    return 1
  fi
}

# $1 and the directories below it, one a line; at most $2 levels down when that is given.
list_directories() {
  printf '%s\n' "$1"
  if command -v find >/dev/null; then
    # A directory can vanish under the walk: not an error.
    timeout "${WALK_SECONDS}" find "$1" -mindepth 1 ${2:+-maxdepth "$2"} -type d 2>/dev/null 9>&- || (($? != 124))
  else
    list_with_bash "$1" "${2:--1}"
  fi
}

list_with_bash() {
  local path levels="$2"
  ((levels != 0)) || return 0
  for path in "$1"/*/; do
    path="${path%/}"
    [[ -L "${path}" ]] && continue
    printf '%s\n' "${path}"
    list_with_bash "${path}" $((levels - 1))
  done
}
