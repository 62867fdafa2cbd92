#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Prints what the node can tell about its memory cgroups. Reads only.
#
# A probe prints its JSON value and returns 0, or prints why not and returns 1 (the thing does not exist here) or
# 2 (it exists, and reading it failed). A number that was not read is never a zero.

DOCUMENT=collect-evidence
# Entries printed, stat files read, and children listed per slice, whatever the size of the node.
MAX_ENTRIES=40
MAX_READS=200
MAX_CHILDREN=256

main() {
  require_parameters profile windowSeconds
  lower_priority
  case "${SSM_profile}" in
    quick) DEPTH=1 ;;
    full) DEPTH=3 ;;
    *) fail "profile is \"${SSM_profile:0:40}\": use quick or full" ;;
  esac
  case "${SSM_windowSeconds}" in
    0 | 1 | 2 | 5) ;;
    *) fail "windowSeconds is \"${SSM_windowSeconds:0:40}\": use 0, 1, 2 or 5" ;;
  esac

  find_hierarchy || true
  TREE=''
  local probes=''
  add_probe host probe_host
  add_probe hierarchy probe_hierarchy
  TREE="$(walk_tree)" || true
  add_probe cgroups probe_cgroups
  add_probe slices probe_slices
  add_probe memory probe_memory
  add_probe pressure probe_pressure
  add_probe reclaim probe_reclaim
  printf '{"version":1,"document":"collect-evidence","profile":"%s","collectedAt":"%s","probes":{%s}}\n' \
    "${SSM_profile}" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${probes}"
}

# Runs in a subshell, so that no probe can end the document.
add_probe() {
  local name="$1" probe="$2" text status=0
  text="$("${probe}")" || status=$?
  if ((status == 0)) && [[ -n "${text}" ]]; then
    text="{\"status\":\"ok\",\"value\":${text}}"
  else
    if [[ -z "${text}" || ${status} -gt 2 ]]; then text="the probe stopped with exit code ${status}"; fi
    json_string "${text:0:400}"
    text="{\"status\":\"$( ((status == 1)) && echo missing || echo failed)\",\"reason\":${REPLY}}"
  fi
  probes+="${probes:+,}\"${name}\":${text}"
}

missing() {
  printf '%s' "$1"
  exit 1
}

failed() {
  printf '%s' "$1"
  exit 2
}

is_number() { [[ "$1" =~ ^[0-9]+$ ]]; }

main "$@"
