#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# How many memory cgroups live and die, and in which slices.

# Prints "LIVE DYING"; "OMITTED UNREAD" and the counts of unpopulated directories; a line of JSON per slice; and a line
# "-KIND PATH" per unpopulated directory of the sample. Or one line "! REASON". One walk serves all: on v1 the live count
# is the number of directories, on v2 the kernel keeps it.
walk_tree() {
  local mount="${ROOT}${MOUNT}" registered=0 depth='' status=0
  if [[ -z "${HIERARCHY}" || -n "${HIERARCHY_GAP}" ]]; then
    printf '! %s\n' "${HIERARCHY_GAP}"
    return
  fi
  if [[ "${HIERARCHY}" == v1 ]]; then
    registered="$(registered_cgroups)" || registered=''
    if ! is_number "${registered}"; then
      printf '! %s\n' "/proc/cgroups has no row for memory"
      return
    fi
  elif [[ "${SSM_profile}" == quick ]]; then
    # A census reads as many files as there are slices at the top, however many cgroups are in them.
    depth="${DEPTH}"
  fi
  {
    if [[ "${SSM_profile}" == full ]]; then printf '%s\n' "${ROOT}"/proc/[0-9]*/cgroup; fi
    if [[ -n "${UNITS}" ]]; then printf '%s\n' "${UNITS}"; fi
    printf -- '-\n'
    list_directories "${mount}" "${depth}"
  } | timeout "${WALK_SECONDS}" awk -v hierarchy="${HIERARCHY}" \
    -v depth="${DEPTH}" -v registered="${registered}" -v full="$([[ "${SSM_profile}" == quick ]] || echo 1)" \
    "${AWK_TOOLS}${AWK_SLICES}" || status=$?
  if ((status != 0)); then printf '! %s\n' "walking ${MOUNT} took longer than ${WALK_SECONDS} s or failed (${status})"; fi
}

registered_cgroups() { awk '$1 == "memory" { print $3 }' "${ROOT}/proc/cgroups" 2>/dev/null; }

