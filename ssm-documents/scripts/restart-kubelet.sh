#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Restarts the kubelet once and waits until it is healthy. The pods go on running: only a unit that leaves them alone
# (KillMode=process) is restarted. Keeping new pods off the node meanwhile is not done here.

DOCUMENT=restart-kubelet
UNIT=kubelet.service
HEALTHZ_PORT="${CGROUP_MEDIC_HEALTHZ_PORT:-10248}"
# Between two looks. Healthy is who was so twice, as the same process: a crash loop is healthy now and then.
LOOK_SECONDS=2

main() {
  require_parameters minUptimeSeconds maxSeconds incident fencing dryRun
  one_of minUptimeSeconds "${SSM_minUptimeSeconds}" 60 300 600 1800 3600 21600
  one_of maxSeconds "${SSM_maxSeconds}" 30 60 120 300 600
  one_of dryRun "${SSM_dryRun}" true false
  lower_priority
  use_incident restart-kubelet "${SSM_incident}"
  find_systemd || fail "${REASON}"
  take_turn
  CHANGED=false ERROR=''
  look || fail "${REASON}"
  BEFORE="${LOOKED}" STATE_BEFORE="${ACTIVE}" STARTED_BEFORE="${STARTED}"
  start_pace "${SSM_maxSeconds}"
  if restarted_already "${STARTED}"; then
    refuse "${UNIT}" "incident ${SSM_incident} has had it restarted already"
    if [[ "${SSM_dryRun}" == false ]]; then wait_until_healthy; fi
  else
    refuse_unsafe
    plan_change unit "${UNIT}" "${STATE_BEFORE}" restarted
    if [[ "${SSM_dryRun}" == false ]]; then
      restart
      wait_until_healthy
    fi
  fi
  report
  [[ -z "${ERROR}" ]]
}

