#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Stops a host agent that nothing needs, gracefully, and keeps it from starting: a drop-in with a condition on a file
# of ours. The condition is there for everybody to see ("systemctl status"), holds after a boot, and does not make what
# wants the agent fail. Nothing is masked, and nothing is made to look as if it ran.

DOCUMENT=disable-agent
# What stopping a unit stops, or starts over, with it.
# The "Overridable" ones are of systemd before 230.
NEEDED_BY=(RequiredBy RequisiteOf BoundBy ConsistsOf UpheldBy RequiredByOverridable RequisiteOfOverridable)

main() {
  require_parameters unit stopSeconds incident fencing dryRun
  one_of stopSeconds "${SSM_stopSeconds}" 15 30 60 120 300
  one_of dryRun "${SSM_dryRun}" true false
  use_incident disable-agent "${SSM_incident}"
  lower_priority
  find_systemd || fail "${REASON}: an agent cannot be disabled without it"
  resolve_service "${SSM_unit}" || fail "cannot disable \"${SSM_unit:0:80}\": ${REASON}"
  take_turn
  CHANGED=false ERROR=''
  # systemd takes a backslash for an escape.
  FORBIDS="/etc/cgroup-medic/disabled-${UNIT//\\/_}"
  look
  local before="${LOOKED}" error=''
  refuse_unsuitable
  is_unneeded || fail "${REASON}"
  plan
  if [[ -n "${PLANNED}" && "${SSM_dryRun}" == false ]]; then
    disable
    look
  fi
  if [[ -n "${ERROR}" ]]; then
    log "error: ${ERROR}"
    json_string "${ERROR}"
    error=",\"error\":${REPLY}"
  fi
  json_string "${UNIT}"
  print_result "${CHANGED}" "${before}" "${LOOKED}" enable-agent ",\"unit\":${REPLY}${error}"
  [[ -z "${ERROR}" ]]
}

# Sets LOOKED (the JSON of before and after), SAID (the properties), CONTAINERS and TRIGGERS.
declare -A SAID=()
look() {
  local name restarts=null memory=null may_start=true
  unit_properties "${UNIT}" LoadState ActiveState SubState Result UnitFileState NRestarts MainPID MemoryCurrent Job Type \
    ControlGroup Slice TriggeredBy RefuseManualStop RefuseManualStart SuccessAction FailureAction WantedBy "${NEEDED_BY[@]}" || fail "${REASON}"
  for name in "${!PROPERTY[@]}"; do SAID[${name}]="${PROPERTY[${name}]}"; done
  find_containers
  find_triggers
  if [[ "${SAID[NRestarts]}" =~ ^[0-9]{1,10}$ ]]; then restarts="${SAID[NRestarts]}"; fi
  # Without accounting systemd says 2^64-1, or "[not set]".
  if [[ "${SAID[MemoryCurrent]}" =~ ^[0-9]{1,18}$ ]]; then memory=$((SAID[MemoryCurrent] / 1024)); fi
  if is_forbidden; then may_start=false; fi
  LOOKED=''
  for name in ActiveState SubState UnitFileState Result; do
    json_string "${SAID[${name}]}"
    LOOKED+="\"$(lower_first "${name}")\":${REPLY},"
  done
  LOOKED="{${LOOKED}\"nRestarts\":${restarts},\"memoryKb\":${memory},\"containers\":${CONTAINERS},\"triggers\":${#TRIGGERS[@]},\"mayStart\":${may_start}}"
}

lower_first() {
  local first="${1:0:1}"
  printf '%s%s' "${first,,}" "${1:1}"
}

# Whether systemd will not start it any more, of whichever incident's doing.
is_forbidden() { [[ -e "${ROOT}${FORBIDS}" ]] && value_of_condition "${UNIT}" && [[ "${VALUE}" == loaded ]]; }

