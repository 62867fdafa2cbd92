#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# How probes are run, and what they are made of. A probe prints its JSON value and returns 0, or prints why not and
# returns 1 (the thing does not exist here) or 2 (it exists, and reading it failed). A number that was not read is never
# a zero.

# Characters printed at most, whatever the size of the node, and by one probe (the slices get what is left).
MAX_OUTPUT=19900
MAX_PROBE=3000
# Hundredths of a second that all probes of one document may take together.
MAX_TOGETHER=1300

# Finds the hierarchy, and how much time this node needs. Sets PATIENCE, and TOOL_SECONDS: how long one command of the
# node's own (systemctl, crictl…) may take.
begin_probing() {
  local started
  clock
  started="${NOW_CS}"
  lower_priority
  find_hierarchy || true
  HIERARCHY_GAP="${REASON}" PROBES='' UNITS='' UNITS_GAP='' JOURNAL='' JOURNAL_GAP=''
  read -r EPOCH COLLECTED_AT < <(date -u '+%s %Y-%m-%dT%H:%M:%SZ')
  clock
  # A handful of commands takes a few hundredths of a second. On a node where it takes many, everything gets more time:
  # a late answer of such a node is worth more than none.
  PATIENCE=$((1 + (NOW_CS - started) / 25))
  if ((PATIENCE > 3)); then PATIENCE=3; fi
  TOOL_SECONDS=$((3 * PATIENCE)) WALK_SECONDS=$((8 * PATIENCE))
  # What every diagnosis needs is read however long the node takes over it; the rest has to share what is left.
  NEVER_CS=$((NOW_CS + 1000000)) LATEST_CS=$((NOW_CS + MAX_TOGETHER * PATIENCE))
  DEADLINE_CS="${NEVER_CS}"
}

