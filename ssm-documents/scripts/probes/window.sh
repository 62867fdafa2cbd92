#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# What changes while we watch. One window for all: every counter is read before and after the same sleep.

watch_window() {
  WINDOW='' TRACE=''
  if [[ "${SSM_windowSeconds}" != 0 || "${SSM_profile}" == full ]]; then
    run_bounded $((SSM_windowSeconds * 100 + 300)) window_job
    WINDOW="${REPLY}"
    # Also when the watch itself was killed.
    churn_clean
  fi
  add_probe reclaim window_fact
  if [[ "${SSM_profile}" == full ]]; then
    add_probe throttling window_fact
    add_probe load window_fact
    add_probe churn window_fact
  fi
}

# Prints a line "NAME JSON", "NAME! REASON" or "NAME? REASON" (missing) for reclaim, throttling, load and churn.
window_job() {
  local cpu='' folder listing=''
  if [[ "${SSM_profile}" == full ]]; then
    cpu_mount
    cpu="${ROOT}${REPLY}"
    if [[ "${SSM_windowSeconds}" != 0 && -n "${HIERARCHY}" ]]; then
      trap 'churn_clean; printf "\n%d" "$?"' EXIT
      churn_start
      if [[ -z "${TRACE}" ]]; then listing=1; fi
    fi
  fi
  if [[ -n "${cpu}" ]]; then
    pod_names
    # Pods first: the list is cut at some length.
    for folder in "${cpu}"/kubepods*; do list_directories "${folder}" 4; done
    list_directories "${cpu}" 2
    printf 'process %s\n' "${ROOT}"/proc/[0-9]*
  fi | TREE_TOP="${ROOT}${MOUNT}" awk -v root="${ROOT}" -v cpu="${cpu}" -v seconds="${SSM_windowSeconds}" -v listing="${listing}" \
    "${AWK_TOOLS}${AWK_CHURN}${AWK_WINDOW}"
  if [[ -n "${TRACE}" ]]; then churn_end; fi
}

# Sets REPLY to the mount of the controller that throttles, as the node names it.
cpu_mount() {
  REPLY="${MOUNT:-/sys/fs/cgroup}"
  [[ "${HIERARCHY}" != v2 ]] || return 0
  for REPLY in /sys/fs/cgroup/cpu,cpuacct /sys/fs/cgroup/cpu; do
    if [[ -d "${ROOT}${REPLY}" ]]; then return; fi
  done
}

