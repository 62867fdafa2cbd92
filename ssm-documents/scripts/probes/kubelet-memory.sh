#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# What the kubelet holds, for the history. Asks no service: its cgroup names its process.

# Prints resident memory (KiB), start of the process (ticks since boot) and pods, each null where it was not read.
kubelet_sample() {
  local pid rss=null pods=null mount="${ROOT}${MOUNT}"
  local -a fields=() all=()
  if pid="$(kubelet_process)" && read_field "${ROOT}/proc/${pid}/status" VmRSS; then
    rss="${VALUE}"
    # Its name may have blanks and brackets.
    if read_line "${ROOT}/proc/${pid}/stat"; then read -ra fields <<<"${VALUE##*) }"; fi
  fi
  # Pods by the names of their cgroups, with either driver.
  if [[ -d "${mount}/kubepods.slice" || -d "${mount}/kubepods" ]]; then
    all=("${mount}"/kubepods.slice/{,kubepods-*.slice/}kubepods-*pod*.slice/ "${mount}"/kubepods/{,*/}pod*/)
    pods="${#all[@]}"
  fi
  printf '%s %s %s' "${rss}" "${fields[19]:-null}" "${pods}"
}

# In its unit there are helpers as well, such as those that mount volumes. On cgroup v1 a unit may have no memory cgroup; systemd
# always has one of its own.
kubelet_process() {
  local file pid
  for file in "${ROOT}"{"${MOUNT}",/sys/fs/cgroup/systemd}/*.slice/{kubelet,snap.kubelet-eks.daemon}.service/cgroup.procs; do
    while IFS= read -r pid; do
      if read_line "${ROOT}/proc/${pid}/comm" && [[ "${VALUE}" == kubelet ]]; then
        printf '%s' "${pid}"
        return
      fi
    done <"${file}"
  done
  return 1
}
