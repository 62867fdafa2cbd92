#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# What systemd says of its units.

# Asks systemd once for all its units and keeps the little that the probes need of them, in UNITS: "count KEY N",
# "abandoned SCOPE", "exited UNIT" (active without a process), and what AWK_AGENT_UNITS adds.
read_units() {
  run_bounded 500 list_units
  UNITS="${REPLY}"
  if ((STATUS == 0)) && [[ -n "${UNITS}" ]]; then return; fi
  tool_gap systemctl "${STATUS}"
  if ((STATUS == 0)); then REASON="systemctl lists no units"; fi
  UNITS='' UNITS_GAP="${REASON}"
}

list_units() {
  tool systemctl list-units --all --full --plain --no-legend | awk -v protected="${PROTECTED_SYSTEM-}" '
    # Units in trouble are marked in front of their name.
    $1 !~ /\./ { $1 = ""; $0 = substr($0, 2) }
    $1 !~ /\.(service|scope|mount|socket|slice|target|timer|path|device|swap|automount)$/ { next }
    { units++ }
    $4 == "exited" && ++exited <= 500 { print "exited", $1 }
    $1 ~ /\.scope$/ && $4 == "abandoned" && ++abandoned <= 10 { print "abandoned", $1 }
    END {
      if (!units) exit
      print "count units", units
      print "count abandoned", abandoned + 0
    }'"${AWK_AGENT_UNITS:-}"
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
