#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# Who makes and removes memory cgroups: by the kernel's tracepoints, or else by comparing two lists of directories.

# Sets TRACE to a tracing instance of our own with both tracepoints on, or leaves it empty.
churn_start() {
  local folder size=1408 id=0 point
  [[ -z "${ROOT}" && -n "${HIERARCHY}" ]] || return 0
  for folder in /sys/kernel/tracing /sys/kernel/debug/tracing; do
    if [[ -w "${folder}/instances" && -e "${folder}/events/cgroup/cgroup_mkdir" ]]; then break; fi
    folder=''
  done
  [[ -n "${folder}" ]] || return 0
  # The kernel gives a new instance its default buffer, 1.4 MB a CPU, before we can make it smaller: only where that is
  # at most 2 % of what is available.
  if read_line "${folder}/buffer_size_kb" && [[ "${VALUE}" =~ ([0-9]+)\)?$ ]] && ((BASH_REMATCH[1] > size)); then size="${BASH_REMATCH[1]}"; fi
  read_field /proc/meminfo MemAvailable || return 0
  ((size * $(nproc --all) * 50 <= VALUE)) || return 0
  if [[ "${HIERARCHY}" == v1 ]]; then id="$(awk '$1 == "memory" { print $2 }' /proc/cgroups)"; fi
  mkdir "${folder}/instances/cgroup-medic-${BASHPID}" || return 0
  TRACE="${folder}/instances/cgroup-medic-${BASHPID}"
  {
    printf 256 >"${TRACE}/buffer_size_kb"
    for point in mkdir rmdir; do
      # Only the hierarchy that owns memory; on v1 the others have directories of the same names.
      printf 'root == %d' "${id}" >"${TRACE}/events/cgroup/cgroup_${point}/filter"
      printf 1 >"${TRACE}/events/cgroup/cgroup_${point}/enable"
    done
  } || { churn_clean && TRACE=''; }
  clock
  CHURN_STARTED="${NOW_CS}"
}

churn_end() {
  printf 0 >"${TRACE}/tracing_on" || true
  clock
  awk -v window="$(((NOW_CS - CHURN_STARTED) * 10))" -v source=tracepoints "${AWK_TOOLS}${AWK_CHURN}"'
    match($0, /entries-written: [0-9]+\/[0-9]+/) { split(substr($0, RSTART + 17), part, /[ \/]+/); lost = part[2] - part[1] }
    match($0, / cgroup_(mk|rm)dir: root=[0-9]+ id=[0-9]+ level=[0-9]+ path=/) {
      comm = substr($0, 1, RSTART)
      sub(/-[0-9]+ +(\([^)]*\) +)?\[[0-9]+\] .*$/, "", comm)
      sub(/^ +/, "", comm)
      saw(substr($0, RSTART + RLENGTH), substr($0, RSTART + 8, 2) == "mk", comm)
    }
    END { report_churn(lost) }' "${TRACE}/trace" || printf 'churn! cannot read the trace\n'
}

# Removes our instance, and those of runs that were killed. A run that is still at work keeps its own.
churn_clean() {
  local instance
  [[ -z "${ROOT}" ]] || return 0
  for instance in /sys/kernel/tracing/instances/cgroup-medic-* /sys/kernel/debug/tracing/instances/cgroup-medic-*; do
    if [[ "${instance}" == "${TRACE:-}" || ! -d "/proc/${instance##*-}" ]]; then rmdir "${instance}" 2>/dev/null || true; fi
  done
}

AWK_CHURN='
function saw(path, was_made, comm,  kind) {
  # Our own probes are not churn.
  if (path ~ /^\/cgroup-medic-probe-/) return
  kind = pattern(path)
  if (!(kind in all) && ++kinds > 1000) kind = "(others)"
  all[kind]++
  if (was_made) { made++; made_of[kind]++ } else removed++
  if (comm != "" && ++who[kind, comm] > who[kind, maker[kind]] + 0) maker[kind] = comm
}
function report_churn(lost,  n, kind, out) {
  for (n = 0; n < 10 && (kind = largest(all)) != ""; n++) {
    out = out (n ? "," : "") object("path made removed by", quote(kind, 160), made_of[kind] + 0, all[kind] - made_of[kind], quote(maker[kind], 40))
    delete all[kind]
  }
  print "churn " object("source windowMs made removed lost patterns", json(source), int(window), made + 0, removed + 0, lost + 0, "[" out "]")
}
# All directories now. The path of the tree comes from the environment: a shell reads the command.
function list_cgroups(k,  command, line) {
  command = "find \"$TREE_TOP\" -mindepth 1 -type d 2>/dev/null"
  while ((command | getline line) > 0) there[k, line] = 1
  close(command)
}
function listing_churn(  key, part) {
  source = "directories"
  for (key in there) {
    split(key, part, SUBSEP)
    if (!((3 - part[1], part[2]) in there)) saw(substr(part[2], length(ENVIRON["TREE_TOP"]) + 1), part[1] == 2, "")
  }
  report_churn(0)
}'
