#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Asks systemd, which on a sick node may not answer: every call has a time limit.

ASK_SECONDS=20
# A reload reads every unit file and runs the generators.
RELOAD_SECONDS=90

declare -A PROPERTY=()

# Sets COMMAND to the path of a command of this node, or returns 1 with REASON. A recorded node has only the commands
# that lie in its folder: never this host's.
find_command() {
  local folder
  COMMAND='' REASON="$1 is missing on this node"
  if [[ -z "${ROOT}" ]]; then
    COMMAND="$(type -P "$1")" || return 1
    return 0
  fi
  for folder in /usr/local/bin /usr/bin /bin /usr/sbin /sbin; do
    if [[ -x "${ROOT}${folder}/$1" ]]; then
      COMMAND="${ROOT}${folder}/$1"
      return 0
    fi
  done
  return 1
}

# Sets SYSTEMCTL and SYSTEMD_VERSION, or returns 1 with REASON.
find_systemd() {
  local answer
  if [[ ! -d "${ROOT}/run/systemd/system" ]]; then
    REASON='systemd does not run this node (/run/systemd/system is missing)'
    return 1
  fi
  find_command systemctl || return 1
  SYSTEMCTL="${COMMAND}"
  # Not --version, which says what is installed: this says what runs, and that it answers.
  if ! answer="$(ask_systemd show -p Version)"; then
    REASON="systemd does not answer${REASON:+: ${REASON}}"
    return 1
  fi
  if [[ ! "${answer}" =~ ^Version=v?([0-9]{1,4}) ]]; then
    REASON="systemd does not tell its version: it said \"${answer:0:80}\""
    return 1
  fi
  SYSTEMD_VERSION="${BASH_REMATCH[1]}"
}

# The same, and sets LOGINCTL.
find_loginctl() {
  find_systemd && find_command loginctl || return 1
  LOGINCTL="${COMMAND}"
}

# Runs systemctl, at most ASK_SECONDS. Its complaints go to the log.
ask_systemd() { timeout -k 5 "${ASK_SECONDS}" "${SYSTEMCTL}" "$@" 9>&-; }

# Sets PROPERTY[NAME] for each named property of unit $1; one that systemd does not know is empty. Lines of a property
# that comes more than once are joined. Returns 1 with REASON when systemd does not answer.
unit_properties() {
  local unit="$1" names answer line name
  shift
  names="$(printf '%s,' "$@")"
  PROPERTY=()
  for name in "$@"; do PROPERTY[$name]=''; done
  if ! answer="$(ask_systemd show -p "${names%,}" -- "${unit}")"; then
    REASON="systemd does not answer about ${unit}"
    return 1
  fi
  while IFS= read -r line; do
    name="${line%%=*}"
    [[ "${line}" == [A-Z]*=* ]] || continue
    if [[ -n "${PROPERTY[$name]+known}" ]]; then
      PROPERTY[$name]+="${PROPERTY[$name]:+$'\n'}${line#*=}"
    fi
  done <<<"${answer}"
}

# Returns 1 with REASON when systemd did not reload in time.
reload_systemd() {
  local status=0
  timeout -k 5 "${RELOAD_SECONDS}" "${SYSTEMCTL}" daemon-reload >&2 9>&- || status=$?
  if ((status == 0)); then return 0; fi
  REASON="systemctl daemon-reload failed with ${status}"
  if ((status == 124 || status == 137)); then REASON="systemctl daemon-reload did not end within ${RELOAD_SECONDS} s"; fi
  return 1
}
