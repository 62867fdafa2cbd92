#!/usr/bin/env bash
# Makes dying memory cgroups inside a virtual node, on either hierarchy: a worker moves through cgroups of its own,
# leaves a page of a file's cache charged to each, and removes them.
#
#     guest-leak.sh TOP FILES COUNT
#
# TOP: the cgroup they are made in, a folder. FILES: a folder on a real file system. Prints how many were made so far.

set -o errexit -o nounset -o pipefail

readonly top="$1" files="$2" count="$3"
readonly batch_size=200
made=0

main() {
  local root
  mkdir -p "${top}" "${files}"
  # v2 gives the controller to children only when it is handed down.
  if [[ -e "${top}/cgroup.subtree_control" ]]; then printf '+memory' >"${top}/cgroup.subtree_control"; fi
  root=/sys/fs/cgroup
  if [[ -d "${root}/memory" ]]; then root+=/memory; fi
  while ((made < count)); do
    make_batch $((count - made < batch_size ? count - made : batch_size)) "${root}"
    printf '%d\n' "${made}"
  done
  # Pages that are not written yet cannot be reclaimed.
  sync -f "${files}"
}

make_batch() {
  local i
  local -a cgroups=()
  for ((i = made; i < made + $1; i++)); do cgroups+=("${top}/d${i}"); done
  mkdir "${cgroups[@]}"
  for ((i = made; i < made + $1; i++)); do
    printf '%d' "$$" >"${top}/d${i}/cgroup.procs"
    printf 'x' >"${files}/${i}"
  done
  printf '%d' "$$" >"$2/cgroup.procs"
  rmdir "${cgroups[@]}"
  made=$((made + $1))
}

main
