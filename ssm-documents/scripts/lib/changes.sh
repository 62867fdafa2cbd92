#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# What a treatment changes, kept on the node before it is changed, so that the inverse takes back exactly that, however
# the treatment died.
#
#     STATE/saved    one change a line: KIND SUBJECT FROM TO, separated by tabs; taken back from the last to the first
#
# A document and its inverse share two functions for each KIND:
#
#     value_of_KIND SUBJECT             sets VALUE to what it is now. Returns 1 with REASON when that cannot be told,
#                                       3 when the subject is gone, and the change with it.
#     take_back_KIND SUBJECT FROM TO    makes it FROM again. Returns 1 with REASON when that failed, 2 with REASON when
#                                       it is not ours to take back any more.
#     predict_KIND SUBJECT FROM TO      for a dry run, where there is one: returns 2 with REASON when take_back_KIND would,
#                                       once the files in GONE, one a line, are gone.

PLANNED=''

# Adds a change to what save_changes will keep. Returns 1 with REASON for text that does not fit a line.
plan_change() {
  local field
  for field in "$1" "$2" "$3" "$4"; do
    if [[ -z "${field}" || "${field}" == *[$'\t\n']* ]]; then
      REASON='an empty text, a tab or a line break in it cannot be recorded for the undo'
      return 1
    fi
  done
  PLANNED+="$1"$'\t'"$2"$'\t'"$3"$'\t'"$4"$'\n'
}

is_planned() { [[ $'\n'"${PLANNED}" == *$'\n'"$1"$'\t'"$2"$'\t'* ]]; }

# Keeps all planned changes: complete, or not at all. What a killed run of the same incident has kept stays in front,
# and its FROM is the original one: by now the value may be ours.
save_changes() {
  local merged
  [[ -n "${PLANNED}" ]] || return 0
  mkdir -p "${STATE}" || return 1
  merged="$({
    if [[ -e "${STATE}/saved" ]]; then cat "${STATE}/saved"; fi
    printf '%s' "${PLANNED}"
  } | awk -F '\t' '
    { key = $1 FS $2; if (!(key in from)) { from[key] = $3; keys[++n] = key } to[key] = $4 }
    END { for (i = 1; i <= n; i++) print keys[i] FS from[keys[i]] FS to[keys[i]] }')" || return 1
  write_saved "${merged}"
}

write_saved() {
  printf '%s\n' "$1" >"${STATE}/saved.new" || return 1
  sync_file "${STATE}/saved.new"
  mv "${STATE}/saved.new" "${STATE}/saved"
}

# Sets FROM and TO of a change that is kept; returns 1 when it is not.
saved_change() {
  local kind subject
  [[ -e "${STATE}/saved" ]] || return 1
  while IFS=$'\t' read -r kind subject FROM TO; do
    if [[ "${kind}" == "$1" && "${subject}" == "$2" ]]; then return 0; fi
  done <"${STATE}/saved"
  return 1
}

# Takes back what is kept, the last change first. Sets RESTORED, REMAINING and SKIPPED ("SUBJECT<tab>REASON" lines).
# With $1 = true changes nothing. Only what is still as we left it is ours to take back: a later change by somebody
# else wins. What could not be taken back stays kept for the next attempt.
restore_changes() {
  local dry_run="$1" kind subject from to index status left=''
  local -a lines=()
  RESTORED=0 REMAINING=0 SKIPPED='' GONE=$'\n'
  [[ -e "${STATE}/saved" ]] || return 0
  mapfile -t lines <"${STATE}/saved"
  # It is never written empty: what it said is lost, and with it what is left to take back.
  if ((${#lines[@]} == 0)); then lines=('?'$'\t'"${STATE#"${ROOT}"}/saved"$'\t'); fi
  for ((index = ${#lines[@]} - 1; index >= 0; index--)); do
    IFS=$'\t' read -r kind subject from to <<<"${lines[index]}"
    REASON='' VALUE='' status=0
    if [[ -z "${to}" ]]; then
      REASON='the record of it is damaged'
      status=1
    elif declare -F "value_of_${kind}" >/dev/null; then
      "value_of_${kind}" "${subject}" || status=$?
    else
      REASON='unknown kind of change'
      status=1
    fi
    if ((status == 0)); then
      if [[ "${VALUE}" == "${from}" ]]; then continue; fi
      if [[ "${VALUE}" != "${to}" ]]; then
        REASON="${kind} is ${VALUE} now, changed by somebody else; it was ${from}"
        status=2
      elif [[ "${dry_run}" == false ]]; then
        "take_back_${kind}" "${subject}" "${from}" "${to}" || status=$?
      elif declare -F "predict_${kind}" >/dev/null; then
        "predict_${kind}" "${subject}" "${from}" "${to}" || status=$?
      fi
    fi
    case "${status}" in
      0)
        RESTORED=$((RESTORED + 1))
        GONE+="${subject}"$'\n'
        ;;
      2) SKIPPED+="${subject}"$'\t'"${REASON}"$'\n' ;;
      3) ;;
      *)
        REMAINING=$((REMAINING + 1))
        left="${lines[index]}"$'\n'"${left}"
        log "could not take back ${kind} of ${subject}: ${REASON}"
        ;;
    esac
  done
  if [[ "${dry_run}" == true ]]; then return 0; fi
  if ((REMAINING == 0)); then
    rm -f "${STATE}/saved" "${STATE}/saved.new"
  else
    write_saved "${left%$'\n'}" || log "could not shorten the list of what is left to take back"
  fi
}

# Ends the document with reason $2, and nothing left half done. $1 is the inverse that can take back the rest.
give_up() {
  remove_unfinished_files
  restore_changes false
  if ((REMAINING > 0)); then fail "$2; ${REMAINING} changes could not be taken back: run $1 for this incident"; fi
  fail "$2; what had been changed was taken back"
}

# Takes a change off the list of what was done: it could not be. What save_changes has kept does no harm.
unplan_change() {
  local line left=''
  while IFS= read -r line; do
    if [[ -n "${line}" && "${line}" != "$1"$'\t'"$2"$'\t'* ]]; then left+="${line}"$'\n'; fi
  done <<<"${PLANNED}"
  PLANNED="${left}"
}