# Sets CONTAINERS: control groups with processes that it runs below its own, or, for the agent of ECS, in its tasks'.
find_containers() {
  local top folder
  local -A found=()
  local -a folders=()
  for top in "${ROOT}/sys/fs/cgroup" "${ROOT}/sys/fs/cgroup"/{unified,systemd,memory}; do
    folders=()
    if [[ -n "${SAID[ControlGroup]}" && "${SAID[ControlGroup]}" != / ]]; then folders+=("${top}${SAID[ControlGroup]}"/*/); fi
    case "${UNIT}" in
      ecs* | amazon-ecs*) folders+=("${top}/ecs"/*/ "${top}/ecstasks.slice"/*/) ;;
    esac
    for folder in ${folders[@]+"${folders[@]}"}; do
      # systemd's own, while ExecStartPre or ExecStop is at work.
      if [[ "${folder}" == */.control/ || "${folder}" == */control/ ]]; then continue; fi
      # One group can be in several hierarchies.
      if has_process "${folder}"; then found[${folder#"${top}"}]=1; fi
    done
  done
  CONTAINERS="${#found[@]}"
}

has_process() {
  list_directories "${1%/}" | while IFS= read -r folder; do
    if read_line "${folder}/cgroup.procs"; then exit 1; fi
  done && return 1
  return 0
}

# Sets TRIGGERS: sockets and paths that would start it. A condition alone would make them fail, for they ask again at
# once. A timer only asks again at its next time.
find_triggers() {
  local unit
  local -a units=()
  TRIGGERS=()
  read -ra units <<<"${SAID[TriggeredBy]//$'\n'/ }"
  for unit in ${units[@]+"${units[@]}"}; do
    case "${unit}" in
      *.socket | *.path) TRIGGERS+=("${unit}") ;;
    esac
  done
}

refuse_unsuitable() {
  local name unit
  if [[ "${SAID[Job]:-0}" != 0 ]]; then fail "systemd is starting or stopping ${UNIT} at this moment (job ${SAID[Job]:0:20})"; fi
  case "${SAID[Slice]}:${SAID[ControlGroup]}" in
    kubepods* | *:/kubepods* | runtime.slice:* | runtime-*.slice:* | *:/runtime.slice* | podruntime*)
      fail "${UNIT} runs in ${SAID[Slice]:0:80}, which belongs to the kubelet and its pods: no treatment touches it"
      ;;
  esac
  if [[ "${SAID[UnitFileState]}" == transient ]]; then fail "${UNIT} has no unit file (transient): it could not be started again"; fi
  for name in RefuseManualStop RefuseManualStart; do
    if [[ "${SAID[${name}]}" == yes ]]; then fail "${UNIT} has ${name}=yes"; fi
  done
  for name in SuccessAction FailureAction; do
    case "${SAID[${name}]}" in
      '' | none) ;;
      *) fail "${UNIT} has ${name}=${SAID[${name}]:0:40}: stopping it could do that to the node" ;;
    esac
  done
  if [[ "${SAID[ActiveState]}/${SAID[SubState]}" == active/exited ]]; then
    fail "${UNIT} does not run: it has done something once and stays active for it, and starting it again would do that again"
  fi
  for unit in ${TRIGGERS[@]+"${TRIGGERS[@]}"}; do
    is_unprotected "${unit}" || fail "${UNIT} is started by ${unit:0:100}: ${REASON}"
  done
}

# An agent is needed by what stops with it, and by what it runs. Returns 1 with REASON when it is, or when that cannot be
# told.
is_unneeded() {
  local unit name list=''
  local -a units=()
  for name in "${NEEDED_BY[@]}"; do list+=" ${SAID[${name}]//$'\n'/ }"; done
  # Not a bare word: bash 5.0 takes the backslash in the name of a unit for a pattern, and drops the name.
  read -ra units <<<"${list}"
  for unit in ${units[@]+"${units[@]}"}; do
    unit_properties "${unit}" ActiveState || return 1
    case "${PROPERTY[ActiveState]}" in
      inactive | failed) ;;
      *)
        REASON="${unit:0:100} needs ${UNIT} and is ${PROPERTY[ActiveState]:-unknown}: it would stop with it"
        return 1
        ;;
    esac
  done
  # It would not stop with it, but somebody has written that it is to be there. A target wants whatever is enabled.
  read -ra units <<<"${SAID[WantedBy]//$'\n'/ }"
  for unit in ${units[@]+"${units[@]}"}; do
    if [[ "${unit}" == *.target ]]; then continue; fi
    unit_properties "${unit}" ActiveState || return 1
    case "${PROPERTY[ActiveState]}" in
      inactive | failed) ;;
      *)
        REASON="${unit:0:100} wants ${UNIT} and is ${PROPERTY[ActiveState]:-unknown}: find out what for"
        return 1
        ;;
    esac
  done
  if ((CONTAINERS > 0)); then
    REASON="${UNIT} runs ${CONTAINERS} control groups with processes of their own (containers): move its work away first"
    return 1
  fi
}

