#!/usr/bin/env bash
# Makes dying memory cgroups (cgroup v1): a worker moves through cgroups of its own, leaves a page of a file's cache
# charged to each, and removes them.
#
#     make-leak.sh TOP FILES COUNT PER_SECOND OWNER
#
# TOP: the cgroup they are made in. FILES: a folder on a real file system. PER_SECOND: go on making so many after COUNT
# (0: end). OWNER: end when this process is gone. Prints how many were made so far, a line per batch.

set -o errexit -o nounset -o pipefail

readonly top="$1" files="$2" count="$3" per_second="$4" owner="$5"
readonly batch_size=200
made=0

main() {
  while ((made < count)); do
    make_batch $((count - made < batch_size ? count - made : batch_size))
    printf '%d\n' "${made}"
  done
  # Pages that are not written yet cannot be reclaimed.
  sync -f "${files}"
  printf 'done\n'
  while ((per_second > 0)); do
    make_batch "${per_second}"
    sync -f "${files}"
    printf '%d\n' "${made}"
    sleep 1
  done
}

make_batch() {
  local i
  local -a cgroups=()
  [[ -d "/proc/${owner}" ]] || exit 0
  for ((i = made; i < made + $1; i++)); do cgroups+=("${top}/d${i}"); done
  mkdir "${cgroups[@]}"
  for ((i = made; i < made + $1; i++)); do
    printf '%d' "$$" >"${top}/d${i}/cgroup.procs"
    printf 'x' >"${files}/${i}"
  done
  printf '%d' "$$" >"${top}/cgroup.procs"
  rmdir "${cgroups[@]}"
  made=$((made + $1))
}

main
