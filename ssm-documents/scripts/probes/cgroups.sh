#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# How many memory cgroups live and die, and in which slices.

# Prints two lines, "LIVE DYING" and the value of the probe slices; or one line "! REASON".
# One walk serves both probes: on v1 the live count is the number of directories, on v2 the kernel keeps it.
walk_tree() {
  local mount="${ROOT}${MOUNT}" registered=0 depth='' status=0
  if [[ -z "${HIERARCHY}" || -n "${REASON}" ]]; then
    printf '! %s\n' "${REASON}"
    return
  fi
  if [[ "${HIERARCHY}" == v1 ]]; then
    registered="$(registered_cgroups)" || registered=''
    if ! is_number "${registered}"; then
      printf '! %s\n' "/proc/cgroups has no row for memory"
      return
    fi
  else
    # One level more than is reported: what a slice's children hold is not its ghosts'.
    depth=$((DEPTH + 1))
  fi
  list_directories "${mount}" "${depth}" | timeout "${WALK_SECONDS}" awk -v hierarchy="${HIERARCHY}" \
    -v depth="${DEPTH}" -v max_entries="${MAX_ENTRIES}" -v max_reads="${MAX_READS}" \
    -v max_children="${MAX_CHILDREN}" -v registered="${registered}" \
    "${AWK_JSON}${AWK_SLICES}" || status=$?
  if ((status != 0)); then printf '! %s\n' "walking ${MOUNT} took longer than ${WALK_SECONDS} s or failed (${status})"; fi
}

registered_cgroups() { awk '$1 == "memory" { print $3 }' "${ROOT}/proc/cgroups" 2>/dev/null; }