# No probe can end the document, or hold it up.
add_probe() {
  local name="$1" probe="$2" text
  run_bounded 450 "${probe}" "${name}"
  text="${REPLY}"
  if ((STATUS == 0 && ${#text} > MAX_PROBE)) && [[ "${name}" != slices ]]; then
    text="${#text} characters are too many" STATUS=2
  fi
  if ((STATUS == 0)) && [[ -n "${text}" ]]; then
    text="{\"status\":\"ok\",\"value\":${text}}"
  else
    if ((STATUS == 124 && LIMIT_CS <= 0)); then
      text="no time was left for it: the node is slow to answer"
    elif ((STATUS == 124)); then
      text="it was cut off after $((LIMIT_CS / 100)) s: the node is slow to answer"
    elif [[ -z "${text}" || ${STATUS} -gt 2 ]]; then
      text="the probe stopped with exit code ${STATUS}"
    fi
    json_string "${text:0:400}"
    if ((STATUS == 1)); then text=missing; else text=failed; fi
    text="{\"status\":\"${text}\",\"reason\":${REPLY}}"
  fi
  PROBES+="${PROBES:+,}\"${name}\":${text}"
}

# Runs "$2…" in a subshell for at most $1 hundredths of a second, and never past the deadline. Sets REPLY to what it
# printed and STATUS to its exit code; 124 when it was cut off (REPLY is then what it had printed until then).
run_bounded() {
  local fd pid='' got=0 seconds
  clock
  LIMIT_CS=$(($1 * PATIENCE))
  if ((LIMIT_CS > DEADLINE_CS - NOW_CS)); then LIMIT_CS=$((DEADLINE_CS - NOW_CS)); fi
  shift
  STATUS=124 REPLY=''
  if ((LIMIT_CS <= 0)); then
    return 0
  fi
  # Its errors go nowhere: a child that cannot be ended would hold our stderr open, and the document with it.
  exec {fd}< <(
    exec 2>/dev/null
    printf '%s\n' "${BASHPID}"
    trap 'printf "\n%d" "$?"' EXIT
    "$@"
  )
  printf -v seconds '%d.%02d' $((LIMIT_CS / 100)) $((LIMIT_CS % 100))
  IFS= read -r -u "${fd}" pid || true
  IFS= read -r -d '' -t "${seconds}" -u "${fd}" REPLY || got=$?
  exec {fd}<&-
  if ((got > 128)); then
    kill -KILL "${pid}" 2>/dev/null || true
    return 0
  fi
  STATUS="${REPLY##*$'\n'}"
  if is_number "${STATUS}"; then
    REPLY="${REPLY%$'\n'*}"
    # awk ends with a line of its own.
    REPLY="${REPLY%$'\n'}"
  else
    STATUS=2 REPLY='its answer has no end'
  fi
}

# Sets NOW_CS: hundredths of a second since boot. Unlike the clock, nobody sets it back.
clock() {
  read_line /proc/uptime
  VALUE="${VALUE%% *}"
  NOW_CS=$((10#${VALUE/./}))
}

# Runs a command of the node's own, for a bounded time. A recorded node brings its commands along.
# Returns 127 where there is no such command, 124 or 137 when it was cut off.
tool() {
  if [[ -n "${ROOT}" ]]; then
    [[ -x "${ROOT}/usr/bin/$1" ]] || return 127
    set -- "${ROOT}/usr/bin/$1" "${@:2}"
  else
    command -v "$1" >/dev/null || return 127
  fi
  timeout -k 1 "${TOOL_SECONDS}" "$@" </dev/null
}

# Sets REASON to why command $1 told us nothing; $2 is its exit code.
tool_gap() {
  case "$2" in
    127) REASON="$1 is not installed" ;;
    124 | 137) REASON="$1 did not answer within ${TOOL_SECONDS} s" ;;
    *) REASON="$1 failed with exit code $2" ;;
  esac
  if [[ "$1" != crictl && -z "${ROOT}" && ! -d /run/systemd/system ]]; then REASON="systemd does not run here"; fi
}

missing() {
  printf '%s' "$1"
  exit 1
}

failed() {
  printf '%s' "$1"
  exit 2
}

# Ends the probe if there is a gap $1: a tool that is not there is missing, anything else failed.
no_gap() {
  if [[ "$1" == *'is not installed' || "$1" == *'not run here' ]]; then missing "$1"; fi
  if [[ -n "$1" ]]; then failed "$1"; fi
}

tool_failed() {
  tool_gap "$1" "$2"
  no_gap "${REASON}"
}

# Ends the probe where there is no memory hierarchy; with an argument also where only a part of it is to be seen.
need_hierarchy() {
  if [[ -z "${HIERARCHY}" || -n "${1:-}" && -n "${HIERARCHY_GAP}" ]]; then missing "${HIERARCHY_GAP}"; fi
}

is_number() { [[ "$1" =~ ^[0-9]+$ ]]; }

# Prints the JSON object of names and values ($1 $2, $3 $4…); a value is JSON, none is null.
object() {
  local text=''
  while (($#)); do
    text+=",\"$1\":${2:-null}"
    shift 2
  done
  printf '{%s}' "${text:1}"
}

# Sets REPLY to $1 in units of $2 when it is a number of sane size, else to null: what is not set comes as "[not set]",
# "infinity" or 2^64-1.
number() {
  REPLY=null
  if [[ "$1" =~ ^[0-9]{1,15}$ ]]; then REPLY=$((10#$1 / ${2:-1})); fi
}

# Sets variable $1 to the number in the line "count $2 NUMBER" of the facts $3, or to null.
take_count() {
  local newline=$'\n'
  printf -v "$1" null
  if [[ "${newline}$3" =~ ${newline}count\ $2\ ([0-9]+) ]]; then printf -v "$1" '%s' "${BASH_REMATCH[1]}"; fi
}

# A part of a probe that was not read, with the reason, for the JSON object NOT_READ.
not_read() {
  json_string "${2:0:160}"
  NOT_READ+="${NOT_READ:+,}\"$1\":${REPLY}"
}

# awk functions for the probes.
AWK_TOOLS="${AWK_JSON}"'
function num(s) { return s ~ /^[0-9]+$/ && length(s) < 16 ? sprintf("%.0f", s) : "null" }
function kib(s) { return num(s) == "null" ? "null" : sprintf("%.0f", int(s / 1024)) }
function quote(s, most) { return s == "" ? "null" : json(substr(s, 1, most)) }
# The JSON object of these names, with values that are JSON.
function object(names, a, b, c, d, e, f, g, h, i, j, k, l,  name, n, m, value, text) {
  n = split(names, name, " ")
  split(a SUBSEP b SUBSEP c SUBSEP d SUBSEP e SUBSEP f SUBSEP g SUBSEP h SUBSEP i SUBSEP j SUBSEP k SUBSEP l, value, SUBSEP)
  for (m = 1; m <= n; m++) text = text (m > 1 ? "," : "{") "\"" name[m] "\":" (value[m] == "" ? "null" : value[m])
  return text "}"
}
# The key with the largest value, or "".
function largest(list,  key, best) {
  for (key in list) if (best == "" || list[key] > list[best] || (list[key] == list[best] && key < best)) best = key
  return best
}
# The first line of a file; the number behind a key in it, or "".
function first(file,  line) { line = ""; getline line < file; close(file); return line }
function field(file, key,  line, pair, found) {
  while ((getline line < file) > 0) if (split(line, pair, " ") == 2 && pair[1] == key) found = pair[2]
  close(file)
  return found
}
# A cgroup path with its counters and ids taken out.
function pattern(path) {
  gsub(/pod[0-9a-f][0-9a-f][0-9a-f_-]+/, "pod*", path)
  gsub(/[0-9]+/, "#", path)
  gsub(/[a-f]*#([a-f_-]*#)+[a-f]*/, "#", path)
  return path
}
# The UID of the pod that a cgroup path is in, or "".
function pod_uid(path,  uid) {
  if (!match(path, /pod[0-9a-f][0-9a-f_-]+/) || RLENGTH < 35) return ""
  uid = substr(path, RSTART + 3, RLENGTH - 3)
  gsub(/_/, "-", uid)
  return uid
}
# A line "pod NAMESPACE_NAME_UID", the name of a folder of the kubelet logs. (No pod has a "_" in its name.)
function take_pod(line,  part) {
  if (line !~ /^pod [^\/]*_[^\/]*_/) return 0
  if (split(substr(line, 5), part, "_") == 3) pod_name[part[3]] = part[1] "/" part[2]
  return 1
}
BEGIN { json_init() }
'

# The kubelet names the folders of its logs NAMESPACE_NAME_UID.
pod_names() {
  local folder
  for folder in "${ROOT}"/var/log/pods/*_*_*; do printf 'pod %s\n' "${folder##*/}"; done
}
