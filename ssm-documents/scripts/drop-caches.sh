#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Drops the page cache and the reclaimable slab of the whole node, once: the last resort against dying cgroups that no
# targeted reclaim can free. Every pod then reads its files from disk again, so somebody has to have allowed it.

DOCUMENT=drop-caches
KNOB=/proc/sys/vm/drop_caches
SETTLE_SECONDS=5

main() {
  require_parameters approval ioFullLimit maxSeconds incident fencing dryRun
  check_parameters
  lower_priority
  find_hierarchy || fail "${REASON}"
  use_incident drop-caches "${SSM_incident}"
  start_pace "${SSM_maxSeconds}"
  CHANGED=false SYNC_CS=0 DROP_CS=0 ERROR=''
  take_turn
  measure
  BEFORE="${MEASURED}" DIRTY_BEFORE="${DIRTY_KB}"
  if [[ -e "${STATE}/drop" ]]; then
    refuse "${KNOB}" "incident ${SSM_incident} has dropped the caches of this node already, or was killed while it did: another drop is for another incident"
    report
    return
  fi
  refuse_while_dropping
  refuse_under_io
  [[ -e "${ROOT}${KNOB}" && ! -d "${ROOT}${KNOB}" ]] || fail "${KNOB} is missing on this node"
  plan_change drop-caches "${KNOB}" kept dropped
  if [[ "${SSM_dryRun}" == false ]]; then
    write_back
    drop
  fi
  report
  [[ -z "${ERROR}" ]]
}

check_parameters() {
  local who='^(policy:)?[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$'
  if [[ ! "${SSM_approval}" =~ ${who} ]]; then
    fail "approval is \"${SSM_approval:0:80}\": name the approval, or policy:NAME, that allows dropping the caches of the whole node"
  fi
  one_of ioFullLimit "${SSM_ioFullLimit}" 0 5 10 20 40
  one_of maxSeconds "${SSM_maxSeconds}" 30 60 120 300 600
  one_of dryRun "${SSM_dryRun}" true false
}

# Sets MEASURED to what is compared before and after, and DIRTY_KB.
measure() {
  local cached
  count_dying ''
  cached_kb
  cached="${VALUE}"
  read_field "${ROOT}/proc/meminfo" Dirty || VALUE=0
  DIRTY_KB="${VALUE}"
  MEASURED="{\"dying\":${DYING},\"cachedKb\":${cached}}"
}

# A drop that was given up on can still be at work in the kernel, where no signal reaches it. A second would only
# wait behind it, or beside it.
refuse_while_dropping() {
  local file pid started
  read_line "${ROOT}/proc/sys/kernel/random/boot_id" || VALUE=unknown
  BOOT="${VALUE}"
  for file in "${STATE_ROOT}"/*/drop; do
    read_line "${file}" || continue
    [[ "${VALUE}" =~ ^pid\ ([0-9]+)\ started\ ([0-9]+)\ boot\ (.+)$ && "${BASH_REMATCH[3]}" == "${BOOT}" ]] || continue
    pid="${BASH_REMATCH[1]}" started="${BASH_REMATCH[2]}"
    process_start "${pid}"
    if [[ "${VALUE}" == "${started}" ]]; then
      file="${file%/drop}"
      fail "the drop of incident ${file##*/} is still at work in the kernel (pid ${pid}): wait for it, or replace the node"
    fi
  done
}

# What is dropped is read again from disks that are busy already. Looked at before our own sync makes them busy.
refuse_under_io() {
  IO_FULL=null
  if full_pressure io; then IO_FULL="${FULL}"; fi
  ((SSM_ioFullLimit > 0)) || return 0
  if [[ "${IO_FULL}" == null ]]; then
    fail "cannot read the IO pressure of this node (/proc/pressure/io): nothing was dropped; ioFullLimit 0 does it without looking"
  elif ((IO_FULL >= SSM_ioFullLimit)); then
    fail "every task of this node waits for IO ${IO_FULL} % of the time (limit ${SSM_ioFullLimit} %): nothing was dropped; try again when that is over"
  fi
}

# Dirty pages cannot be dropped, and they hold dying cgroups.
write_back() {
  local status=0 start
  read_now
  start="${NOW_CS}"
  # On a recorded node only the file system that holds it.
  run_bounded $((SSM_maxSeconds / 2)) sync ${ROOT:+-f "${ROOT}"} || status=$?
  read_now
  SYNC_CS=$((NOW_CS - start))
  case "${status}" in
    0) ;;
    124 | 125) fail "writing the dirty pages back did not end within $((SSM_maxSeconds / 2)) s (a dead network file system?): nothing was dropped" ;;
    *) fail "sync failed with ${status}: nothing was dropped: ${COMPLAINT}" ;;
  esac
}

drop() {
  local status=0 start left
  read_now
  start="${NOW_CS}"
  left=$(((DEADLINE_CS - NOW_CS) / 100))
  run_bounded $((left > 1 ? left : 1)) write_knob || status=$?
  read_now
  DROP_CS=$((NOW_CS - start))
  CHANGED=true
  case "${status}" in
    0) wait_for_dying "${SETTLE_SECONDS}" ;;
    124) ERROR="the drop was ended by its time limit after $(seconds "${DROP_CS}") s: only a part was dropped" ;;
    125) ERROR="the drop does not end and cannot be killed: it goes on in the kernel after this result" ;;
    *)
      rm -f "${STATE}/drop"
      fail "cannot write to ${KNOB}: ${COMPLAINT:-status ${status}}"
      ;;
  esac
}

# In a child. That it has begun is kept before it begins: whoever is delivered twice drops once.
write_knob() {
  process_start "${BASHPID}"
  printf 'pid %s started %s boot %s\n' "${BASHPID}" "${VALUE}" "${BOOT}" >"${STATE}/drop" || exit 1
  printf '3\n' >"${ROOT}${KNOB}"
}

report() {
  local error=''
  measure
  json_string "${SSM_approval}"
  if [[ -n "${ERROR}" ]]; then
    log "error: ${ERROR}"
    error=",\"error\":\"${ERROR}\""
  fi
  print_result "${CHANGED}" "${BEFORE}" "${MEASURED}" '' \
    ",\"hierarchy\":\"${HIERARCHY}\",\"approval\":${REPLY},\"ioFullPercent\":${IO_FULL:-null},\"dirtyKb\":${DIRTY_BEFORE},\"syncSeconds\":$(seconds "${SYNC_CS}"),\"dropSeconds\":$(seconds "${DROP_CS}")${error}"
}

main "$@"