# Reads the list of directories, then stat files of the most promising slices, best first, within the budget.
# v1: most page cache first (there is no count per slice). v2: most dying first.
# shellcheck disable=SC2016 # awk's own dollars
AWK_SLICES='
BEGIN { json_init(); FS = "\n" }
NR == 1 { top = $0; start = length(top) + 1; listed[""] = 1; parts[""] = 0; next }
# A name with a newline in it (the kernel refuses them) would show as a line of its own.
substr($0, 1, start) != top "/" { next }
{
  path = substr($0, start)
  total++
  levels = gsub("/", "/", path)
  if (levels <= depth + 1) {
    parent = path
    sub("/[^/]*$", "", parent)
    children[parent]++
    if (children[parent] <= max_children && known < 8192 && (parent in listed)) {
      child[parent, children[parent]] = path
      listed[path] = 1
      parts[path] = levels
      known++
    }
  }
  if (hierarchy == "v1") {
    # Counts this cgroup as live below each listed ancestor.
    ancestor = path
    while (sub("/[^/]*$", "", ancestor) && ancestor != "") if (ancestor in listed) live[ancestor]++
  }
}
function read_stat(path,  file, line, pair, got) {
  if (path in cache) return cache[path] >= 0
  reads++
  file = top path "/memory.stat"
  cache[path] = -1
  own[path] = 0
  while ((got = (getline line < file)) > 0) {
    split(line, pair, " ")
    if (hierarchy == "v1") {
      if (pair[1] == "total_cache") cache[path] = pair[2]
      else if (pair[1] == "cache") own[path] = pair[2]
    } else if (pair[1] == "file") cache[path] = pair[2]
  }
  close(file)
  return cache[path] >= 0
}
function read_count(path,  file, line, pair) {
  if (path in dying) return dying[path] >= 0
  counted++
  file = top path "/cgroup.stat"
  dying[path] = -1
  while ((getline line < file) > 0) {
    split(line, pair, " ")
    if (pair[1] == "nr_dying_descendants") dying[path] = pair[2]
    else if (pair[1] == "nr_descendants") live[path] = pair[2]
  }
  close(file)
  return dying[path] >= 0
}
# Page cache of the slice that belongs to no living member of it; -1 when it was not read.
function ghosts(path,  i, n, sum) {
  n = children[path] + 0
  if (hierarchy == "v2" && dying[path] == 0) return 0
  if (!read_stat(path)) return -1
  if (n > max_children || reads + n > max_reads || dropped(path)) return -1
  sum = cache[path] - own[path]
  for (i = 1; i <= n; i++) if (read_stat(child[path, i])) sum -= cache[child[path, i]]
  return sum > 0 ? sum : 0
}
# Some of its children were not listed.
function dropped(path) { return children[path] > 0 && !((path, children[path]) in child) }
function weight(path) { return hierarchy == "v2" ? dying[path] : cache[path] }
function offer(path) {
  if (hierarchy == "v2" ? !read_count(path) : !read_stat(path)) return
  entries++
  entry[entries] = path
  open[path] = 1
}
function open_children(path,  i) {
  for (i = 1; i <= children[path] && i <= max_children; i++)
    if ((path, i) in child && (hierarchy == "v2" ? counted : reads) < max_reads) offer(child[path, i])
    else unoffered++
  if (children[path] > max_children) unoffered += children[path] - max_children
}
# -1 when it was not read. (To look at cache[path] itself would make one, as zero.)
function cached(path) { return (path in cache) ? cache[path] : -1 }
function kb(bytes) { return bytes < 0 ? "null" : sprintf("%d", bytes / 1024) }
function whole(n) { return sprintf("%d", n) }
# Largest dying count first, then ghost bytes, then page cache.
function ahead(a, b) {
  if (hierarchy == "v2" && dying[a] != dying[b]) return dying[a] > dying[b]
  if (ghost[a] != ghost[b]) return ghost[a] > ghost[b]
  if (cached(a) != cached(b)) return cached(a) > cached(b)
  return (a "") < (b "")
}
END {
  if (start == 0) exit 3
  if (hierarchy == "v2") {
    if (!read_count("")) { print "! cannot read nr_dying_descendants in " top "/cgroup.stat"; exit }
    print whole(live[""]) " " whole(dying[""])
  } else {
    # Not one moment for both numbers: the count may be a little off, never below zero. The root counts itself.
    gone = registered - total - 1
    print whole(total + 0) " " whole(gone > 0 ? gone : 0)
  }
  open_children("")
  while (1) {
    best = ""
    for (path in open) if (best == "" || weight(path) > weight(best)) best = path
    if (best == "") break
    delete open[best]
    if (parts[best] == 1) read_stat(best)
    ghost[best] = ghosts(best)
    if (ghost[best] < 0) unread++
    if (parts[best] < depth && weight(best) > 0) open_children(best)
  }
  room = 15000
  printf "{\"entries\":["
  for (n = 0; n < entries && n < max_entries; n++) {
    best = ""
    for (i = 1; i <= entries; i++) if (!(i in shown) && (best == "" || ahead(entry[i], entry[best]))) best = i
    path = entry[best]
    text = json(path)
    if (length(path) > 1000 || length(text) + 80 > room) break
    shown[best] = 1
    room -= length(text) + 80
    printf "%s{\"path\":%s,\"live\":%s,\"dying\":%s,\"ghostKb\":%s,\"cachedKb\":%s}", n ? "," : "", text,
      whole(live[path] + 0), hierarchy == "v2" ? whole(dying[path]) : "null", kb(ghost[path]),
      kb(cached(path))
  }
  printf "],\"omitted\":%d,\"unread\":%d}\n", entries - n + unoffered, unread
}'

tree_line() {
  local -a lines=()
  mapfile -t lines <<<"${TREE}"
  if [[ "${lines[0]:-}" == '! '* ]]; then failed "${lines[0]#! }"; fi
  LINE="${lines[$1]:-}"
  [[ -n "${LINE}" ]] || failed "walking ${MOUNT} gave no answer"
}

probe_cgroups() {
  [[ -n "${HIERARCHY}" ]] || missing "${REASON}"
  tree_line 0
  local source=cgroup.stat
  if [[ "${HIERARCHY}" == v1 ]]; then source=proc-cgroups; fi
  printf '{"live":%s,"dying":%s,"source":"%s"}' "${LINE% *}" "${LINE#* }" "${source}"
}

probe_slices() {
  [[ -n "${HIERARCHY}" ]] || missing "${REASON}"
  tree_line 1
  printf '%s' "${LINE}"
}