AWK_WINDOW='
function moved(name) { return counter[2, name] > counter[1, name] ? counter[2, name] - counter[1, name] : 0 }
# Counters of the kernel, under their own names; those that come per zone or per CPU under one.
function read_counters(k,  line, pair, file, i) {
  file = root "/proc/vmstat"
  while ((getline line < file) > 0) {
    split(line, pair, " ")
    counter[k, pair[1]] = pair[2]
    if (pair[1] ~ /^allocstall/) counter[k, "stalls"] += pair[2]
    counter[k, "vmstat"] = 1
  }
  close(file)
  if (split(first(root "/proc/stat"), pair, " ") > 8) {
    counter[k, "system"] = pair[4] + pair[7] + pair[8]
    counter[k, "iowait"] = pair[6]
    for (i = 2; i <= 9; i++) counter[k, "ticks"] += pair[i]
  }
  if (split(first(root "/proc/pressure/memory"), pair, "total=") == 2) counter[k, "stalled"] = pair[2] / 1000
}
function reclaim(  i, n, name) {
  if (!counter[1, "vmstat"]) { print "reclaim? cannot read /proc/vmstat: no such file"; return }
  n = split("pgscan_direct pgscan_kswapd pgsteal_direct pgsteal_kswapd stalls pgmajfault", name, " ")
  for (i = 1; i <= n; i++) if (!((1, name[i]) in counter)) {
    print "reclaim! /proc/vmstat has no " (name[i] == "stalls" ? "allocstall" : name[i]) " on this kernel"
    return
  }
  for (i = 1; i <= n; i++) name[i] = sprintf("%.0f", moved(name[i]))
  print "reclaim " object("windowMs pgscanDirect pgscanKswapd pgstealDirect pgstealKswapd allocstall pgmajfault", window, name[1], name[2], name[3], name[4], name[5], name[6])
}
# Kernel threads of interest with their CPU time, and processes that wait for a disk or a lock.
function read_process(k, folder,  line, text, comm, part) {
  text = ""
  while ((getline line < (folder "/stat")) > 0) text = text " " line
  close(folder "/stat")
  if (!match(text, /\)[^)]*$/)) return
  comm = substr(text, index(text, "(") + 1, RSTART - index(text, "(") - 1)
  split(substr(text, RSTART + 2), part, " ")
  processes += k == 1
  if (match(comm, /^k(worker|swapd)/)) thread[k, folder, substr(comm, 1, RLENGTH)] = part[12] + part[13]
  else if (part[1] != "D") return
  followed[folder] = 1
  if (part[1] != "D") return
  blocked[k, folder] = 1
  if (k == 1) { asleep++; wait[comm "\t" first(folder "/wchan")]++ }
}
function read_throttled(k, n,  line, pair, file) {
  file = cgroup[n] "/cpu.stat"
  while ((getline line < file) > 0) {
    split(line, pair, " ")
    if (pair[1] == "nr_periods") periods[k, n] = pair[2]
    else if (pair[1] == "nr_throttled") throttled[k, n] = pair[2]
    # Microseconds on v2, nanoseconds on v1.
    else if (pair[1] ~ /^throttled_(usec|time)$/) lost[k, n] = pair[2] / (pair[1] ~ /usec/ ? 1000 : 1000000)
  }
  close(file)
}
# The quota (1) or the period (2) of a cgroup in microseconds: of v2 in one file, of v1 in one each.
function quota_of(folder, which,  pair) {
  if (split(first(folder "/cpu.max"), pair, " ") < 2) {
    pair[1] = first(folder "/cpu.cfs_quota_us")
    pair[2] = first(folder "/cpu.cfs_period_us")
  }
  return pair[which] ~ /^[1-9][0-9]*$/ ? pair[which] : "null"
}
function throttling(  n, i, path, uid, some, with_quota, seen, worst, out) {
  for (n = 1; n <= cgroups; n++) if (((1, n) in periods) && ((2, n) in periods)) {
    seen++
    with_quota += periods[2, n] > periods[1, n]
    if (throttled[2, n] > throttled[1, n]) { some++; worst[n] = (throttled[2, n] - throttled[1, n]) / (periods[2, n] - periods[1, n] + 0.001) }
  }
  if (!seen) { print "throttling? no cgroup has a cpu.stat with nr_periods in it"; return }
  for (i = 0; i < 8 && (n = largest(worst)) != ""; i++) {
    path = substr(cgroup[n], length(cpu) + 1)
    uid = pod_uid(path)
    out = out (i ? "," : "") object("path pod periods throttledPeriods throttledMs quotaUs periodUs", quote(path, 200), quote(uid in pod_name ? pod_name[uid] : uid, 320),
      periods[2, n] - periods[1, n], throttled[2, n] - throttled[1, n], int(lost[2, n] - lost[1, n]), quota_of(cgroup[n], 1), quota_of(cgroup[n], 2))
    delete worst[n]
  }
  print "throttling " object("windowMs cgroups omitted withQuota throttled top", window, seen, dropped + 0, with_quota + 0, some + 0, "[" out "]")
}
# In percent; of one CPU when there are cpus.
function percent(name, whole) { return seconds && ((1, name) in counter) && whole > 0 ? sprintf("%.1f", moved(name) * 100 / whole) : "null" }
function load(  part, n, name, stuck, key, all, out, averages, shares) {
  if (split(first(root "/proc/loadavg"), averages, /[ \/]/) < 5) { print "load! cannot read /proc/loadavg"; return }
  for (key in thread) { split(key, part, SUBSEP); if (part[1] == 2 && ((1, part[2], part[3]) in thread)) counter[2, part[3]] += thread[key] - thread[1, part[2], part[3]] }
  for (key in blocked) { split(key, part, SUBSEP); stuck += part[1] == 2 && ((1, part[2]) in blocked) }
  counter[1, "kworker"] = counter[1, "kswapd"] = 0
  all = moved("ticks")
  # A page costs the same to scan for whoever scans it: an estimate.
  if (moved("pgscan_direct") == 0) counter[2, "direct"] = counter[1, "direct"] = 0
  else if (moved("pgscan_kswapd") >= 10000) { counter[1, "direct"] = 0; counter[2, "direct"] = counter[2, "kswapd"] * moved("pgscan_direct") / moved("pgscan_kswapd") }
  for (n = 0; n < 8 && (name = largest(wait)) != ""; n++) {
    split(name, part, "\t")
    out = out (n ? "," : "") object("comm wchan processes", json(substr(part[1], 1, 40)), quote(part[2], 60), wait[name])
    delete wait[name]
  }
  shares = object("windowMs systemPercent iowaitPercent kworkerPercent kswapdPercent directReclaimPercent memoryStallPercent", seconds ? window : "null",
    percent("system", all), percent("iowait", all), percent("kworker", all / cpus), percent("kswapd", all / cpus), percent("direct", all), percent("stalled", window))
  print "load " object("averages running threads processes blocked blockedThroughout blockedIn shares", "[" averages[1] "," averages[2] "," averages[3] "]",
    num(averages[4]), num(averages[5]), processes + 0, asleep + 0, seconds ? stuck + 0 : "null", "[" out "]", shares)
}
function snapshot(k,  n, folder) {
  read_counters(k)
  for (n = 1; n <= cgroups; n++) read_throttled(k, n)
  if (k == 1) for (n = 1; n <= folders; n++) read_process(1, process[n])
  else for (folder in followed) read_process(2, folder)
}
# Of the machine that this runs on, also where the node is a recorded one: in milliseconds.
function uptime(  part) { split(first("/proc/uptime"), part, " "); return part[1] * 1000 }
take_pod($0) { next }
/^process / { if (folders < 20000) process[++folders] = substr($0, 9); next }
!($0 in listed) { listed[$0] = 1; if (cgroups < 600) cgroup[++cgroups] = $0; else dropped++ }
END {
  while ((getline line < (root "/proc/cpuinfo")) > 0) cpus += line ~ /^processor[ \t]*:/
  if (!cpus) cpus = 1
  if (listing) list_cgroups(1)
  started = uptime()
  snapshot(1)
  if (seconds) { system("sleep " seconds); snapshot(2); window = int(uptime() - started) }
  if (seconds) reclaim()
  if (cpu != "") load()
  if (cpu != "" && seconds) throttling()
  if (listing) { list_cgroups(2); listing_churn() }
}'

# Prints the value of window fact $1, or ends the probe with the reason why there is none.
window_fact() {
  local line
  [[ "${SSM_windowSeconds}" != 0 || "$1" == load ]] || missing "not asked for"
  while IFS= read -r line; do
    case "${line}" in
      "$1 "*) printf '%s' "${line#* }" && return ;;
      "$1! "*) failed "${line#*! }" ;;
      "$1? "*) missing "${line#*\? }" ;;
    esac
  done < <(printf '%s\n' "${WINDOW}")
  failed "the watch gave no answer for it: the node is slow"
}
