#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# What dying cgroups hold, and how many there are.

# Reads memory.stat of slice $1 and of the living in it ($2…, paths relative to the mount) and sets, in KiB, what
# belongs to none of the living: GHOST_KB (page cache), FREEABLE_KB (of that, what a reclaim could free), SHMEM_KB,
# DIRTY_KB, MAPPED_KB, UNEVICTABLE_KB. Returns 1 when the slice's own file cannot be read.
read_ghosts() {
  local slice="$1" line
  shift
  line="$(printf '%s\n' "${slice}" "$@" | awk -v hierarchy="${HIERARCHY}" -v top="${ROOT}${MOUNT}" '
    function subtract(path, first,  file, line, pair, found) {
      file = top path "/memory.stat"
      while ((getline line < file) > 0) {
        found = 1
        split(line, pair, " ")
        if (hierarchy == "v2") add(pair[1], first ? pair[2] : -pair[2])
        else if (pair[1] ~ /^total_/) add(substr(pair[1], 7), first ? pair[2] : -pair[2])
        else if (first) add(pair[1], -pair[2])
      }
      close(file)
      return found
    }
    function add(key, bytes) { if (key in name) sum[name[key]] += bytes }
    function kb(key) { return sprintf("%d", sum[key] > 0 ? sum[key] / 1024 : 0) }
    BEGIN {
      name["file"] = name["cache"] = "cache"
      name["shmem"] = "shmem"
      name["dirty"] = name["file_dirty"] = "dirty"
      name["mapped_file"] = name["file_mapped"] = "mapped"
      name["unevictable"] = "unevictable"
    }
    { if (!subtract($0, NR == 1) && NR == 1) exit 1 }
    END {
      if (NR < 1) exit 1
      freeable = sum["cache"] - (sum["shmem"] > 0 ? sum["shmem"] : 0)
      print kb("cache"), sprintf("%d", freeable > 0 ? freeable / 1024 : 0), kb("shmem"), kb("dirty"), kb("mapped"), kb("unevictable")
    }')" || return 1
  read -r GHOST_KB FREEABLE_KB SHMEM_KB DIRTY_KB MAPPED_KB UNEVICTABLE_KB <<<"${line}"
  [[ -n "${UNEVICTABLE_KB}" ]]
}

# Sets DYING to the dying cgroups below path $1 ('' for the node), or to null where the kernel has no such count. On v1
# also LIVING, the directories of the node.
count_dying() {
  DYING=null
  if [[ "${HIERARCHY}" == v2 ]]; then
    if read_field "${ROOT}${MOUNT}$1/cgroup.stat" nr_dying_descendants; then DYING="${VALUE}"; fi
  elif [[ -z "$1" ]]; then
    local registered
    registered="$(registered_cgroups)" || return 0
    LIVING="$(list_directories "${ROOT}${MOUNT}" | awk 'END { print NR }')" || return 0
    [[ -n "${registered}" ]] || return 0
    DYING=$((registered > LIVING ? registered - LIVING : 0))
  fi
}

# v1: every memory cgroup the kernel still knows, dying ones included.
registered_cgroups() { awk '$1 == "memory" { print $3 }' "${ROOT}/proc/cgroups" 2>/dev/null; }

# Waits, at most $1 seconds, until the count has stopped falling: what was reclaimed last goes away last.
wait_for_dying() {
  local last second
  known_cgroups
  for ((second = 0; second < $1; second++)); do
    last="${VALUE}"
    sleep 1 9>&-
    known_cgroups
    if ((second > 0 && VALUE >= last)); then break; fi
  done
}

# Sets VALUE to a count that falls when dying cgroups go, without a walk over the living ones.
known_cgroups() {
  if [[ "${HIERARCHY}" == v1 ]]; then
    VALUE="$(registered_cgroups)" || VALUE=0
  else
    count_dying ''
    VALUE="${DYING}"
  fi
}

# Sets VALUE to the page cache of the node, in KiB.
cached_kb() { read_field "${ROOT}/proc/meminfo" Cached || VALUE=0; }