# Sets LOOKED (the JSON of before and after) and ACTIVE, PID, STARTED (microseconds since boot), UPTIME, HEALTHY.
look() {
  local rss=null restarts=null at=null state sub result
  unit_properties "${UNIT}" LoadState ActiveState SubState Result KillMode MainPID NRestarts Job \
    ExecMainStartTimestampMonotonic RequiredBy BoundBy ConsistsOf || return 1
  ACTIVE="${PROPERTY[ActiveState]}" PID="${PROPERTY[MainPID]}" STARTED="${PROPERTY[ExecMainStartTimestampMonotonic]}"
  [[ "${PID}" =~ ^[0-9]{1,10}$ ]] || PID=0
  [[ "${STARTED}" =~ ^[0-9]{1,18}$ ]] || STARTED=0
  # systemd before 235 does not count them.
  if [[ "${PROPERTY[NRestarts]}" =~ ^[0-9]{1,10}$ ]]; then restarts="${PROPERTY[NRestarts]}"; fi
  if ((PID > 0)) && read_field "${ROOT}/proc/${PID}/status" VmRSS; then rss="${VALUE}"; fi
  UPTIME=null
  if ((STARTED > 0)); then
    read_line "${ROOT}/proc/uptime"
    UPTIME=$((10#${VALUE%%.*} - STARTED / 1000000))
    VALUE="${VALUE%% *}"
    # Rounded once: whoever compares it with a word of the kubelet, in seconds as well, must not be two seconds off.
    at=$(($(date +%s%N) / 10000000 - 10#${VALUE/./} + STARTED / 10000))
    at="\"$(date -u -d "@$((at / 100))" +%Y-%m-%dT%H:%M:%SZ)\""
  fi
  HEALTHY=false
  if is_healthy; then HEALTHY=true; fi
  json_string "${ACTIVE}" && state="${REPLY}"
  json_string "${PROPERTY[SubState]}" && sub="${REPLY}"
  json_string "${PROPERTY[Result]}" && result="${REPLY}"
  LOOKED="{\"state\":${state},\"subState\":${sub},\"result\":${result},\"mainPid\":${PID},\"rssKb\":${rss},\"nRestarts\":${restarts},\"startedAt\":${at},\"uptimeSeconds\":${UPTIME},\"healthz\":${HEALTHY}}"
}

# What the kubelet says of itself. In a child: a connection that is taken and never answered must not hold us.
is_healthy() {
  # shellcheck disable=SC2016 # expanded by the child
  timeout -k 1 5 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" &&
    printf "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n" >&3 && IFS= read -r line <&3 &&
    [[ "${line}" == "HTTP/1."[01]" 200"* ]]' bash "${HEALTHZ_PORT}" 2>/dev/null 9>&-
}

refuse_unsafe() {
  local unit kill_mode="${PROPERTY[KillMode]}" result="${PROPERTY[Result]}"
  local -a units=()
  [[ "${PROPERTY[LoadState]}" == loaded ]] || fail "${UNIT} is ${PROPERTY[LoadState]:-unknown} to systemd: there is no kubelet of its own on this node"
  if [[ "${PROPERTY[Job]:-0}" != 0 ]]; then fail "systemd is starting or stopping ${UNIT} at this moment (job ${PROPERTY[Job]:0:20})"; fi
  case "${ACTIVE}/${PROPERTY[SubState]}" in
    active/running) ;;
    failed/failed)
      case "${result}" in
        exit-code | signal | core-dump | oom-kill | timeout | watchdog | start-limit-hit | resources | protocol) ;;
        *) fail "${UNIT} has failed in a way that a restart is not known to help (${result:0:40})" ;;
      esac
      ;;
    activating/auto-restart*) fail "${UNIT} is crash-looping, and systemd restarts it already: read its log (journalctl -u kubelet)" ;;
    inactive/*) fail "${UNIT} is stopped: somebody has done that, and only they know why" ;;
    *) fail "${UNIT} is ${ACTIVE:0:40} (${PROPERTY[SubState]:0:40}): neither running nor failed" ;;
  esac
  if [[ "${kill_mode}" != process ]]; then
    fail "${UNIT} has KillMode=${kill_mode:0:40}: a restart would kill more than the kubelet itself; set KillMode=process"
  fi
  ((STARTED > 0)) || fail "systemd does not tell when ${UNIT} was started"
  if ((UPTIME < SSM_minUptimeSeconds)); then
    fail "${UNIT} was started ${UPTIME} s ago (less than ${SSM_minUptimeSeconds} s): one that has just started is given its time"
  fi
  # A restart goes on to whatever requires, is bound to, or is part of the unit.
  read -ra units <<<"${PROPERTY[RequiredBy]} ${PROPERTY[BoundBy]} ${PROPERTY[ConsistsOf]}"
  for unit in ${units[@]+"${units[@]}"}; do
    [[ "${unit}" == *.target ]] || fail "${unit:0:100} depends on ${UNIT}: it would be stopped or restarted with it"
  done
}

# Asks for the restart and leaves it to systemd, which goes on with it whatever becomes of us.
restart() {
  local complaint
  mark_restart || fail "cannot write to ${STATE}"
  if ! complaint="$(ask_systemd restart --no-block "${UNIT}" 2>&1 >/dev/null)"; then
    rm -f "${STATE}/restart"
    fail "systemctl restart ${UNIT} failed: ${complaint:-no answer within ${ASK_SECONDS} s}"
  fi
  CHANGED=true
}

# Sets ERROR when the kubelet is not healthy in time.
wait_until_healthy() {
  local before='' now
  while :; do
    if look; then
      now=''
      if [[ "${ACTIVE}" == active && "${HEALTHY}" == true && "${PID}" != 0 ]] && { [[ "${CHANGED}" == false ]] || ((STARTED != STARTED_BEFORE)); }; then
        now="${PID} ${STARTED}"
      fi
      if [[ -n "${now}" && "${now}" == "${before}" ]]; then return 0; fi
      before="${now}"
      if [[ "${ACTIVE}" == failed && "${STARTED}" != "${STARTED_BEFORE}" ]]; then
        ERROR="${UNIT} was restarted and has failed (${PROPERTY[Result]:0:40})"
        return 0
      fi
    fi
    if out_of_time; then
      ERROR="${UNIT} was restarted and is not healthy after ${SSM_maxSeconds} s (${ACTIVE:0:40}, healthz $([[ "${HEALTHY}" == true ]] && echo ok || echo 'does not answer ok'))"
      if ((STARTED == STARTED_BEFORE)) && [[ "${CHANGED}" == true ]]; then ERROR="systemd has not restarted ${UNIT} within ${SSM_maxSeconds} s; it may still do so"; fi
      return 0
    fi
    sleep "${LOOK_SECONDS}" 9>&-
  done
}

report() {
  local error=''
  if [[ -n "${ERROR}" ]]; then
    log "error: ${ERROR}"
    json_string "${ERROR}"
    error=",\"error\":${REPLY}"
  fi
  read_now
  print_result "${CHANGED}" "${BEFORE}" "${LOOKED}" '' ",\"waitedSeconds\":$(seconds $((NOW_CS - STARTED_CS)))${error}"
}

main "$@"
