#!/usr/bin/env bash
# Counts memory cgroups for node_exporter's textfile collector: dying ones, live ones, and scopes without a process.
# usage: cgroup-medic-zombies.sh [DIRECTORY [SECONDS]]
# Once, or every SECONDS: a service that a timer starts again and again leaves a dying cgroup each time, one that stays none.
# Reads only, below /sys/fs/cgroup and /proc. Writes DIRECTORY/cgroup-medic-zombies.prom in one move, or, when it cannot
# count, nothing: then the old file grows old, and CgroupMedicSignalMissing says so. Needs bash 4.2, coreutils, findutils, awk.
set -o errexit -o nounset -o pipefail
shopt -s nullglob
# Bytes, not characters: a cgroup's name need not be valid in any locale.
export LC_ALL=C

DIRECTORY="${1:-/var/lib/node_exporter/textfile_collector}"
SECONDS_BETWEEN="${2:-}"
# Empty on a real node. A test's node is a folder with the same shape.
ROOT="${CGROUP_MEDIC_ROOT:-}"
# A walk over the cgroups of a sick node can take very long.
WALK_SECONDS="${WALK_SECONDS:-30}"

fail() {
  printf 'cgroup-medic-zombies: %s\n' "$*" >&2
  exit 1
}

# Sets HIERARCHY (v1, v2) and MOUNT. Which of the two owns memory decides everything.
find_hierarchy() {
  local top="${ROOT}/sys/fs/cgroup" namespace
  if is_mounted "${top}" cgroup2fs cgroup.controllers; then
    HIERARCHY=v2 MOUNT="${top}"
    [[ " $(<"${top}/cgroup.controllers") " == *' memory '* ]] || fail "${top} is cgroup v2 without the memory controller: nothing to count"
  elif is_mounted "${top}/memory" cgroupfs cgroup.procs; then
    HIERARCHY=v1 MOUNT="${top}/memory"
  else
    fail "${top} is not cgroup v2 and ${top}/memory is not cgroup v1: nothing to count"
  fi
  [[ -z "${ROOT}" ]] || return 0
  # 0xEFFFFFFB is the kernel's fixed inode of the first cgroup namespace.
  namespace="$(readlink /proc/self/ns/cgroup || true)"
  [[ -z "${namespace}" || "${namespace}" == 'cgroup:[4026531835]' ]] ||
    fail "running inside a cgroup namespace (a container), where only part of the tree is visible: run it on the host"
}

is_mounted() {
  if [[ -n "${ROOT}" ]]; then
    [[ -e "$1/$3" ]]
  else
    [[ "$(stat -fc %T "$1" 2>/dev/null)" == "$2" ]]
  fi
}

# $1 of the flat file $2, or nothing where the cgroup has just gone.
field() { awk -v key="$1" '$1 == key { print $2 }' "$2" 2>/dev/null || true; }

is_number() { [[ "$1" =~ ^[0-9]+$ ]]; }

# find with a time limit. That a directory vanishes under it is no error; that it runs out of time is one.
walk() {
  local status=0
  timeout "${WALK_SECONDS}" find "$@" 2>/dev/null || status=$?
  ((status != 124)) || fail "walking $1 took longer than ${WALK_SECONDS} s"
}

