#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Ends the leak of logins: below user.slice there is no memory controller any more, so that a session has no memory
# cgroup to leave behind. What sessions read and use is charged to user.slice (v2) or to the root (v1).
#
# Lingering does not do this: a lingering user's logins get a session scope each just the same.

DOCUMENT=contain-sessions
# systemd keeps what we write, but sessions begin while we write.
MAX_PASSES=5

main() {
  require_parameters allowLimitLoss incident fencing dryRun
  one_of allowLimitLoss "${SSM_allowLimitLoss}" true false
  one_of dryRun "${SSM_dryRun}" true false
  use_incident contain-sessions "${SSM_incident}"
  lower_priority
  find_hierarchy || fail "${REASON}"
  find_systemd || fail "${REASON}: sessions cannot be contained without it"
  ((SYSTEMD_VERSION >= 240)) || fail "systemd ${SYSTEMD_VERSION} does not know DisableControllers: it needs 240 or later"
  take_turn
  look
  local before="${STATE_NOW}"
  plan
  if [[ "${SSM_dryRun}" == true ]]; then
    print_result false "${before}" "${before}" ''
    return
  fi
  if [[ -z "${PLANNED}" ]]; then
    print_result false "${before}" "${before}" release-sessions
    return
  fi
  contain
  look
  print_result true "${before}" "${STATE_NOW}" release-sessions
}

# Sets STATE_NOW. memoryPerSession: whether a session that begins now gets a memory cgroup.
look() {
  local count=0 session=true
  value_of_setting || fail "${REASON}"
  if [[ "${VALUE}" == 'without memory' ]]; then
    session=false
    if [[ "${HIERARCHY}" == v2 ]] && value_of_controllers "/${SESSIONS}" && [[ "${VALUE}" == +memory ]]; then session=true; fi
  fi
  if [[ -d "${ROOT}${MOUNT}/${SESSIONS}" ]]; then count="$(memory_cgroups)"; fi
  DYING=null
  if [[ "${HIERARCHY}" == v2 ]]; then count_dying "/${SESSIONS}"; fi
  STATE_NOW="{\"memoryPerSession\":${session},\"memoryCgroups\":${count},\"dying\":${DYING}}"
}

# Counts the cgroups below user.slice that have the memory controller.
memory_cgroups() {
  list_directories "${ROOT}${MOUNT}/${SESSIONS}" | awk '
    BEGIN { FS = "\n" }
    NR > 1 { file = $0 "/memory.stat"; if ((getline line < file) > 0) n++; close(file) }
    END { print n + 0 }'
}

plan() {
  local path status=0
  LIMITS=''
  name_drop_in "${SESSIONS}" no-memory $'[Slice]\nDisableControllers=memory'
  if [[ "${HIERARCHY}" == v2 ]]; then
    while IFS= read -r path; do plan_controllers "${path}"; done < <(passing_memory)
  fi
  value_of_setting || fail "${REASON}"
  if [[ "${VALUE}" == 'with memory' ]]; then
    plan_change setting "${SESSIONS}" 'with memory' 'without memory'
    plan_drop_in || status=$?
    # 4: it is there, and was not loaded: a run that was killed.
    if ((status == 1)); then fail "${REASON}"; fi
  fi
  [[ -n "${PLANNED}" ]] || return 0
  # Its own, too: systemd applies none to a slice that turns the controller off.
  add_cgroup_limits "/${SESSIONS}" self
  add_configured_limits '^(user|user-[0-9]*)\.slice$|^session-.*\.scope$|^user@[0-9]*\.service$'
  refuse_limit_loss "${SSM_allowLimitLoss}"
}

plan_controllers() {
  if ! is_planned controllers "$1"; then plan_change controllers "$1" +memory -memory || true; fi
}

# The cgroups that pass memory on, user.slice and those below it, deepest first: the kernel refuses to take a
# controller from a cgroup whose children still pass it on.
passing_memory() {
  list_directories "${ROOT}${MOUNT}/${SESSIONS}" | awk -v start=$((${#ROOT} + ${#MOUNT} + 1)) '
    BEGIN { FS = "\n" }
    {
      file = $0 "/cgroup.subtree_control"
      line = ""
      if ((getline line < file) > 0 && (" " line " ") ~ / memory /) {
        path = substr($0, start)
        depth = gsub("/", "/", path)
        print depth "\t" path
      }
      close(file)
    }' | sort -rn | cut -f 2-
}

contain() {
  save_changes || fail "cannot record in ${STATE} what would be changed: nothing was"
  if is_planned file "${DROP_IN}"; then write_drop_in || give_up release-sessions "${REASON}"; fi
  value_of_setting || give_up release-sessions "${REASON}"
  if [[ "${VALUE}" == 'with memory' ]]; then
    reload_systemd || give_up release-sessions "${REASON}"
    value_of_setting || give_up release-sessions "${REASON}"
    if [[ "${VALUE}" == 'with memory' ]]; then
      give_up release-sessions 'systemd has loaded the drop-in and does not follow it: another one comes after it'
    fi
  fi
  if [[ "${HIERARCHY}" == v2 ]]; then turn_off_below; fi
}

# At once, instead of when systemd next finds user.slice idle.
turn_off_below() {
  local pass path
  local -a paths=()
  for ((pass = 0; pass < MAX_PASSES; pass++)); do
    mapfile -t paths < <(passing_memory)
    ((${#paths[@]} > 0)) || break
    for path in "${paths[@]}"; do plan_controllers "${path}"; done
    if ! save_changes; then
      refuse "/${SESSIONS}" "cannot record in ${STATE} what would be changed: sessions there are contained once they have ended"
      return
    fi
    for path in "${paths[@]}"; do write_controllers "${path}" -memory || true; done
  done
  for path in ${paths[@]+"${paths[@]}"}; do
    if value_of_controllers "${path}" && [[ "${VALUE}" == +memory ]]; then
      refuse "${path}" 'the kernel does not take -memory: it is contained once its sessions have ended'
    fi
  done
}

main "$@"
