#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# The services of the node that belong neither to Kubernetes nor to systemd, and whether anything needs them.

# Asks systemd once for all its units and keeps the little that the probes need of them, in UNITS: "count KEY N",
# "abandoned SCOPE", "exited UNIT" (active without a process) and "agent UNIT", those in trouble first.
read_units() {
  run_bounded 500 list_units
  UNITS="${REPLY}"
  if ((STATUS == 0)) && [[ -n "${UNITS}" ]]; then return; fi
  tool_gap systemctl "${STATUS}"
  if ((STATUS == 0)); then REASON="systemctl lists no units"; fi
  UNITS='' UNITS_GAP="${REASON}"
}

list_units() {
  tool systemctl list-units --all --full --plain --no-legend | awk '
    # Units in trouble are marked in front of their name.
    $1 !~ /\./ { $1 = ""; $0 = substr($0, 2) }
    $1 !~ /\.(service|scope|mount|socket|slice|target|timer|path|device|swap|automount)$/ { next }
    { units++ }
    $4 == "exited" && ++exited <= 500 { print "exited", $1 }
    $1 ~ /\.scope$/ && $4 == "abandoned" && ++abandoned <= 10 { print "abandoned", $1 }
    $1 !~ /\.service$/ || $2 == "not-found" || $2 == "masked" || $3 == "inactive" || $4 == "exited" { next }
    $3 == "failed" { failures++ }
    # Kubernetes, systemd, and what every Linux needs to be reached, logged, timed and networked.
    $1 ~ /^(kubelet|snap\.kubelet[^.]*\.daemon|containerd|crio|cri-docker|(snap\.)?amazon-ssm-agent.*|nodeadm.*|dbus.*|sshd?(@.*)?|(serial-|console-)?getty@?.*|user(-runtime-dir)?@.*|systemd-.*|modprobe@.*|cloud-.*|NetworkManager.*|networking|ifup@.*|chronyd?|rsyslog|auditd|polkit|crond?|atd|gssproxy|rngd|acpid|irqbalance|lvm2-.*|(refresh-)?policy-routes@.*|snapd(\..*)?)\.service$/ { next }
    { agents++; rank = $3 == "activating" ? 1 : $3 == "failed" ? 2 : 3; if (++n[rank] <= 24) name[rank, n[rank]] = $1 }
    END {
      if (!units) exit
      print "count units", units
      print "count failed", failures + 0
      print "count abandoned", abandoned + 0
      print "count agents", agents + 0
      for (rank = 1; rank <= 3; rank++) for (i = 1; i <= n[rank] && i <= 24 && shown++ < 24; i++) print "agent", name[rank, i]
    }'
}

# Sets NAMES to the names after keyword $1 in UNITS.
unit_names() {
  local key name
  NAMES=()
  while read -r key name; do
    if [[ "${key}" == "$1" ]]; then NAMES+=("${name}"); fi
  done < <(printf '%s\n' "${UNITS}")
}

# Where systemd keeps the cgroups of its units.
units_mount() {
  REPLY="${MOUNT}"
  if [[ "${HIERARCHY}" == v1 && -d "${ROOT}/sys/fs/cgroup/systemd" ]]; then REPLY=/sys/fs/cgroup/systemd; fi
}

probe_agents() {
  no_gap "${UNITS_GAP}"
  local total failures mount status=0
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
  {
    # The containers below each unit, and those of docker, which live beside it.
    if [[ -n "${HIERARCHY}" ]]; then
      printf 'below %s\n' "${mount}"
      list_directories "${mount}/system.slice" 4
      list_directories "${mount}/docker" 1
    fi
    tool systemctl show -p Id,ActiveState,SubState,UnitFileState,NRestarts,MemoryCurrent,CPUUsageNSec,ControlGroup \
      -p RequiredBy,BoundBy,RequisiteOf,UpheldBy,WantedBy,Requires -- "${NAMES[@]}" || status=$?
    printf '\nend %s\n' "${status}"
  } | awk -v total="${total}" -v failures="${failures}" "${AWK_TOOLS}${AWK_AGENTS}" || tool_failed systemctl "$?"
}

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
function report(  group, containers, i) {
  if (!("Id" in p)) return
  group = p["ControlGroup"]
  containers = looked ? 0 : "null"
  for (i = 1; i <= found; i++) if ((group != "" && index(dir[i], group "/") == 1) ||
    ((" " p["Id"] " " p["Requires"] " ") ~ / docker\.service / && dir[i] ~ /\/docker[-\/]/)) containers++
  line[++entries] = object("unit active sub unitFile restarts memoryKb cpuSeconds requiredBy wantedBy containers", json(p["Id"]), json(p["ActiveState"]),
    json(p["SubState"]), json(p["UnitFileState"]), num(p["NRestarts"]), kib(p["MemoryCurrent"]),
    p["CPUUsageNSec"] ~ /^[0-9]+$/ && length(p["CPUUsageNSec"]) < 19 ? sprintf("%.1f", p["CPUUsageNSec"] / 1e9) : "null",
    names(p["RequiredBy"] " " p["BoundBy"] " " p["RequisiteOf"] " " p["UpheldBy"]), names(p["WantedBy"]), containers)
  # Those that restart most come first, then those that do not run.
  weight[entries] = p["NRestarts"] * 10 + (p["ActiveState"] != "active")
}
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
