#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Frees dying memory cgroups in the named slices.
#
# Reclaim on a living ancestor reaches the dying below it, and would take the living's page cache with it. So on v2 the
# living are shielded (lib/protection.sh), the writes are small, and no more is asked for than the dying hold. v1 has
# no such shield: there the caller names slices that hold little else. No limit of any cgroup is ever touched, for a
# limit can throttle or kill a living task.

DOCUMENT=reclaim
# One write to memory.reclaim: small, so that the soft protection of the living holds.
WRITE_KB=4096
# What a write does not free, another one may: it has aged the pages of metadata, and once it finds no pages it reaches the
# cached inodes that hold the rest. It then takes some of the living's, too: so it asks for one page, and few times.
LITTLE_KB=64
NUDGE_KB=4
MAX_NUDGES=16
MAX_IDLE_NUDGES=3
NUDGE_SETTLE_SECONDS=2
# Not worth that: fewer than a fresh node has, or one in a hundred, which drop_caches leaves as well.
NEGLIGIBLE=20
# A write can block for long on a sick node; a signal ends it.
WRITE_SECONDS=10
# One turn of memory.force_empty on v1, which works until it is interrupted. Longer after turns that freed nothing: on a
# starved node the first 50 ms can be over before the write has begun.
TURN_SECONDS=(0.05 0.1 0.2 0.4 0.8)
# A dying cgroup goes away some time after its last page.
SETTLE_SECONDS=5
# Characters of all lists of what a dry run would raise.
MAX_RAISES=6000
# How long the disks may be busy: what the kernel writes back is over by then, and forgotten by its average of 10 s.
IO_PATIENCE_SECONDS=20

main() {
  require_parameters slices cpuPercent maxSeconds psiFullLimit ioFullLimit incident fencing dryRun
  check_parameters
  lower_priority
  find_hierarchy || fail "${REASON}"
  use_incident reclaim "${SSM_incident}"
  start_pace "${SSM_maxSeconds}"
  RAISED=0 NOT_RAISED=0 ALL_RESTORED=0 REMAINING=0 CHANGED=false RAISES_LENGTH=0 SLICE_REPORTS='' REFUSALS='' ARMED=''
  LEFT_SHMEM=0 LEFT_DIRTY=0 LEFT_MAPPED=0 LEFT_UNEVICTABLE=0
  choose_raised_low "${SSM_incident}"

  need_pressure memory psiFullLimit "${SSM_psiFullLimit}"
  need_pressure io ioFullLimit "${SSM_ioFullLimit}"
  if [[ "${HIERARCHY}" == v1 ]] && swap_is_on; then
    fail "swap is on: memory.force_empty would swap the living out, and cgroup v1 has no way to shield them"
  fi
  validate_slices
  take_turn
  if [[ "${SSM_dryRun}" == false ]]; then
    restore_leftovers
    trap give_back EXIT
    trap 'exit 143' TERM INT HUP
  fi
  count_dying ''
  if [[ "${DYING}" == null ]]; then fail "cannot count the dying cgroups of this node"; fi
  local before="${DYING}" before_cached after_cached slice
  cached_kb
  before_cached="${VALUE}"
  for slice in "${SLICES[@]}"; do reclaim_slice "${slice}"; done
  settle
  cached_kb
  after_cached="${VALUE}"
  give_back
  print_result "${before}" "${before_cached}" "${DYING}" "${after_cached}"
}

# A limit ($3, of parameter $2) that cannot be kept is no limit.
need_pressure() {
  if (($3 > 0)) && ! full_pressure "$1"; then
    fail "cannot read /proc/pressure/$1, so the pressure limit of $3 % cannot be kept: boot with psi=1, or pass $2 0 and watch the node yourself"
  fi
}

