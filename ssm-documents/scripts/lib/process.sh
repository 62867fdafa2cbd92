#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Processes that may hang in the kernel, and processes that may be others by now.

# How long a command that is asked to end, and how long one that was killed, may take to be gone.
ENDING_SECONDS=3

# Runs a command for at most $1 seconds. Returns its status; 124 when it was ended for the time; 125 when even SIGKILL
# did not end it, for it is inside the kernel: "timeout" would wait for it there. Its complaint is in COMPLAINT. It
# holds neither our output, which the SSM agent waits for, nor the lock.
run_bounded() {
  local seconds="$1" pid status=0 signal
  shift
  "$@" </dev/null >/dev/null 2>"${STATE}/complaint" 9>&- &
  pid=$!
  if ! wait_until_gone "${pid}" "${seconds}"; then
    status=125
    for signal in TERM KILL; do
      kill -s "${signal}" "${pid}" 2>/dev/null || true
      if wait_until_gone "${pid}" "${ENDING_SECONDS}"; then
        status=124
        break
      fi
    done
  fi
  if ((status == 125)); then
    disown "${pid}" 2>/dev/null || true
  elif ((status == 124)); then
    wait "${pid}" 2>/dev/null || true
  else
    wait "${pid}" || status=$?
  fi
  read_line "${STATE}/complaint" || true
  COMPLAINT="${VALUE}"
  rm -f "${STATE}/complaint"
  return "${status}"
}

# Returns 1 when our child $1 is still there after $2 seconds.
wait_until_gone() {
  local deadline
  read_now
  deadline=$((NOW_CS + $2 * 100))
  while process_start "$1" && [[ -n "${VALUE}" ]]; do
    read_now
    ((NOW_CS < deadline)) || return 1
    sleep 0.1 9>&-
  done
}

# Sets VALUE to when the process started, in ticks since boot; empty when there is no such process.
process_start() {
  local -a fields=()
  VALUE=''
  read_line "/proc/$1/stat" 2>/dev/null || return 0
  read -ra fields <<<"${VALUE##*) }"
  # A dead process that nobody has reaped yet is dead.
  if [[ "${fields[0]:-Z}" == [ZX] ]]; then VALUE=''; else VALUE="${fields[19]:-}"; fi
}
