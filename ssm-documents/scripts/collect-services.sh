#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# Prints what the services of the node say: its kubelet, containers, sessions, agents and journal. Reads only.

DOCUMENT=collect-services

main() {
  begin_probing
  DEADLINE_CS="${LATEST_CS}"
  read_units
  read_journal
  add_probe kubelet probe_kubelet
  add_probe containers probe_containers
  add_probe sessions probe_sessions
  add_probe timers probe_timers
  add_probe agents probe_agents
  add_probe oomKills probe_oom_kills
  add_probe journal probe_journal
  printf '{"version":1,"document":"collect-services","collectedAt":"%s","probes":{%s}}\n' \
    "${COLLECTED_AT}" "${PROBES}"
}

main "$@"
