#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# Begins every document of cgroup-medic. JSON goes to stdout, the log to stderr.
# Needs bash 4.2, coreutils and awk.

set -o errexit -o nounset -o pipefail
shopt -s nullglob
# Bytes, not characters: a cgroup's name need not be valid in any locale.
export LC_ALL=C
export PATH="${PATH:-}${PATH:+:}/usr/sbin:/usr/bin:/sbin:/bin"
umask 077

# Empty on a real node. A recorded node is a folder with the same shape.
ROOT="${CGROUP_MEDIC_ROOT:-}"

# A command that fails where none was expected to ends the document (errexit). Then, too, the caller is told in JSON.
SAID=''
say_unexpected() {
  if (($1 != 0)) && [[ -z "${SAID}" ]]; then
    printf '{"version":1,"document":"%s","error":"a command failed unexpectedly (exit code %d): see the log of this run"}\n' "${DOCUMENT:-unknown}" "$1"
  fi
}
trap 'say_unexpected "$?"' EXIT

log() { printf '%s\n' "$*" >&2; }

# An older SSM agent (before 3.3.2746.0) does not set these variables. Falling back to text would be shell injection.
require_parameters() {
  local name variable
  for name in "$@"; do
    variable="SSM_${name}"
    [[ -n "${!variable+set}" ]] && continue
    fail "parameter ${name} did not arrive as an environment variable: update the SSM agent to 3.3.2746.0 or later"
  done
}

# Ends the document unless parameter $1 with value $2 is one of the others.
one_of() {
  local name="$1" value="$2" allowed
  shift 2
  for allowed in "$@"; do
    if [[ "${value}" == "${allowed}" ]]; then return 0; fi
  done
  fail "${name} is \"${value:0:40}\": use one of $*"
}

# Repairs must not compete with the pods they are for. Idle CPU priority would starve on exactly the nodes that need it.
lower_priority() {
  renice -n 10 -p $$ >/dev/null 2>&1 || log "could not lower the CPU priority"
  ionice -c 3 -p $$ >/dev/null 2>&1 || log "could not lower the IO priority"
}

# Sets VALUE to the first line of a file, or returns 1.
read_line() {
  VALUE=''
  [[ -r "$1" ]] || return 1
  IFS= read -r VALUE 2>/dev/null <"$1" || [[ -n "${VALUE}" ]]
}

# Sets VALUE to the number in the line "KEY NUMBER" (or "KEY: NUMBER kB") of a file, or returns 1.
read_field() {
  local -a lines=()
  local line
  VALUE=''
  [[ -r "$1" ]] || return 1
  mapfile -t lines 2>/dev/null <"$1" || return 1
  for line in ${lines[@]+"${lines[@]}"}; do
    if [[ "${line}" =~ ^"$2":?[[:blank:]]+([0-9]+) ]]; then
      VALUE="${BASH_REMATCH[1]}"
      return 0
    fi
  done
  return 1
}
