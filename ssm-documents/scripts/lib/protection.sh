#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# cgroup v2: shields the living of a slice by memory.low while its dying cgroups are reclaimed.
#
# memory.low is soft: under real pressure it gives way, so it cannot cause an OOM kill. Dying cgroups have none.
# The mount option memory_recursiveprot hands what a cgroup's children do not claim down to them, dying ones too.
# So a child with dying cgroups inside is not shielded as a whole: its own children are, and it gets exactly what
# they use, which leaves nothing to hand down to the dying.

# More live cgroups than this in one slice are not shielded one by one.
MAX_SHIELDED=1000
# Levels of children with dying cgroups inside that are opened.
MAX_OPENED_DEPTH=3

# Sets SHIELDED (paths relative to the mount that hold the living, none inside another) and
# PLAN ("ORIGINAL RAISED /path" lines). Returns 1 with REASON when the slice cannot be protected.
plan_protection() {
  SHIELDED=() PLAN='' REASON=''
  shield_children "$1" 1
}

# Sets USED to the bytes in use by the children of $1.
shield_children() {
  local path="$1" level="$2" child usage sum=0
  local -a children=()
  children=("${ROOT}${MOUNT}${path}"/*/)
  if ((${#children[@]} + ${#SHIELDED[@]} > MAX_SHIELDED)); then
    REASON="it has more than ${MAX_SHIELDED} live cgroups to protect: name slices below it"
    return 1
  fi
  for child in ${children[@]+"${children[@]}"}; do
    child="${child%/}"
    if [[ "${child}" == *$'\n'* || -L "${child}" ]]; then continue; fi
    read_line "${child}/memory.current" || continue
    usage="${VALUE}"
    sum=$((sum + usage))
    if ((level < MAX_OPENED_DEPTH)) && has_dying_and_living "${child}"; then
      shield_children "${child#"${ROOT}${MOUNT}"}" $((level + 1)) || return 1
      plan_raise "${child}" "${USED}"
    elif is_only_dying "${child}"; then
      # All that is charged to it is theirs: it is neither shielded nor counted as living.
      sum=$((sum - usage))
    else
      SHIELDED+=("${child#"${ROOT}${MOUNT}"}")
      plan_raise "${child}" "${RAISED_LOW}"
    fi
  done
  USED="${sum}"
}

has_dying_and_living() {
  read_field "$1/cgroup.stat" nr_dying_descendants && ((VALUE > 0)) || return 1
  read_field "$1/cgroup.stat" nr_descendants && ((VALUE > 0))
}

# Whether dying cgroups are below it, and nothing that lives: no cgroup, and no process, as in the slice of a template
# none of whose units run just now.
is_only_dying() {
  read_field "$1/cgroup.stat" nr_dying_descendants && ((VALUE > 0)) || return 1
  read_field "$1/cgroup.stat" nr_descendants && ((VALUE == 0)) || return 1
  read_field "$1/cgroup.events" populated && ((VALUE == 0))
}

# Adds a line to PLAN. Never lowers a protection.
plan_raise() {
  local wanted="$2"
  read_line "$1/memory.low" || return 0
  if [[ "${VALUE}" == max ]] || ((VALUE >= wanted)); then return 0; fi
  PLAN+="${VALUE} ${wanted} ${1#"${ROOT}${MOUNT}"}"$'\n'
}

# Sets RAISED_LOW: more than any machine has, and recognisably ours, so that a restore never takes somebody else's
# value for it. Not "max": the kernel multiplies it by a page count when it shares it out, and would overflow.
# A multiple of every page size in use.
choose_raised_low() {
  local sum
  sum="$(printf '%s' "$1" | cksum)"
  RAISED_LOW=$(((1 << 50) + (${sum%% *} << 16)))
}

# Raises what PLAN says; save_state and arm_switch have run. Adds to RAISED and NOT_RAISED.
raise_protection() {
  local original raised path file
  while IFS=' ' read -r original raised path; do
    [[ -n "${path}" ]] || continue
    file="${ROOT}${MOUNT}${path}/memory.low"
    # Gone, or written by somebody else since it was saved.
    if ! read_line "${file}" || [[ "${VALUE}" != "${original}" ]] || ! write_value "${file}" "${raised}"; then
      NOT_RAISED=$((NOT_RAISED + 1))
      continue
    fi
    RAISED=$((RAISED + 1))
  done <<<"${PLAN}"
}
