#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The one line of JSON that a treatment and its inverse print. Bounded, whatever the node holds.

# Characters of each list that are printed.
MAX_LIST=7000

REFUSALS='' REFUSALS_LEFT_OUT=0 LAST_REFUSAL=''

refuse() {
  local subject
  LAST_REFUSAL="${1:0:300}: $2"
  log "refused: ${LAST_REFUSAL}"
  if ((${#REFUSALS} > MAX_LIST)); then
    REFUSALS_LEFT_OUT=$((REFUSALS_LEFT_OUT + 1))
    return 0
  fi
  json_string "${1:0:300}" && subject="${REPLY}"
  json_string "${2:0:500}"
  REFUSALS+="${REFUSALS:+,}{\"subject\":${subject},\"reason\":${REPLY}}"
}

# Sets CHANGES and CHANGES_LEFT_OUT to the list of what is in PLANNED.
list_changes() {
  local field text count=0
  local -a fields=()
  CHANGES='' CHANGES_LEFT_OUT=0
  while IFS=$'\t' read -ra fields; do
    ((${#fields[@]} == 4)) || continue
    if ((${#CHANGES} > MAX_LIST)); then
      CHANGES_LEFT_OUT=$((CHANGES_LEFT_OUT + 1))
      continue
    fi
    text=''
    for field in kind subject from to; do
      json_string "${fields[count]:0:300}"
      text+="${text:+,}\"${field}\":${REPLY}"
      count=$(((count + 1) % 4))
    done
    CHANGES+="${CHANGES:+,}{${text}}"
  done <<<"${PLANNED}"
}

# print_result CHANGED BEFORE AFTER INVERSE [FIGURES]: the changes are those planned, the undo is there when something
# of this incident is kept. FIGURES are further members, each with a comma before it.
print_result() {
  local undo=null
  list_changes
  SAID=1
  if [[ -n "$4" && -e "${STATE}/saved" ]]; then
    undo="{\"document\":\"$4\",\"parameters\":{\"incident\":\"${SSM_incident}\",\"dryRun\":\"false\"}}"
  fi
  printf '{"version":1,"document":"%s","changed":%s,"dryRun":%s,"before":%s,"after":%s,"changes":[%s],"changesLeftOut":%d,"refusals":[%s],"refusalsLeftOut":%d,"undo":%s%s}\n' \
    "${DOCUMENT}" "$1" "${SSM_dryRun}" "$2" "$3" "${CHANGES}" "${CHANGES_LEFT_OUT}" "${REFUSALS}" "${REFUSALS_LEFT_OUT}" "${undo}" "${5:-}"
}

# What restore_changes has done. The document ends with 1 when something remains.
print_undo_result() {
  local subject reason skipped='' changed=false
  while IFS=$'\t' read -r subject reason; do
    [[ -n "${subject}" ]] || continue
    if ((${#skipped} > MAX_LIST)); then break; fi
    json_string "${subject:0:300}" && subject="${REPLY}"
    json_string "${reason:0:500}" && reason="${REPLY}"
    skipped+="${skipped:+,}{\"subject\":${subject},\"reason\":${reason}}"
  done <<<"${SKIPPED}"
  if ((RESTORED > 0)) && [[ "${SSM_dryRun}" == false ]]; then changed=true; fi
  SAID=1
  printf '{"version":1,"document":"%s","changed":%s,"dryRun":%s,"restored":%d,"skipped":[%s],"remaining":%d}\n' \
    "${DOCUMENT}" "${changed}" "${SSM_dryRun}" "${RESTORED}" "${skipped}" "${REMAINING}"
  ((REMAINING == 0))
}
