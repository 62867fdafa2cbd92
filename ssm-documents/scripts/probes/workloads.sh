#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# Which pods use the memory.

# Top pods by working set: what they use less the page cache that nobody has touched lately.
probe_workloads() {
  need_hierarchy
  local root found='' current=memory.current limit=memory.max idle=inactive_file
  if [[ "${HIERARCHY}" == v1 ]]; then current=memory.usage_in_bytes limit=memory.limit_in_bytes idle=total_inactive_file; fi
  for root in "${ROOT}${MOUNT}"/kubepods*; do found=1; done
  [[ -n "${found}" ]] || missing "no kubepods cgroup: this node runs no pods"
  {
    pod_names
    for root in "${ROOT}${MOUNT}"/kubepods*; do list_directories "${root}" 3; done
  } | awk -v current="/${current}" -v limit="/${limit}" -v idle="${idle}" "${AWK_TOOLS}"'
    take_pod($0) { next }
    # The pod itself, not a container in it.
    /pod[0-9a-f_-]+(\.slice)?$/ && (uid = pod_uid($0)) != "" && ++pods <= 1000 {
      used = num(first($0 current))
      cold = num(field($0 "/memory.stat", idle))
      if (used == "null" || cold == "null") { unread++; next }
      most[uid] = num(first($0 limit))
      # Numbers of a function are text to awk until something is done with them.
      set[uid] = used + 0 > cold + 0 ? used - cold : 0
    }
    END {
      for (n = 0; n < 10 && (uid = largest(set)) != ""; n++) {
        out = out (n ? "," : "") object("pod uid workingSetKb limitKb", quote(pod_name[uid], 320), json(uid), kib(set[uid]), kib(most[uid]))
        delete set[uid]
      }
      print object("pods unread top", pods + 0, unread + 0, "[" out "]")
    }'
}
