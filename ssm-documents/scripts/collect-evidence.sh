#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# Prints what the node can tell about its memory cgroups. Reads only, apart from its own history, a few empty cgroups
# of its own and a tracing instance of its own. What the services of the node say is left to collect-services.

DOCUMENT=collect-evidence

main() {
  require_parameters profile windowSeconds
  case "${SSM_windowSeconds}" in
    0 | 1 | 2 | 5) ;;
    *) fail "windowSeconds is \"${SSM_windowSeconds:0:40}\": use 0, 1, 2 or 5" ;;
  esac
  case "${SSM_profile}" in
    quick) DEPTH=1 ;;
    full) DEPTH=3 ;;
    *) fail "profile is \"${SSM_profile:0:40}\": use quick or full" ;;
  esac

  begin_probing
  LATEST_CS=$((LATEST_CS - SSM_windowSeconds * 100))
  if [[ "${SSM_profile}" == full ]]; then read_units; fi
  add_probe host probe_host
  add_probe hierarchy probe_hierarchy
  run_bounded 900 walk_tree
  TREE="${REPLY}"
  add_probe cgroups probe_cgroups
  add_probe memory probe_memory
  add_probe pressure probe_pressure
  add_probe history probe_history
  if [[ "${SSM_profile}" == full ]]; then
    DEADLINE_CS="${LATEST_CS}"
    add_full_probes
    DEADLINE_CS="${NEVER_CS}"
  fi
  # The window comes last: what it watches must not be us.
  watch_window
  # Of a probe of this run that took too long, and was killed: by now it is gone.
  if [[ "${SSM_profile}" == full ]]; then run_bounded 100 clean_mkdir_probes; fi
  add_probe slices probe_slices
  printf '{"version":1,"document":"collect-evidence","profile":"%s","collectedAt":"%s","probes":{%s}}\n' \
    "${SSM_profile}" "${COLLECTED_AT}" "${PROBES}"
}

add_full_probes() {
  add_probe kmem probe_kmem
  add_probe unpopulated probe_unpopulated
  add_probe mkdirProbe probe_mkdir
  add_probe workloads probe_workloads
}

main "$@"