swap_is_on() {
  local -a lines=()
  mapfile -t lines 2>/dev/null <"${ROOT}/proc/swaps" || return 1
  ((${#lines[@]} > 1))
}

check_parameters() {
  one_of cpuPercent "${SSM_cpuPercent}" 1 2 5 10 20 50
  one_of maxSeconds "${SSM_maxSeconds}" 10 30 60 120 300 600 1200
  one_of psiFullLimit "${SSM_psiFullLimit}" 0 10 20 40
  one_of ioFullLimit "${SSM_ioFullLimit}" 0 10 20 40
  one_of dryRun "${SSM_dryRun}" true false
  ((${#SSM_slices} <= 4000)) || fail "slices has ${#SSM_slices} characters: at most 4000"
}

# Sets SLICES to those that may be touched; the others go to REFUSALS with their reason.
validate_slices() {
  local -a named=()
  local slice
  SLICES=()
  if [[ " ${SSM_slices} " == *[$'\n\r\t']* || " ${SSM_slices} " == *'  '* ]]; then fail "slices must be separated by single spaces"; fi
  read -ra named <<<"${SSM_slices}"
  ((${#named[@]} <= 20)) || fail "slices names ${#named[@]} slices: at most 20"
  for slice in ${named[@]+"${named[@]}"}; do
    if [[ " ${SLICES[*]-} " == *" ${slice} "* ]]; then continue; fi
    if slice_is_safe "${slice}"; then SLICES+=("${slice}"); else refuse "${slice}" "${REASON}"; fi
  done
  if ((${#SLICES[@]} == 0)); then fail "no slice can be reclaimed: ${LAST_REFUSAL:-none was named}"; fi
}

# Returns 1 with REASON unless the slice is an existing cgroup below the mount, reached without links or "..".
slice_is_safe() {
  local slice="$1" part path="${ROOT}${MOUNT}" knob=memory.force_empty
  local plain='^(/[A-Za-z0-9_.:@\-]{1,255}){1,6}$'
  local -a parts=()
  REASON=''
  if [[ "${slice}" == / ]]; then
    REASON='the root of the hierarchy holds everything on the node'
    return 1
  fi
  if [[ ! "${slice}" =~ ${plain} ]]; then
    REASON='not a path of at most six plain names'
    return 1
  fi
  IFS=/ read -ra parts <<<"${slice#/}"
  for part in "${parts[@]}"; do
    if [[ "${part}" == . || "${part}" == .. ]]; then
      REASON='"." and ".." are not allowed in it'
      return 1
    fi
    path+="/${part}"
    if [[ -L "${path}" ]]; then
      REASON='it goes through a symbolic link'
      return 1
    fi
  done
  if [[ ! -d "${path}" ]]; then
    REASON='it does not exist'
    return 1
  fi
  if [[ "${HIERARCHY}" == v2 ]]; then knob=memory.reclaim; fi
  if [[ ! -e "${path}/${knob}" ]]; then
    REASON="it has no ${knob}$([[ "${HIERARCHY}" == v2 ]] && echo ' (needs kernel 5.19 or later, and the memory controller in this slice)')"
    return 1
  fi
}

refuse() {
  local slice reason
  LAST_REFUSAL="${1:0:300}: $2"
  log "refused: ${LAST_REFUSAL}"
  json_string "${1:0:500}" && slice="${REPLY}"
  json_string "$2" && reason="${REPLY}"
  REFUSALS+="${REFUSALS:+,}{\"slice\":${slice},\"reason\":${reason}}"
}

# We hold the lock, so whoever left a saved state behind is dead. Restored first, raised values can never be saved as
# originals. What is left of old incidents goes after a week.
restore_leftovers() {
  local own="${STATE}" left unrestored=0
  for left in "${STATE_ROOT}"/*/saved; do
    STATE="${left%/saved}"
    log "restoring what a killed reclaim left in ${STATE}"
    restore_saved false
    unrestored=$((unrestored + REMAINING))
  done
  STATE="${own}" REMAINING=0
  if ((unrestored > 0)); then fail "could not restore what an earlier reclaim raised: ${unrestored} left in ${STATE_ROOT}"; fi
}

reclaim_slice() {
  local slice="$1"
  WRITES=0 ASKED_KB=0 STOPPED='' SHIELDED=() BUDGET_KB=null WOULD_RAISE=''
  if ! slice_is_safe "${slice}"; then
    refuse "${slice}" "${REASON}"
    return
  fi
  if ((REMAINING > 0)); then
    refuse "${slice}" "the protections of the slice before it could not be restored"
    return
  fi
  if [[ "${HIERARCHY}" == v2 ]]; then
    if ! plan_protection "${slice}"; then
      refuse "${slice}" "${REASON}"
      return
    fi
  else
    list_children "${slice}"
  fi
  count_dying "${slice}"
  local dying="${DYING}" ghost
  slice_ghosts "${slice}"
  ghost="${GHOST_KB}"
  if [[ "${HIERARCHY}" == v2 ]]; then BUDGET_KB="${FREEABLE_KB}"; fi
  if [[ "${SSM_dryRun}" == true ]]; then
    predict_raises "${dying}"
    STOPPED=dry-run
  elif may_go_on "${slice}"; then
    if [[ "${HIERARCHY}" == v2 ]]; then reclaim_protected "${slice}" "${dying}"; else empty_in_turns "${slice}"; fi
  fi
  count_dying "${slice}"
  slice_ghosts "${slice}"
  add_left
  report_slice "${slice}" "${dying}" "${ghost}" "${DYING}" "${GHOST_KB}"
}

# Sets WOULD_RAISE, and adds to RAISED, what a run would raise in a slice with $1 dying cgroups; nothing on v1.
predict_raises() {
  local original raised path left=0
  if [[ "${HIERARCHY}" == v1 || "$1" == null ]] || is_cured "$1" "$(negligible_of "$1")"; then PLAN=''; fi
  while IFS=' ' read -r original raised path; do
    [[ -n "${path}" ]] || continue
    RAISED=$((RAISED + 1))
    json_string "${path}"
    if ((RAISES_LENGTH + ${#REPLY} > MAX_RAISES)); then
      left=$((left + 1))
      continue
    fi
    RAISES_LENGTH=$((RAISES_LENGTH + ${#REPLY} + 60))
    WOULD_RAISE+="${WOULD_RAISE:+,}{\"path\":${REPLY},\"from\":\"${original}\",\"to\":\"${raised}\"}"
  done <<<"${PLAN}"
  WOULD_RAISE=",\"wouldRaise\":[${WOULD_RAISE}],\"wouldRaiseLeftOut\":${left}"
}

# So few of $1 dying cgroups are left alone.
negligible_of() { echo $(($1 / 100 > NEGLIGIBLE ? $1 / 100 : NEGLIGIBLE)); }

# v1: the living children of this moment, for the ghost bytes.
list_children() {
  local child
  SHIELDED=()
  for child in "${ROOT}${MOUNT}$1"/*/; do
    child="${child%/}"
    if [[ "${child}" != *$'\n'* ]]; then SHIELDED+=("${child#"${ROOT}${MOUNT}"}"); fi
  done
}

# Sets GHOST_KB and its fellows; null where the slice is gone or has too many children to read.
slice_ghosts() {
  GHOST_KB=null FREEABLE_KB=0 SHMEM_KB=0 DIRTY_KB=0 MAPPED_KB=0 UNEVICTABLE_KB=0
  if ((${#SHIELDED[@]} <= 1000)); then
    read_ghosts "$1" ${SHIELDED[@]+"${SHIELDED[@]}"} || GHOST_KB=null
  fi
}

# --- cgroup v2 -------------------------------------------------------------------------------------------------

reclaim_protected() {
  local slice="$1" dying="$2" ask nudges=0 idle=0 negligible
  if [[ "${dying}" == null ]]; then
    STOPPED=error
    refuse "${slice}" "its dying cgroups cannot be counted"
    return
  fi
  negligible="$(negligible_of "${dying}")"
  if is_cured "${dying}" "${negligible}"; then return; fi
  if ! shield "${slice}"; then
    STOPPED=error
    refuse "${slice}" "could not save the protections or arm the dead man's switch: nothing was raised"
    return
  fi
  while ! is_cured "${dying}" "${negligible}" && may_go_on "${slice}"; do
    # Beyond what the dying (still) hold, the soft protection gives way and the living pay.
    ask=$((FREEABLE_KB < WRITE_KB ? FREEABLE_KB : WRITE_KB))
    if ((ask > BUDGET_KB - ASKED_KB)); then ask=$((BUDGET_KB - ASKED_KB)); fi
    if ((nudges > 0 || idle > 0 || FREEABLE_KB < LITTLE_KB)); then
      ask="${NUDGE_KB}"
      nudges=$((nudges + 1))
    fi
    if ((ask <= 0 || nudges > MAX_NUDGES)); then
      STOPPED=budget
      break
    fi
    read_now
    WROTE_CS="${NOW_CS}"
    # EAGAIN (less was found than asked for) can still be progress: the count decides, not the status.
    timed_write "${WRITE_SECONDS}" "$((ask * 1024))" "${slice}/memory.reclaim" || true
    CHANGED=true
    WRITES=$((WRITES + 1))
    ASKED_KB=$((ASKED_KB + ask))
    pace "${SSM_cpuPercent}" 100
    if helped "${slice}" "${dying}" $((nudges == 0 ? SETTLE_SECONDS : NUDGE_SETTLE_SECONDS)); then
      idle=0
    elif ((nudges == 0 && FREEABLE_KB >= LITTLE_KB)) && wait_for_writeback; then
      log "waited until what was dirty has been written; once more"
    elif ((++idle > MAX_IDLE_NUDGES)); then
      STOPPED=no-progress
      break
    fi
    dying="${DYING}"
  done
  unshield
}

# Whether $1 dying cgroups are none, or so few ($2) that what little they hold is left to them. Sets STOPPED then.
is_cured() {
  if (($1 == 0 || ($1 <= $2 && FREEABLE_KB < LITTLE_KB))); then
    STOPPED='done'
    return 0
  fi
  return 1
}

# Dirty metadata of the file system cannot be freed, and is in no count of dirty pages. The kernel writes what is older than
# half a minute by itself: so by the time that this run is that old, what the dying held before it is clean. A sync would do
# it at once, at the cost of everybody's disk. Returns 1 where the last write was late enough, or there is no time.
wait_for_writeback() {
  local until_cs="${STARTED_CS}" knob
  # The second time for the writing itself.
  for knob in dirty_expire_centisecs dirty_writeback_centisecs dirty_writeback_centisecs; do
    read_line "${ROOT}/proc/sys/vm/${knob}" && [[ "${VALUE}" =~ ^[0-9]{1,4}$ ]] || return 1
    until_cs=$((until_cs + VALUE))
  done
  if ((WROTE_CS >= until_cs || until_cs >= DEADLINE_CS)); then return 1; fi
  read_now
  while ((NOW_CS < until_cs)) && ! asked_to_stop; do
    sleep 1 9>&-
    read_now
  done
}

# Writes $2 into file $3 (relative to the mount) in a child that ends after $1 seconds: the document itself must never
# hang in the kernel, for it has protections to give back. tee starts faster than a shell.
timed_write() {
  printf '%s\n' "$2" | timeout --foreground -k 5 -s INT "$1" tee "${ROOT}${MOUNT}$3" 2>&1 >/dev/null 9>&-
}

shield() {
  [[ -n "${PLAN}" ]] || return 0
  read_now
  RUN="${SSM_incident:0:60}-$$-${NOW_CS}"
  printf '%s' "${PLAN}" | save_state "${RUN}" || return 1
  if ! arm_switch "${RUN}" $(((DEADLINE_CS - NOW_CS) / 100 + 30)); then
    clear_state
    return 1
  fi
  ARMED=1
  raise_protection
}

# Gives back what is still raised, which also disarms the switch.
unshield() {
  ARMED=''
  [[ -e "${STATE}/saved" ]] || return 0
  restore_saved false
  ALL_RESTORED=$((ALL_RESTORED + RESTORED))
  if [[ -n "${SKIPPED}" ]]; then log "left alone: ${SKIPPED}"; fi
}

# Whether a write freed anything of slice $1 with $2 dying cgroups, in those or in bytes, looked at for up to $3 seconds.
# Sets DYING and FREEABLE_KB.
helped() {
  local slice="$1" dying="$2" freeable="${FREEABLE_KB}" second
  for ((second = 1; second <= $3; second++)); do
    count_dying "${slice}"
    slice_ghosts "${slice}"
    if [[ "${DYING}" == null ]]; then return 1; fi
    if ((DYING < dying || FREEABLE_KB < freeable - freeable / 50)); then return 0; fi
    # Too early to tell; the loop stops for it.
    if out_of_time || asked_to_stop; then return 0; fi
    sleep 1 9>&-
  done
  return 1
}

# Whether everybody still waits for the disks after some patience: what is freed has to be read again from them.
disks_stay_busy() {
  local until_cs
  read_now
  until_cs=$((NOW_CS + IO_PATIENCE_SECONDS * 100))
  while under_pressure io "${SSM_ioFullLimit}"; do
    if ((NOW_CS >= until_cs)) || out_of_time || asked_to_stop; then return 0; fi
    sleep 1 9>&-
    read_now
  done
  return 1
}

# Sets STOPPED and returns 1 when the next write must not be made.
may_go_on() {
  local knob=memory.force_empty
  if [[ "${HIERARCHY}" == v2 ]]; then knob=memory.reclaim; fi
  if out_of_time; then
    STOPPED='time'
  elif [[ ! -e "${ROOT}${MOUNT}$1/${knob}" ]]; then
    STOPPED=gone
  elif asked_to_stop; then
    log "asked to stop by reclaim-restore"
    STOPPED=error
  elif [[ -n "${ARMED}" && ! -e "${STATE}/saved" ]]; then
    log "somebody else has restored the protections: stopping"
    STOPPED=error
  elif under_pressure memory "${SSM_psiFullLimit}" || disks_stay_busy; then
    log "pressure: every task waits ${FULL:-an unknown part} % of the time"
    STOPPED=pressure
  else
    return 0
  fi
  return 1
}

# --- cgroup v1 -------------------------------------------------------------------------------------------------

# memory.force_empty works on the whole subtree until it is done or interrupted: short turns, and pauses by the CPU
# they really used. One turn can take ten times its time, and the first few can free nothing. Every turn can take page
# cache of the living: none is made once the dying hold nothing any more.
empty_in_turns() {
  local slice="$1" status finished=0 idle=0 best registered held best_held idle_since
  registered="$(registered_cgroups)"
  best="${registered}"
  held_by_dying "${slice}"
  best_held="${VALUE}"
  read_now
  idle_since="${NOW_CS}"
  while ! is_emptied "${registered}" "${idle}" && may_go_on "${slice}"; do
    status=0
    timed_write "${TURN_SECONDS[idle < 4 ? idle : 4]}" 0 "${slice}/memory.force_empty" || status=$?
    CHANGED=true
    WRITES=$((WRITES + 1))
    pace "${SSM_cpuPercent}" 10
    registered="$(registered_cgroups)" || registered="${best}"
    list_children "${slice}"
    slice_ghosts "${slice}"
    held_by_dying "${slice}"
    held="${VALUE}"
    read_now
    if ((registered < best || held < best_held - best_held / 100)); then
      idle=0
      idle_since="${NOW_CS}"
      best=$((registered < best ? registered : best))
      best_held=$((held < best_held ? held : best_held))
    else
      idle=$((idle + 1))
    fi
    # It returned by itself: the kernel found nothing more to free. A second look gets what was busy.
    if ((status == 0)); then finished=$((finished + 1)); fi
    if ((finished >= 2 && (idle > 0 || finished >= 5))); then
      STOPPED='done'
      break
    fi
    if ((idle >= 5 && NOW_CS - idle_since >= SETTLE_SECONDS * 100)); then
      STOPPED=no-progress
      break
    fi
  done
}

# Whether the leak is gone, of $1 cgroups that the kernel knows and after $2 turns in a row that did not help: the dying of
# the slice hold no page cache and the last turn has freed none of them, or the node has no more than any has. Sets STOPPED
# then. What goes without a turn costs the living nothing.
is_emptied() {
  local dying=$(($1 - LIVING))
  if [[ "${GHOST_KB}" != null ]] && ((FREEABLE_KB < LITTLE_KB && (WRITES == 0 || $2 > 0 || dying <= NEGLIGIBLE))); then
    STOPPED='done'
    return 0
  fi
  ((dying <= 0)) || return 1
  # Unless there are fewer living ones by now.
  count_dying ''
  if [[ "${DYING}" == 0 ]]; then STOPPED='done'; fi
  [[ "${DYING}" == 0 ]]
}

# Sets VALUE to what falls as the dying lose their page cache: what they hold, or all of slice $1 where that cannot be told.
held_by_dying() {
  if [[ "${GHOST_KB}" != null ]]; then
    VALUE="${FREEABLE_KB}"
  else
    read_field "${ROOT}${MOUNT}$1/memory.stat" total_cache || VALUE=0
  fi
}

# --- the result ------------------------------------------------------------------------------------------------

settle() {
  if [[ "${CHANGED}" == true ]] && ! asked_to_stop; then wait_for_dying "${SETTLE_SECONDS}"; fi
  count_dying ''
}

# Runs at the end, however it comes (but for SIGKILL: then the switch does it).
give_back() {
  local status=$?
  trap - EXIT
  unshield
  say_unexpected "${status}"
}

add_left() {
  LEFT_SHMEM=$((LEFT_SHMEM + SHMEM_KB)) LEFT_DIRTY=$((LEFT_DIRTY + DIRTY_KB))
  LEFT_MAPPED=$((LEFT_MAPPED + MAPPED_KB)) LEFT_UNEVICTABLE=$((LEFT_UNEVICTABLE + UNEVICTABLE_KB))
}

report_slice() {
  json_string "$1"
  SLICE_REPORTS+="${SLICE_REPORTS:+,}{\"path\":${REPLY},\"before\":{\"dying\":$2,\"ghostKb\":$3},\"after\":{\"dying\":$4,\"ghostKb\":$5},\"writes\":${WRITES},\"budgetKb\":${BUDGET_KB},\"askedKb\":${ASKED_KB},\"stopped\":\"${STOPPED}\"${WOULD_RAISE}}"
}

print_result() {
  local undo=null pinned='' pair
  if ((REMAINING > 0)); then undo="{\"document\":\"reclaim-restore\",\"parameters\":{\"incident\":\"${SSM_incident}\"}}"; fi
  for pair in "shmem:${LEFT_SHMEM}" "dirty:${LEFT_DIRTY}" "mapped:${LEFT_MAPPED}" "unevictable:${LEFT_UNEVICTABLE}"; do
    if ((${pair#*:} > 0)); then pinned+="${pinned:+,}{\"kind\":\"${pair%%:*}\",\"kb\":${pair#*:}}"; fi
  done
  read_cpu
  read_now
  SAID=1
  printf '{"version":1,"document":"reclaim","changed":%s,"dryRun":%s,"hierarchy":"%s","before":{"dying":%s,"cachedKb":%s},"after":{"dying":%s,"cachedKb":%s},"slices":[%s],"protection":{"raised":%d,"restored":%d,"skipped":%d,"switch":"%s"},"left":{"dying":%s,"pinned":[%s]},"cpuSeconds":%s,"wallSeconds":%s,"refusals":[%s],"undo":%s}\n' \
    "${CHANGED}" "${SSM_dryRun}" "${HIERARCHY}" "$1" "$2" "$3" "$4" "${SLICE_REPORTS}" "${RAISED}" "${ALL_RESTORED}" \
    "${NOT_RAISED}" "${SWITCH:-none}" "$3" "${pinned}" "$(seconds "${CPU_CS}")" "$(seconds $((NOW_CS - STARTED_CS)))" "${REFUSALS}" "${undo}"
}

main "$@"
