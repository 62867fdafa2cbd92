#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Stops session and run scopes that nobody needs any more, through systemd, which owns them. Then removes the cgroup
# directories that hold nothing and have no owner any more. A directory that is removed held nothing: nothing to undo.

DOCUMENT=stop-scopes

main() {
  require_parameters minAgeSeconds maxCount endProcesses processesOf incident fencing dryRun
  one_of minAgeSeconds "${SSM_minAgeSeconds}" 60 300 900 3600 21600 86400
  one_of maxCount "${SSM_maxCount}" 10 50 100 500 1000
  one_of endProcesses "${SSM_endProcesses}" true false
  check_users
  one_of dryRun "${SSM_dryRun}" true false
  use_incident stop-scopes "${SSM_incident}"
  lower_priority
  find_hierarchy || fail "${REASON}"
  find_systemd || fail "${REASON}: scopes cannot be stopped without it"
  take_turn
  STALE=() LEFTOVERS=() COUNT=0 LEFT=0 STOPPED=0 REMOVED=0 TOO_YOUNG=0 AGE_UNKNOWN=0 SPARED=
  find_stale
  find_leftovers
  local before="${#STALE[@]}" unpopulated="${UNPOPULATED}" changed=false
  if [[ "${SSM_dryRun}" == false ]]; then
    stop_stale
    remove_leftovers
    find_stale quietly
    count_unpopulated
  fi
  if ((STOPPED + REMOVED > 0)); then changed=true; fi
  print_result "${changed}" "{\"scopes\":${before},\"unpopulated\":${unpopulated}}" \
    "{\"scopes\":${#STALE[@]},\"unpopulated\":${UNPOPULATED}}" '' ",\"stopped\":${STOPPED},\"removed\":${REMOVED},\"left\":${LEFT},\"tooYoung\":${TOO_YOUNG},\"ageUnknown\":${AGE_UNKNOWN}"
}

check_users() {
  local plain='^(-|[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}( [A-Za-z0-9_][A-Za-z0-9_.-]{0,31}){0,9})$'
  [[ "${SSM_processesOf}" =~ ${plain} ]] || fail "processesOf is \"${SSM_processesOf:0:80}\": at most 10 names, separated by one space, or - for nobody"
  if [[ "${SSM_endProcesses}" == true && "${SSM_processesOf}" == - ]]; then fail 'endProcesses ends processes only of those who are named in processesOf: name them'; fi
}

# Takes one of maxCount. Returns 1 when there is none left.
take_one() {
  if ((COUNT >= SSM_maxCount)); then
    LEFT=$((LEFT + 1))
    return 1
  fi
  COUNT=$((COUNT + 1))
}

# Counts one that is left for its age ($1), unless it has been counted by its name $2.
spare() {
  [[ "${SPARED}" != *" $2 "* ]] || return 0
  SPARED+=" $2 "
  case "$1" in
    young) TOO_YOUNG=$((TOO_YOUNG + 1)) ;;
    unknown) AGE_UNKNOWN=$((AGE_UNKNOWN + 1)) ;;
  esac
}

# Sets STALE ("NAME<tab>KIND<tab>CGROUP"), and plans those that may be stopped.
find_stale() {
  local text line name kind group
  STALE=()
  text="$(stale_scopes "${SSM_minAgeSeconds}")" || fail 'systemd does not list its scopes'
  while IFS=$'\t' read -r name kind group; do
    case "${kind}" in
      '') ;;
      young | unknown) [[ "${1:-}" == quietly ]] || spare "${kind}" "${name}" ;;
      *) STALE+=("${name}"$'\t'"${kind}"$'\t'"${group}") ;;
    esac
  done <<<"${text}"
  [[ "${1:-}" != quietly ]] || return 0
  for line in ${STALE[@]+"${STALE[@]}"}; do
    IFS=$'\t' read -r name kind group <<<"${line}"
    if [[ "${kind}" == abandoned && "${SSM_endProcesses}" == false ]]; then
      count_processes "${group}"
      refuse "${name}" "its login is over and has left ${VALUE}: endProcesses=true ends them"
    elif [[ "${kind}" == abandoned ]] && ! { is_over "${name}" && is_of_named_user "${group}"; }; then
      refuse "${name}" "${REASON}"
    elif take_one; then
      if [[ "${kind}" == abandoned ]]; then
        count_processes "${group}"
        kind="abandoned, with ${VALUE}"
      fi
      plan_change scope "${name}" "${kind}" stopped || true
    fi
  done
}

# Whether the login that cgroup $1 was made for was that of one of SSM_processesOf, and so are all processes that it has
# left. Returns 1 with REASON.
is_of_named_user() {
  local user
  REASON='it cannot be told whose login it was'
  [[ "$1" =~ /user-([0-9]{1,10})\.slice/session- ]] || return 1
  user="$(user_name "${BASH_REMATCH[1]}")"
  REASON="its login was that of ${user:0:32}, who is not named in processesOf"
  [[ " ${SSM_processesOf} " == *" ${user} "* ]] && is_of_named_processes "$1"
}

