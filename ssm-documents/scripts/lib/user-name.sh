#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables

# Prints what the node's own list calls user number $1, or the number.
user_name() {
  awk -F : -v uid="$1" '
    $3 == uid && $1 ~ /^[A-Za-z_][A-Za-z0-9_.-]*$/ { print $1; found = 1; exit }
    END { if (!found) print uid }' "${ROOT}/etc/passwd" 2>/dev/null || printf '%s\n' "$1"
}
