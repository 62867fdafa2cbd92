#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Whether users linger: the changes that enable-linger makes and disable-linger takes back (lib/changes.sh).
#
#     linger       "on" or "off"
#     directory    logind's own list of them, which it makes for the first one

LINGER_FOLDER=/var/lib/systemd/linger

# logind keeps a file for each; loginctl tells it only of users who are there just now.
value_of_linger() {
  VALUE=off
  if [[ -e "${ROOT}${LINGER_FOLDER}/$1" ]]; then VALUE=on; fi
}

take_back_linger() {
  # logind does not know a user who has been deleted, and would keep the file for the next one of that name.
  if ! user_exists "$1"; then
    rm -f "${ROOT}${LINGER_FOLDER}/$1"
    return
  fi
  set_linger disable "$1"
}

# logind removes the file.
predict_linger() { GONE+="${LINGER_FOLDER}/$1"$'\n'; }

# set_linger enable|disable USER. Returns 1 with REASON when that did not work.
set_linger() {
  local wanted=on status=0
  if [[ "$1" == disable ]]; then wanted=off; fi
  timeout -k 5 "${ASK_SECONDS}" "${LOGINCTL}" "$1-linger" -- "$2" >&2 9>&- || status=$?
  value_of_linger "$2"
  if ((status == 0)) && [[ "${VALUE}" == "${wanted}" ]]; then return 0; fi
  REASON="loginctl $1-linger failed with ${status}, the user's linger is ${VALUE}"
  if ((status == 124 || status == 137)); then REASON="loginctl $1-linger did not end within ${ASK_SECONDS} s"; fi
  return 1
}

# Not in /etc/passwd alone: users can come from a directory service.
user_exists() {
  if find_command getent; then
    timeout -k 5 "${ASK_SECONDS}" "${COMMAND}" passwd "$1" >/dev/null 2>&1 9>&-
  else
    awk -F : -v name="$1" '$1 == name { found = 1 } END { exit !found }' "${ROOT}/etc/passwd" 2>/dev/null
  fi
}
