#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Drop-ins of ours for a systemd unit, as changes (lib/changes.sh, lib/files.sh) of the kinds "directory" and "file".

# Sets DROP_IN to the path for unit $1 and purpose $2, and DROP_IN_TEXT to the text with body $3.
name_drop_in() {
  DROP_IN="/etc/systemd/system/$1.d/50-cgroup-medic-$2.conf"
  DROP_IN_TEXT="# Written by cgroup-medic for incident ${SSM_incident}. Its undo removes it; so may you, then: systemctl daemon-reload"$'\n'"$3"$'\n'
}

# Plans the drop-in that name_drop_in has named. Returns 1 with REASON when it cannot be, and 4 when one of ours is
# there already, of this incident or of another.
plan_drop_in() {
  local status=0 first=''
  plan_file "${DROP_IN}" "${DROP_IN_TEXT}" || status=$?
  ((status == 1)) || return "${status}"
  if [[ ! -L "${ROOT}${DROP_IN}" ]] && read_line "${ROOT}${DROP_IN}"; then first="${VALUE}"; fi
  if [[ "${first}" == '# Written by cgroup-medic for incident '* ]] && has_body "${ROOT}${DROP_IN}"; then return 4; fi
  return 1
}

# Whether a file of ours says the same, for whichever incident it was written.
has_body() { [[ "$(tail -n +2 "$1" 2>/dev/null)" == "$(printf '%s' "${DROP_IN_TEXT}" | tail -n +2)" ]]; }

# For a dry run of an inverse: whether a drop-in of unit $1 that stays says what matches the regular expression $2.
other_drop_in_says() {
  local folder file
  for folder in /etc/systemd/system /etc/systemd/system.control /run/systemd/system /run/systemd/system.control \
    /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system; do
    for file in "${ROOT}${folder}/$1.d"/*.conf; do
      if [[ "${GONE}" != *$'\n'"${file#"${ROOT}"}"$'\n'* ]] && grep -qsE "$2" "${file}"; then return 0; fi
    done
  done
  return 1
}

write_drop_in() {
  if write_file "${DROP_IN}" "${DROP_IN_TEXT}"; then return 0; fi
  REASON="cannot write ${DROP_IN}"
  return 1
}