# The last is taken back first: files, then what systemd has loaded, then the states.
plan() {
  local unit status
  for unit in "${UNIT}" ${TRIGGERS[@]+"${TRIGGERS[@]}"}; do
    state_value "${unit}" || fail "${REASON}"
    case "${VALUE}" in
      started | stopping) plan_or_fail state "${unit}" started stopped ;;
    esac
  done
  for unit in "${UNIT}" ${TRIGGERS[@]+"${TRIGGERS[@]}"}; do
    value_of_condition "${unit}" || fail "${REASON}"
    if [[ "${VALUE}" == not ]]; then plan_or_fail condition "${unit}" not loaded; fi
  done
  text_of_file
  status=0
  plan_file "${FORBIDS}" "${FILE_TEXT}" || status=$?
  if ((status == 1)); then fail "${REASON}"; fi
  for unit in "${UNIT}" ${TRIGGERS[@]+"${TRIGGERS[@]}"}; do
    status=0
    name_condition "${unit}"
    # 4: it is there already.
    plan_drop_in || status=$?
    if ((status == 1)); then fail "${REASON}"; fi
  done
}

plan_or_fail() { plan_change "$@" || fail "${REASON}"; }

text_of_file() { FILE_TEXT="${UNIT} does not start while this file is there. Written by cgroup-medic; enable-agent removes it."$'\n'; }

name_condition() { name_drop_in "$1" "${DROP_IN_PURPOSE}" "[Unit]"$'\n'"ConditionPathExists=!${FORBIDS}"; }

disable() {
  local unit
  save_changes || fail "cannot record in ${STATE} what would be changed: nothing was"
  CHANGED=true
  if is_planned file "${FORBIDS}"; then write_file "${FORBIDS}" "${FILE_TEXT}" || give_up enable-agent "cannot write ${FORBIDS}"; fi
  for unit in "${UNIT}" ${TRIGGERS[@]+"${TRIGGERS[@]}"}; do
    name_condition "${unit}"
    if is_planned file "${DROP_IN}"; then write_drop_in || give_up enable-agent "${REASON}"; fi
  done
  for unit in "${UNIT}" ${TRIGGERS[@]+"${TRIGGERS[@]}"}; do
    value_of_condition "${unit}" || give_up enable-agent "${REASON}"
    if [[ "${VALUE}" == loaded ]]; then continue; fi
    if ! reload_systemd || ! value_of_condition "${unit}"; then give_up enable-agent "${REASON}"; fi
    if [[ "${VALUE}" != loaded ]]; then give_up enable-agent "systemd has reloaded and has not read our drop-in for ${unit}"; fi
    refuse_reset "${unit}"
  done
  if asked_to_stop; then give_up enable-agent "it is being undone"; fi
  # Once more: a reload of systemd was between.
  look
  if [[ "${SAID[Job]:-0}" != 0 ]]; then give_up enable-agent "systemd has begun to start or stop ${UNIT} meanwhile (job ${SAID[Job]:0:20})"; fi
  is_unneeded || give_up enable-agent "${REASON}"
  stop
}

# An empty condition in a drop-in that is read after ours takes every condition back. Of PROPERTY as value_of_condition
# leaves it.
refuse_reset() {
  local path after=''
  local -a paths=()
  name_condition "$1"
  read -ra paths <<<"${PROPERTY[DropInPaths]}"
  for path in ${paths[@]+"${paths[@]}"}; do
    if [[ -n "${after}" ]] && grep -qsE '^[[:blank:]]*Condition[A-Za-z]*[[:blank:]]*=[[:blank:]]*$' "${ROOT}${path}"; then
      give_up enable-agent "${path:0:200} is read after our drop-in and takes its condition back"
    fi
    if [[ "${path}" == "${DROP_IN}" ]]; then after=1; fi
  done
}

# As systemd stops it: its ExecStop, then SIGTERM. If that takes longer than systemd itself allows it, systemd kills it.
stop() {
  local unit status=0
  local -a units=()
  # What would start it goes first.
  for unit in ${TRIGGERS[@]+"${TRIGGERS[@]}"} "${UNIT}"; do
    if is_planned state "${unit}"; then units+=("${unit}"); fi
  done
  ((${#units[@]} > 0)) || return 0
  timeout -k 5 "${SSM_stopSeconds}" "${SYSTEMCTL}" stop -- "${units[@]}" >&2 9>&- || status=$?
  for unit in "${units[@]}"; do
    if ! state_value "${unit}"; then
      ERROR="${REASON}"
    elif [[ "${VALUE}" == failed ]]; then
      # It did not like being stopped. It was not failed before.
      ask_systemd reset-failed -- "${unit}" >&2 || log "could not reset the failed state of ${unit}"
    elif [[ "${VALUE}" != stopped ]]; then
      ERROR="${unit} is told to stop and is ${PROPERTY[ActiveState]:0:40} after ${SSM_stopSeconds} s (systemctl ended with ${status}): systemd goes on stopping it; enable-agent starts it again"
    fi
  done
}

main "$@"