# Stops what is planned, if it is still what it was.
stop_stale() {
  local kind subject from to line name group stopping=''
  local -a batch=()
  while IFS=$'\t' read -r kind subject from to; do
    [[ "${kind}" == scope ]] || continue
    for line in "${STALE[@]}"; do
      IFS=$'\t' read -r name _ group <<<"${line}"
      [[ "${name}" == "${subject}" ]] || continue
      if [[ "${from}" == empty ]] && scope_populated "${group}"; then
        refuse "${name}" 'a process has come into it'
      elif [[ "${from}" != empty ]] && ! { is_over "${name}" && is_of_named_user "${group}"; }; then
        refuse "${name}" "${REASON}"
      else
        batch+=("${name}")
      fi
    done
  done <<<"${PLANNED}"
  while ((${#batch[@]} > 0)) && ! asked_to_stop; do
    stop_scopes "${batch[@]:0:BATCH}"
    stopping+=$'\n'"$(printf '%s\n' "${batch[@]:0:BATCH}")"
    batch=("${batch[@]:BATCH}")
  done
  confirm_stopped "${stopping}"$'\n'
}

# Takes back from the list of changes what did not stop.
confirm_stopped() {
  local kind subject rest
  while IFS=$'\t' read -r kind subject rest; do
    [[ "${kind}" == scope ]] || continue
    if [[ "$1" == *$'\n'"${subject}"$'\n'* ]]; then
      unit_properties "${subject}" ActiveState || PROPERTY[ActiveState]=unknown
      if [[ "${PROPERTY[ActiveState]}" == inactive || "${PROPERTY[ActiveState]}" == failed ]]; then
        STOPPED=$((STOPPED + 1))
        continue
      fi
      refuse "${subject}" "systemd has been told to stop it and says: ${PROPERTY[ActiveState]}"
    fi
    unplan_change scope "${subject}"
  done <<<"${PLANNED}"
}

count_unpopulated() { UNPOPULATED="$(unpopulated | awk 'END { print NR }')" || UNPOPULATED=null; }

# Sets LEFTOVERS and plans them; UNPOPULATED counts all, old or not, owned or not. For a directory that is there,
# systemd is asked one at a time: there are few, or this is the run that makes them few.
find_leftovers() {
  local text kind path name pods=unknown why='' refused=0
  UNPOPULATED=0
  if ! text="$(unpopulated)"; then
    UNPOPULATED=null
    refuse "${MOUNT}" 'walking its directories took too long or failed: none is removed'
    return
  fi
  while IFS=$'\t' read -r kind path name; do
    [[ -n "${path}" ]] || continue
    UNPOPULATED=$((UNPOPULATED + 1))
    # A scope that is to be stopped takes its directory with it.
    if is_planned scope "${name}"; then continue; fi
    tell_directory_age "${path}" "${SSM_minAgeSeconds}"
    if [[ "${AGE}" != old ]]; then
      spare "${AGE}" "${name}"
      continue
    fi
    if [[ "${kind}" == pod && "${pods}" == unknown ]]; then
      pods=listed
      list_pods || pods=none why="${REASON}"
    fi
    if [[ "${kind}" == pod && "${pods}" == none ]]; then
      refused=$((refused + 1))
    elif ((COUNT >= SSM_maxCount)); then
      # Not asked about: on a sick node with thousands of them that alone would take all the time there is.
      LEFT=$((LEFT + 1))
    elif ! is_owned "${kind}" "${name}" && take_one; then
      LEFTOVERS+=("${kind}"$'\t'"${path}"$'\t'"${name}")
      plan_change cgroup "${path}" unpopulated removed || true
    fi
  done <<<"${text}"
  if ((refused > 0)); then refuse /kubepods "${why}: ${refused} empty directories of pods are left, for it cannot be told whether their pods exist"; fi
}

is_owned() {
  if [[ "$1" == pod ]]; then pod_is_there "$2"; else unit_is_there "$2"; fi
}

remove_leftovers() {
  local line kind path name
  # Once more: since then a pod can have come that was not there.
  if [[ " ${LEFTOVERS[*]-}" == *' pod'$'\t'* ]]; then list_pods || log "${REASON}"; fi
  for line in ${LEFTOVERS[@]+"${LEFTOVERS[@]}"}; do
    IFS=$'\t' read -r kind path name <<<"${line}"
    REASON=''
    if asked_to_stop; then
      REASON='asked to stop'
    elif [[ ! -d "${ROOT}${MOUNT}${path}" ]]; then
      REASON='somebody else has removed it'
    elif is_owned "${kind}" "${name}" || ! still_unpopulated "${path}"; then
      REASON='it has an owner or a process again'
    else
      if remove_tree "${path}"; then
        if [[ "${kind}" == pod ]]; then forget_pod_slice "${path}"; fi
        REMOVED=$((REMOVED + 1))
        continue
      fi
    fi
    refuse "${path}" "${REASON}"
    unplan_change cgroup "${path}"
  done
}

main "$@"
