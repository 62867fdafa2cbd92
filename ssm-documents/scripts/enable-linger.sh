#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Lets users linger: systemd then keeps the user's slice and manager between logins, instead of making and removing
# them, memory cgroups and all, for every one. It does not help where every login gets a session scope with a memory
# cgroup of its own (current systemd): there contain-sessions does.

DOCUMENT=enable-linger

main() {
  require_parameters users incident fencing dryRun
  one_of dryRun "${SSM_dryRun}" true false
  use_incident enable-linger "${SSM_incident}"
  name_users
  lower_priority
  find_loginctl || fail "${REASON}: users cannot be made to linger without it"
  take_turn
  plan
  count_lingering
  local before="{\"lingering\":${LINGERING}}"
  if [[ "${SSM_dryRun}" == false && -n "${PLANNED}" ]]; then enable; fi
  count_lingering
  local changed=false
  if [[ "${SSM_dryRun}" == false && -n "${PLANNED}" ]]; then changed=true; fi
  print_result "${changed}" "${before}" "{\"lingering\":${LINGERING}}" disable-linger
}

# Sets USERS, each once.
name_users() {
  local plain='^[A-Za-z_][A-Za-z0-9_.-]{0,31}$' name
  local -a named=()
  USERS=()
  if [[ " ${SSM_users} " == *[$'\n\r\t']* || " ${SSM_users} " == *'  '* ]]; then fail "users must be separated by single spaces"; fi
  read -ra named <<<"${SSM_users}"
  ((${#named[@]} > 0)) || fail "users is empty: name at least one"
  ((${#named[@]} <= 20)) || fail "users names ${#named[@]} users: at most 20"
  for name in "${named[@]}"; do
    [[ "${name}" =~ ${plain} ]] || fail "users has \"${name:0:40}\": letters, digits, _ . and - only, at most 32, a letter or _ first"
    if [[ " ${USERS[*]-} " != *" ${name} "* ]]; then USERS+=("${name}"); fi
  done
}

plan() {
  local name known=0
  for name in "${USERS[@]}"; do
    if ! user_exists "${name}"; then
      refuse "${name}" 'there is no such user on this node'
      continue
    fi
    known=$((known + 1))
    value_of_linger "${name}"
    # A user's own linger is not ours to take back later.
    if [[ "${VALUE}" == off ]]; then plan_change linger "${name}" off on; fi
  done
  if ((known == 0)); then fail "no user can be made to linger: ${LAST_REFUSAL}"; fi
  if [[ -n "${PLANNED}" && ! -d "${ROOT}${LINGER_FOLDER}" ]]; then
    # First in the list: it is taken back last.
    local users="${PLANNED}"
    PLANNED=''
    plan_change directory "${LINGER_FOLDER}" absent directory
    PLANNED+="${users}"
  fi
}

count_lingering() {
  local name
  LINGERING=0
  for name in "${USERS[@]}"; do
    value_of_linger "${name}"
    if [[ "${VALUE}" == on ]]; then LINGERING=$((LINGERING + 1)); fi
  done
}

enable() {
  local name enabled=0
  save_changes || fail "cannot record in ${STATE} what would be changed: nothing was"
  for name in "${USERS[@]}"; do
    is_planned linger "${name}" || continue
    if asked_to_stop || ! set_linger enable "${name}"; then
      if asked_to_stop; then REASON='asked to stop by disable-linger'; fi
      refuse "${name}" "${REASON}"
      unplan_change linger "${name}"
    else
      enabled=$((enabled + 1))
    fi
  done
  if ((enabled == 0)); then
    restore_changes false
    fail "no user lingers who did not before: ${LAST_REFUSAL}"
  fi
}

main "$@"