# Reads the list of directories, then stat files of the most promising slices, best first, within the budget.
# v1: most page cache first (there is no count per slice). v2: most dying first.
AWK_SLICES='
# Slices printed, stat files read and children listed per slice, whatever the size of the node.
BEGIN { max_entries = 40; max_reads = 200; max_children = 256; FS = "\n" }
# First the processes: every cgroup that one of them is in, and those above it, are populated.
top == "" && /\/cgroup$/ { populate($0); next }
top == "" && /^exited / { exited[substr($0, 8)] = 1; next }
$0 == "-" && top == "" { top = "-"; next }
top == "" { next }
top == "-" { top = $0; start = length(top) + 1; listed[""] = 1; parts[""] = 0; next }
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
    # The slices at the top always: thousands of cgroups deep in one of them must not hide the next.
    if (children[parent] <= max_children && (known < 8192 || levels <= 2) && (parent in listed)) {
      child[parent, children[parent]] = path
      listed[path] = 1
      parts[path] = levels
      known++
    }
  }
  if (full && !(path in busy) && !may_be_empty(path) && ++empty[kind(path)] <= 100) unused[++unuseds] = path
  if (hierarchy == "v1") {
    # Counts this cgroup as live below each listed ancestor.
    ancestor = path
    while (sub("/[^/]*$", "", ancestor) && ancestor != "") if (ancestor in listed) live[ancestor]++
  }
}
function populate(file,  line, path) {
  while ((getline line < file) > 0) {
    processes++
    if (hierarchy == "v2" ? line !~ /^0::/ : line !~ /^[0-9]+:([^:]*,)?memory[,:]/) continue
    path = line
    sub(/^[0-9]+:[^:]*:/, "", path)
    while (path != "" && path != "/" && !(path in busy)) {
      busy[path] = 1
      sub("/[^/]*$", "", path)
    }
  }
  close(file)
}
# Empty by nature: units without processes, and the levels between them.
function may_be_empty(path,  name) {
  name = path
  sub(/.*\//, "", name)
  # systemd keeps one called .control in a service that manages cgroups of its own, for commands beside the main one.
  return (name in exited) || name == ".control" || path ~ /\.(mount|swap|socket|automount)$/ || (path ~ /\.slice$/ && path !~ /pod[0-9a-f][0-9a-f_]+\.slice$/) ||
    path ~ /^\/kubepods(\/(besteffort|burstable))?$/ || path ~ /^\/cgroup-medic-probe-/
}
function kind(path) {
  if (path ~ /\/kubepods/) return "pod"
  if (path ~ /\/session-[^\/]*\.scope$/ || path ~ /\/user-[0-9]+\.slice\//) return "session"
  return path ~ /\.scope$/ ? "scope" : "other"
}
# Whether the kernel, asked directly, says that a process is in it after all; or it is gone.
function populated(path,  line, found) {
  if (hierarchy == "v2") return field(top path "/cgroup.events", "populated") != "0"
  found = (getline line < (top path "/tasks"))
  close(top path "/tasks")
  return found != 0
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
# Page cache of the slice that belongs to no living member of it; -1 when it was not read. Its children tell, so a census
# does without where the dying are counted.
function ghosts(path,  i, n, sum) {
  n = children[path] + 0
  if (hierarchy == "v2" && dying[path] == 0) return 0
  if ((hierarchy == "v2" && !full) || !read_stat(path)) return -1
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
    if (ghost[best] < 0 && (full || hierarchy == "v1")) unread++
    if (parts[best] < depth && weight(best) > 0) open_children(best)
  }
  for (n = 0; n < entries && n < max_entries; n++) {
    best = ""
    for (i = 1; i <= entries; i++) if (!(i in shown) && (best == "" || ahead(entry[i], entry[best]))) best = i
    path = entry[best]
    if (length(path) > 1000) break
    shown[best] = 1
    text[n] = sprintf("{\"path\":%s,\"live\":%s,\"dying\":%s,\"ghostKb\":%s,\"cachedKb\":%s}", json(path),
      whole(live[path] + 0), hierarchy == "v2" ? whole(dying[path]) : "null", kb(ghost[path]), kb(cached(path)))
  }
  for (i = 1; i <= unuseds; i++) {
    best = kind(unused[i])
    if (populated(unused[i])) empty[best]--
    else if (++sampled[best] <= 5 && length(unused[i]) < 200) sample[i] = best
  }
  print entries - n + unoffered, unread + 0, empty["pod"] + 0, empty["scope"] + 0, empty["session"] + 0, empty["other"] + 0, full && processes ? unuseds + 0 : "-"
  for (i = 0; i < n; i++) print text[i]
  for (i = 1; i <= unuseds; i++) if (i in sample) print "-" sample[i] " " unused[i]
}'

tree_line() {
  local -a lines=()
  mapfile -t lines < <(printf '%s\n' "${TREE}")
  if [[ "${lines[0]:-}" == '! '* ]]; then failed "${lines[0]#! }"; fi
  LINE="${lines[$1]:-}"
  [[ -n "${LINE}" ]] || failed "walking ${MOUNT} gave no answer"
}

probe_cgroups() {
  need_hierarchy
  tree_line 0
  local source=cgroup.stat
  if [[ "${HIERARCHY}" == v1 ]]; then source=proc-cgroups; fi
  printf '{"live":%s,"dying":%s,"source":"%s"}' "${LINE% *}" "${LINE#* }" "${source}"
}

# Directories that exist without a process in them or below: somebody failed to remove them. Their age is that of what
# the kernel remembers of them, so they are at least that old.
probe_unpopulated() {
  need_hierarchy
  tree_line 1
  local pods scopes sessions others checked line path out=''
  local -a lines=() files=()
  local -A kinds=()
  read -r _ _ pods scopes sessions others checked < <(printf '%s\n' "${LINE}")
  [[ "${checked}" != - ]] || missing "no process has a readable /proc/PID/cgroup"
  mapfile -t lines < <(printf '%s\n' "${TREE}")
  for line in "${lines[@]:2}"; do
    [[ "${line}" == -* ]] || continue
    path="${line#* }"
    kinds[${path}]="${line%% *}"
    files+=("${ROOT}${MOUNT}${path}")
  done
  # One that is gone meanwhile is not one of them any more.
  while read -r line path; do
    path="${path#"${ROOT}${MOUNT}"}"
    json_string "${path}"
    out+="${out:+,}$(object kind "\"${kinds[${path}]#-}\"" path "${REPLY}" ageSeconds "$((EPOCH > line ? EPOCH - line : 0))")"
  done < <(((${#files[@]} == 0)) || stat -c '%Z %n' -- "${files[@]}")
  object pod "${pods}" scope "${scopes}" session "${sessions}" other "${others}" checked "${checked}" sample "[${out}]"
}

# Printed last: it gets the room that the other probes have left.
probe_slices() {
  need_hierarchy
  tree_line 1
  local room=$((MAX_OUTPUT - ${#PROBES} - 250)) text='' entry omitted unread
  local -a entries=()
  read -r omitted unread _ <<<"${LINE}"
  mapfile -t entries < <(printf '%s\n' "${TREE}")
  for entry in "${entries[@]:2}"; do
    [[ "${entry}" == '{'* ]] || break
    if ((${#text} + ${#entry} + 1 > room)); then
      omitted=$((omitted + 1))
    else
      text+="${text:+,}${entry}"
    fi
  done
  printf '{"entries":[%s],"omitted":%s,"unread":%s}' "${text}" "${omitted}" "${unread}"
}
