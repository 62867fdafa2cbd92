#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables

# Prints what the node's own list calls user number $1, or the number.
user_name() {
  awk -F : -v uid="$1" '
    $3 == uid && $1 ~ /^[A-Za-z_][A-Za-z0-9_.-]*$/ { print $1; found = 1; exit }
    END { if (!found) print uid }' "${ROOT}/etc/passwd" 2>/dev/null || printf '%s\n' "$1"
}

# Sets UIDS to the numbers of who has started process $1, and of whose rights it has where those are others. Returns 1
# when that cannot be told.
process_users() {
  local -a lines=()
  local line
  UIDS=()
  mapfile -t lines 2>/dev/null <"${ROOT}/proc/$1/status" || return 1
  for line in ${lines[@]+"${lines[@]}"}; do
    if [[ "${line}" =~ ^Uid:[[:blank:]]+([0-9]{1,10})[[:blank:]]+([0-9]{1,10}) ]]; then
      UIDS=("${BASH_REMATCH[1]}")
      if [[ "${BASH_REMATCH[2]}" != "${BASH_REMATCH[1]}" ]]; then UIDS+=("${BASH_REMATCH[2]}"); fi
      return 0
    fi
  done
  return 1
}