# The kernel keeps both counts for every cgroup on v2.
count_v2() {
  local directory slice live dying
  for directory in "${MOUNT}" "${MOUNT}"/*.slice "${MOUNT}"/kubepods; do
    slice="${directory#"${MOUNT}"}"
    live="$(field nr_descendants "${directory}/cgroup.stat")"
    dying="$(field nr_dying_descendants "${directory}/cgroup.stat")"
    if is_number "${live}" && is_number "${dying}"; then
      LIVE+=("${slice:-/} ${live}")
      DYING+=("${slice:-/} ${dying}")
    elif [[ -z "${slice}" ]]; then
      fail "${MOUNT}/cgroup.stat says neither nr_descendants nor nr_dying_descendants"
    fi
  done
}

# All that the kernel has registered, less those that have a directory. Not one moment, so it can come out below zero;
# and only for the whole node: v1 keeps no count per slice.
count_v1() {
  local directories registered dying
  directories="$(walk "${MOUNT}" -type d | wc -l)"
  registered="$(awk '$1 == "memory" { print $3 }' "${ROOT}/proc/cgroups")"
  is_number "${registered}" || fail "${ROOT}/proc/cgroups has no row for memory"
  dying=$((registered > directories ? registered - directories : 0))
  LIVE+=("/ $((directories - 1))")
  DYING+=("/ ${dying}")
}

# Scopes without a process in them or below, per slice.
count_scopes() {
  local directory empty
  for directory in "${MOUNT}"/*.slice; do
    # Assigned first: inside of an array a failure would go unnoticed.
    empty="$("unpopulated_scopes_${HIERARCHY}" "${directory}")"
    SCOPES+=("${directory#"${MOUNT}"} ${empty}")
  done
}

unpopulated_scopes_v2() {
  walk "$1" -type d -name '*.scope' -printf '%p/cgroup.events\0' |
    { xargs -0 -r grep -lxs 'populated 0' || true; } | wc -l
}

# v1 does not say which are populated, so every scope above or at a list with a process in it is.
unpopulated_scopes_v1() {
  {
    walk "$1" -type d -name '*.scope' -printf '%p\n'
    walk "$1" -path '*.scope/*' -name cgroup.procs -print0 | { xargs -0 -r grep -ls . || true; }
  } | awk '
    !/\/cgroup\.procs$/ { scopes[$0]; next }
    { while (sub("/[^/]*$", "")) populated[$0] }
    END { for (scope in scopes) if (!(scope in populated)) n++; print n + 0 }'
}

# $1 metric, $2 what it is, then "SLICE NUMBER" each.
print_metric() {
  local name="$1" entry slice
  printf '# HELP %s %s\n# TYPE %s gauge\n' "${name}" "$2" "${name}"
  shift 2
  for entry in "$@"; do
    slice="${entry% *}"
    # Slices of systemd have backslashes in their names.
    slice="${slice//\\/\\\\}"
    slice="${slice//\"/\\\"}"
    printf '%s{slice="%s"} %s\n' "${name}" "${slice//$'\n'/\\n}" "${entry##* }"
  done
}

if [[ -n "${SECONDS_BETWEEN}" ]]; then
  [[ "${SECONDS_BETWEEN}" =~ ^[1-9][0-9]{0,4}$ ]] || fail "'${SECONDS_BETWEEN}' is no number of seconds from 1 to 99999"
  # One that fails has said why; the next one may not.
  while true; do
    bash "${BASH_SOURCE[0]}" "${DIRECTORY}" || true
    sleep "${SECONDS_BETWEEN}"
  done
fi

LIVE=() DYING=() SCOPES=()
[[ -d "${DIRECTORY}" && -w "${DIRECTORY}" ]] || fail "${DIRECTORY} is no directory to write to: name the one of --collector.textfile.directory"
find_hierarchy
"count_${HIERARCHY}"
count_scopes

# Not *.prom until it is whole, and readable by node_exporter, which is not root.
temporary="$(mktemp "${DIRECTORY}/.cgroup-medic-zombies.XXXXXX")"
trap 'rm -f "${temporary}"' EXIT
{
  print_metric cgroup_medic_dying_memory_cgroups 'Memory cgroups that were removed and are still in the kernel.' "${DYING[@]}"
  print_metric cgroup_medic_live_memory_cgroups 'Memory cgroups that have a directory, the slice itself not counted.' "${LIVE[@]}"
  if ((${#SCOPES[@]} > 0)); then
    print_metric cgroup_medic_unpopulated_scopes 'Scopes that have a directory and no process.' "${SCOPES[@]}"
  fi
} >"${temporary}"
chmod 0644 "${temporary}"
mv -f "${temporary}" "${DIRECTORY}/cgroup-medic-zombies.prom"
trap - EXIT
