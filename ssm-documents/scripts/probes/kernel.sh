#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# Whether the kernel still makes memory cgroups, and whether it charges its own memory to them.

# Kernel memory charged to cgroups is one more thing that keeps dying ones alive.
probe_kmem() {
  need_hierarchy
  local accounting='"on"' file="${ROOT}${MOUNT}"
  if read_line "${ROOT}/proc/cmdline" && [[ " ${VALUE} " =~ [\ ,=]nokmem[\ ,] ]]; then accounting='"off"'; fi
  if [[ "${HIERARCHY}" == v1 ]]; then
    read_line "${file}/memory.kmem.usage_in_bytes" || missing "no memory.kmem.usage_in_bytes: this kernel does not say"
  else
    # "kernel" since 5.18; before it, slab is most of it.
    read_field "${file}/memory.stat" kernel || read_field "${file}/memory.stat" slab || missing "no kernel memory in memory.stat on this kernel"
  fi
  number "${VALUE}" 1024
  object accounting "${accounting}" usageKb "${REPLY}"
}

# Removes what a probe has left that was killed.
clean_mkdir_probes() {
  local path
  for path in "${ROOT}${MOUNT}/cgroup-medic-probe"-*; do
    if [[ ! -d "/proc/${path##*-}" ]]; then rmdir "${path}"/*/ "${path}" || true; fi
  done
}

# Makes up to 20 memory cgroups, stops at the first that cannot be made, and removes them all.
probe_mkdir() {
  need_hierarchy whole
  local made=0 text='' errno path
  # Of an earlier run that was killed.
  clean_mkdir_probes
  # Not local: the trap needs it.
  top="${ROOT}${MOUNT}/cgroup-medic-probe-${BASHPID}" CODE=2
  trap 'rmdir "${top}"/*/ "${top}" || true; printf "\n%d" "${CODE}"' EXIT
  for path in "${top}" "${top}"/{1..19}; do
    # The second try is for its words.
    mkdir "${path}" || text="$(mkdir "${path}" 2>&1)" || break
    text='' made=$((made + 1))
    # Its children are memory cgroups only where the controller is on below it.
    if ((made == 1)) && [[ -e "${top}/cgroup.subtree_control" ]]; then printf '+memory' >"${top}/cgroup.subtree_control" || true; fi
  done
  case "${text}" in
    '') errno=null ;;
    *'No space left on device') errno='"ENOSPC"' ;;
    *'Cannot allocate memory') errno='"ENOMEM"' ;;
    *'Permission denied') errno='"EACCES"' ;;
    *'Read-only file system') errno='"EROFS"' ;;
    *) errno='"other"' ;;
  esac
  object made "${made}" errno "${errno}"
  CODE=0
}
