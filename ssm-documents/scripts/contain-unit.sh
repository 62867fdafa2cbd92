#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Contains a service that keeps starting: a slice of its own, below the one it was in, without the memory controller.
# Its starts then make no memory cgroups, and what it reads and uses is charged to that slice. Drop-ins in /etc, so that
# it stays contained after a boot until it is released: what makes it start again and again is there after a boot, too.
#
# The service is not restarted. One that churns moves by itself, and one that does not has no need to.

DOCUMENT=contain-unit
# A share of the slice that the service is in, which it would no longer be in by itself.
WEIGHTS=(CPUWeight StartupCPUWeight CPUShares StartupCPUShares IOWeight StartupIOWeight BlockIOWeight StartupBlockIOWeight)

main() {
  require_parameters unit allowLimitLoss incident fencing dryRun
  one_of allowLimitLoss "${SSM_allowLimitLoss}" true false
  one_of dryRun "${SSM_dryRun}" true false
  use_incident contain-unit "${SSM_incident}"
  lower_priority
  find_hierarchy || fail "${REASON}"
  find_systemd || fail "${REASON}: a service cannot be contained without it"
  ((SYSTEMD_VERSION >= 240)) || fail "systemd ${SYSTEMD_VERSION} does not know DisableControllers: it needs 240 or later"
  resolve_service "${SSM_unit}" || fail "cannot contain \"${SSM_unit:0:80}\": ${REASON}"
  take_turn
  look
  local before="${STATE_NOW}" changed=false
  if ! is_contained; then
    plan
    if [[ "${SSM_dryRun}" == false ]]; then
      contain
      changed=true
    fi
  fi
  look
  print_result "${changed}" "${before}" "${STATE_NOW}" release-unit ",\"unit\":\"${UNIT//\\/\\\\}\""
}

# Sets STATE_NOW. memoryPerStart: whether its next start gets a memory cgroup.
look() {
  local memory=true slice state restarts group
  unit_properties "${UNIT}" Slice ControlGroup ActiveState SubState Type NRestarts TriggeredBy Delegate \
    MemoryMax MemoryHigh MemoryLimit MemorySwapMax MemoryMin MemoryLow "${WEIGHTS[@]}" || fail "${REASON}"
  SLICE="${PROPERTY[Slice]}" GROUP="${PROPERTY[ControlGroup]}"
  json_string "${SLICE}" && slice="${REPLY}"
  json_string "${GROUP}" && group="${REPLY}"
  json_string "${PROPERTY[ActiveState]}" && state="${REPLY}"
  restarts="${PROPERTY[NRestarts]}"
  [[ "${restarts}" =~ ^[0-9]+$ ]] || restarts=null
  if is_contained; then memory=false; fi
  STATE_NOW="{\"slice\":${slice},\"controlGroup\":${group},\"activeState\":${state},\"restarts\":${restarts},\"memoryPerStart\":${memory}}"
}

# Whether the slice of the service turns memory off, whoever made it do so. Keeps PROPERTY.
is_contained() {
  local answer
  [[ -n "${SLICE}" ]] || return 1
  answer="$(ask_systemd show -p DisableControllers -- "${SLICE}")" || fail "systemd does not answer about ${SLICE}"
  [[ " ${answer#DisableControllers=} " == *' memory '* ]]
}

plan() {
  local plain='^(-|[A-Za-z0-9:_.\\][A-Za-z0-9:_.\\-]*)\.slice$'
  [[ "${SLICE}" =~ ${plain} ]] || fail "${UNIT} is in no slice that can be told (\"${SLICE:0:80}\")"
  case "${SLICE}:${GROUP}" in
    kubepods* | *:/kubepods* | runtime.slice:* | runtime-*.slice:* | *:/runtime.slice* | *:/podruntime.slice* | podruntime*)
      fail "${UNIT} runs in ${SLICE}${GROUP:+ (${GROUP})}, which belongs to the kubelet and its pods: no treatment touches it"
      ;;
  esac
  case "${PROPERTY[Delegate]}" in
    '' | no) ;;
    *) fail "${UNIT} manages cgroups of its own (Delegate=${PROPERTY[Delegate]}): they would lose their memory limits" ;;
  esac
  keeps_starting || fail "${UNIT} runs and has not restarted by itself (NRestarts=0, no timer): its starts make no dying cgroups. To contain it all the same, stop it first"
  refuse_weights
  find_limits
  refuse_limit_loss "${SSM_allowLimitLoss}"
  name_slice
  # The last is taken back first: files, then what systemd has loaded, then the slice.
  plan_change slice "${OWN_SLICE}" inactive active
  plan_change setting "${UNIT}" "${SLICE}" "${OWN_SLICE}"
  name_drop_in "${OWN_SLICE}" no-memory $'[Slice]\nDisableControllers=memory'
  plan_ours
  name_drop_in "${UNIT}" slice "[Service]"$'\n'"Slice=${OWN_SLICE}"
  plan_ours
}

