#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Files and directories that a treatment adds to a node, as changes (lib/changes.sh) of the kinds "file" and
# "directory". Paths are as the node names them, without ROOT.

# Sets VALUE to "absent", "directory", "file CHECKSUM SIZE MODE", or "something else".
value_of_file() {
  local path="${ROOT}$1" sum
  if [[ -L "${path}" ]]; then
    VALUE='something else'
  elif [[ -d "${path}" ]]; then
    VALUE=directory
  elif [[ -f "${path}" ]]; then
    if ! sum="$(cksum <"${path}" 2>/dev/null)" || ! VALUE="file ${sum} $(stat -c %a "${path}" 2>/dev/null)"; then
      REASON="cannot read $1"
      return 1
    fi
  elif [[ -e "${path}" ]]; then
    VALUE='something else'
  else
    VALUE=absent
  fi
}

# Sets VALUE to what value_of_file says of a file with text $1.
value_of_text() { VALUE="file $(printf '%s' "$1" | cksum) 644"; }

value_of_directory() { value_of_file "$1"; }

# Plans a file with text $2, and its directory where there is none. Returns 1 with REASON when something else is there
# already, and 4 when the file is there just as it would be written.
plan_file() {
  local path="$1" folder="${1%/*}" wanted
  value_of_text "$2"
  wanted="${VALUE}"
  value_of_file "${folder}" || return 1
  case "${VALUE}" in
    directory) ;;
    absent) plan_change directory "${folder}" absent directory || return 1 ;;
    *)
      REASON="${folder} is not a directory"
      return 1
      ;;
  esac
  value_of_file "${path}" || return 1
  if [[ "${VALUE}" == "${wanted}" ]]; then return 4; fi
  if ! can_write_at "${ROOT}${path}"; then
    REASON="cannot write to ${folder}: is the file system read-only?"
    return 1
  fi
  if [[ "${VALUE}" != absent ]]; then
    REASON="${path} exists already with another content: remove it, or leave its change in force"
    return 1
  fi
  plan_change file "${path}" absent "${wanted}"
}

# Writes the file that was planned: complete, or not at all, readable for everybody.
write_file() {
  local path="${ROOT}$1"
  [[ -d "${path%/*}" ]] || mkdir -m 0755 "${path%/*}" || return 1
  # What lies there is from a run that was killed, or a link: it is not written through.
  rm -f "${path}.new" || return 1
  { printf '%s' "$2" >"${path}.new" && chmod 0644 "${path}.new"; } || return 1
  sync_file "${path}.new"
  mv "${path}.new" "${path}"
}

# value_of_file has just said that it is still ours.
take_back_file() {
  if ! rm -f "${ROOT}$1"; then
    REASON="cannot remove $1"
    return 1
  fi
}

# Before anything is taken back: a file that was being written when its writer was killed, or failed.
remove_unfinished_files() {
  local kind subject rest
  [[ -e "${STATE}/saved" ]] || return 0
  while IFS=$'\t' read -r kind subject rest; do
    if [[ "${kind}" == file ]]; then rm -f "${ROOT}${subject}.new" || log "could not remove ${subject}.new"; fi
  done <"${STATE}/saved"
}

take_back_directory() {
  if rmdir "${ROOT}$1" 2>/dev/null; then return 0; fi
  if ((REMAINING > 0)); then
    REASON="cannot remove $1"
    return 1
  fi
  REASON="${FOREIGN}"
  return 2
}

FOREIGN='somebody else has put something into it'

predict_directory() {
  local path
  for path in "${ROOT}$1"/* "${ROOT}$1"/.[!.]*; do
    if [[ "${GONE}" != *$'\n'"${path#"${ROOT}"}"$'\n'* ]]; then
      REASON="${FOREIGN}"
      return 2
    fi
  done
}
