#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# The services of the node that belong neither to Kubernetes nor to systemd, and whether anything needs them.

probe_agents() {
  no_gap "${UNITS_GAP}"
  local total failures mount shown status=0
  local -a NAMES=()
  take_count total agents "${UNITS}"
  take_count failures failed "${UNITS}"
  unit_names agent
  units_mount
  mount="${ROOT}${REPLY}"
  if ((${#NAMES[@]} == 0)); then
    object total 0 failed "${failures}" entries '[]' omitted 0
    return
  fi
  shown="$(tool systemctl show -p Id,ActiveState,SubState,UnitFileState,NRestarts,MemoryCurrent,CPUUsageNSec,ControlGroup \
    -p RequiredBy,BoundBy,RequisiteOf,UpheldBy,WantedBy,Requires,MainPID,Names,FragmentPath,SourcePath,ExecStart -- "${NAMES[@]}")" || status=$?
  {
    # The containers below each unit, and those of docker, which live beside it.
    if [[ -n "${HIERARCHY}" ]]; then
      printf 'below %s\n' "${mount}"
      list_directories "${mount}/system.slice" 4
      list_directories "${mount}/docker" 1
    fi
    list_protected
    printf '%s\n\nend %s\n' "${shown}" "${status}"
  } | awk -v root="${ROOT}" -v total="${total}" -v failures="${failures}" "${AWK_TOOLS}${AWK_AGENTS}" || tool_failed systemctl "$?"
}

# Prints "protected UNIT" for those of the units in ${shown} that no treatment touches.
list_protected() {
  local line id='' called='' starts='' REASON
  local -a files=()
  while IFS= read -r line; do
    case "${line}" in
      Id=*) id="${line#*=}" ;;
      Names=*) called="${line#*=}" ;;
      FragmentPath=* | SourcePath=*) files+=("${line#*=}") ;;
      ExecStart=*) starts+="${line#*=} " ;;
      '')
        if ! is_unprotected_unit "${id} ${called}" "${starts}" ${files[@]+"${files[@]}"}; then printf 'protected %s\n' "${id}"; fi
        id='' called='' starts='' files=()
        ;;
    esac
  done <<<"${shown}"$'\n'
}

# After the rules of list_units: prints "agent UNIT" for services outside ${PROTECTED_SYSTEM}, those in trouble first, and counts.
AWK_AGENT_UNITS='
# Patterns of a shell, as one of awk.
BEGIN {
  gsub(/[.]/, "[.]", protected)
  gsub(/[*]/, ".*", protected)
  gsub(/ /, "|", protected)
  protected = "^(" protected ")$"
}
$1 !~ /\.service$/ || $2 == "not-found" || $2 == "masked" || $3 == "inactive" || $4 == "exited" { next }
$3 == "failed" { failures++ }
{ bare = tolower($1); sub(/^snap[.]/, "", bare); sub(/(@.*)?[.]service$/, "", bare) }
bare ~ protected { next }
{ agents++; rank = $3 == "activating" ? 1 : $3 == "failed" ? 2 : 3; if (++n[rank] <= 24) agent[rank, n[rank]] = $1 }
END {
  print "count failed", failures + 0
  print "count agents", agents + 0
  for (rank = 1; rank <= 3; rank++) for (i = 1; i <= n[rank] && i <= 24 && shown++ < 24; i++) print "agent", agent[rank, i]
}'

AWK_AGENTS='
function is_container(name) {
  sub(/\.scope$/, "", name)
  sub(/^(docker|libpod|cri-containerd|crio|nerdctl)-/, "", name)
  return length(name) == 64 && name !~ /[^0-9a-f]/
}
# At most five names of a list. A target that starts a unit at boot does not need it.
function names(list,  part, n, i, out, kept) {
  n = split(list, part, " ")
  for (i = 1; i <= n && kept < 5; i++) if (part[i] !~ /\.target$/) out = out (kept++ ? "," : "") json(part[i])
  return "[" out "]"
}
# Where systemd does not account it by service (cgroup v1), it is that of the main process and the children it has waited for.
function cpu_seconds(  text, part) {
  if (p["CPUUsageNSec"] ~ /^[0-9]+$/ && length(p["CPUUsageNSec"]) < 19) return sprintf("%.1f", p["CPUUsageNSec"] / 1e9)
  if (p["MainPID"] !~ /^[1-9][0-9]*$/) return "null"
  text = first(root "/proc/" p["MainPID"] "/stat")
  if (!match(text, /\)[^)]*$/)) return "null"
  split(substr(text, RSTART + 2), part, " ")
  return sprintf("%.1f", (part[12] + part[13] + part[14] + part[15]) / 100)
}
# Resident memory of the main process: in that of the cgroup are page cache and whatever else runs there.
function resident(  file, text, part) {
  if (p["MainPID"] !~ /^[1-9][0-9]*$/) return "null"
  file = root "/proc/" p["MainPID"] "/status"
  while ((getline text < file) > 0) if (text ~ /^VmRSS:/) split(text, part, " ")
  close(file)
  return num(part[2])
}
function report(  group, containers, i) {
  if (!("Id" in p)) return
  group = p["ControlGroup"]
  containers = looked ? 0 : "null"
  for (i = 1; i <= found; i++) if ((group != "" && index(dir[i], group "/") == 1) ||
    ((" " p["Id"] " " p["Requires"] " ") ~ / docker\.service / && dir[i] ~ /\/docker[-\/]/)) containers++
  line[++entries] = object("unit active sub unitFile restarts memoryKb rssKb cpuSeconds requiredBy wantedBy containers", json(p["Id"]), json(p["ActiveState"]),
    json(p["SubState"]), json(p["UnitFileState"]), num(p["NRestarts"]), kib(p["MemoryCurrent"]), resident(),
    cpu_seconds(), names(p["RequiredBy"] " " p["BoundBy"] " " p["RequisiteOf"] " " p["UpheldBy"]), names(p["WantedBy"]), containers)
  if (p["Id"] in is_protected) sub(/}$/, ",\"protected\":true}", line[entries])
  # Those that restart most come first, then those that do not run.
  weight[entries] = p["NRestarts"] * 10 + (p["ActiveState"] != "active")
}
/^protected / { is_protected[$2]; next }
/^below / { looked = length($0) - 5; next }
/^\// { name = $0; sub(/.*\//, "", name); if (is_container(name) && found < 2000) dir[++found] = substr($0, looked); next }
/^end [0-9]+$/ { status = $2; next }
/^$/ { report(); split("", p); next }
{ at = index($0, "="); if (at) p[substr($0, 1, at - 1)] = substr($0, at + 1) }
END {
  if (!entries) exit status ? status : 1
  room = 2700
  while ((best = largest(weight)) != "" && length(line[best]) < room) {
    room -= length(line[best]) + 1
    delete weight[best]
    out = out (n++ ? "," : "") line[best]
  }
  print object("total failed entries omitted", total, failures, "[" out "]", total - n)
}'