# 4: it is there already, from a run that was killed.
plan_ours() {
  local status=0
  plan_drop_in || status=$?
  if ((status == 1)); then fail "${REASON}"; fi
}

# Whether its next start comes without us: while it runs, a socket does not start it again.
keeps_starting() {
  [[ "${PROPERTY[ActiveState]}" != active || " ${PROPERTY[TriggeredBy]} " == *'.timer '* ]] && return 0
  [[ "${PROPERTY[NRestarts]}" =~ ^[0-9]*[1-9][0-9]*$ ]]
}

refuse_weights() {
  local name
  for name in "${WEIGHTS[@]}"; do
    case "${name#Startup}:${PROPERTY[$name]}" in
      *: | *:18446744073709551615 | *:'[not set]' | CPUWeight:100 | IOWeight:100 | CPUShares:1024 | BlockIOWeight:500) ;;
      *) fail "${UNIT} has ${name} = ${PROPERTY[$name]:0:40}, which its own slice would not have: it would get another share than now" ;;
    esac
  done
}

find_limits() {
  local name value
  LIMITS=''
  for name in MemoryMax MemoryHigh MemoryLimit MemorySwapMax MemoryMin MemoryLow; do
    value="${PROPERTY[$name]}"
    # systemd takes 0 for a limit of swap alone ("never swap").
    case "${name}:${value}" in
      MemorySwapMax:0) LIMITS+="${UNIT} has ${name} = ${value}"$'\n' ;;
      *: | *:infinity | *:18446744073709551615 | *:'[not set]' | *:0) ;;
      *) LIMITS+="${UNIT} has ${name} = ${value}"$'\n' ;;
    esac
  done
  if [[ -n "${GROUP}" && -d "${ROOT}${MOUNT}${GROUP}" ]]; then add_cgroup_limits "${GROUP}" self; fi
}

# Sets OWN_SLICE. In the name of a slice a "-" means a level, so it is escaped as systemd does it.
name_slice() {
  local name="${UNIT%.service}" parent="${SLICE%.slice}-"
  name="${name//\\/\\x5c}"
  name="${name//-/\\x2d}"
  name="${name//@/\\x40}"
  if [[ "${SLICE}" == -.slice ]]; then parent=''; fi
  OWN_SLICE="${parent}${CHURN}${name}.slice"
  ((${#OWN_SLICE} <= 200)) || fail "the name of ${UNIT} is too long for a slice of its own"
}

contain() {
  save_changes || fail "cannot record in ${STATE} what would be changed: nothing was"
  name_drop_in "${OWN_SLICE}" no-memory $'[Slice]\nDisableControllers=memory'
  write_drop_in || give_up release-unit "${REASON}"
  name_drop_in "${UNIT}" slice "[Service]"$'\n'"Slice=${OWN_SLICE}"
  write_drop_in || give_up release-unit "${REASON}"
  reload_systemd || give_up release-unit "${REASON}"
  value_of_setting "${UNIT}" || give_up release-unit "${REASON}"
  SLICE="${VALUE}"
  if [[ "${SLICE}" != "${OWN_SLICE}" ]] || ! is_contained; then
    give_up release-unit "systemd has loaded the drop-ins and has ${UNIT} in ${SLICE} with memory all the same: another drop-in comes after ours"
  fi
}

main "$@"
