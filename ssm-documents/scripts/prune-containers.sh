#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Removes exited containers through the CRI, oldest first. Never a running one, never by force, never an image or a
# sandbox; of every container of a pod the newest exited one stays, for its log is what "kubectl logs -p" shows.

DOCUMENT=prune-containers
PRUNE_SECONDS=300
# Looked at beyond what is removed: some ended only recently.
MOST_CANDIDATES=1000
# The runtime is in trouble: stop adding to it.
MOST_FAILURES=3

main() {
  require_parameters minAgeSeconds maxRemove incident fencing dryRun
  one_of minAgeSeconds "${SSM_minAgeSeconds}" 300 3600 21600 86400 604800
  one_of maxRemove "${SSM_maxRemove}" 10 50 100 200 500
  one_of dryRun "${SSM_dryRun}" true false
  lower_priority
  use_incident prune-containers "${SSM_incident}"
  start_pace "${PRUNE_SECONDS}"
  find_command crictl || fail "${REASON}: exited containers are removed through it"
  find_runtime || fail "${REASON}"
  take_turn
  REMOVED=0 RECENT=0 FAILED=0 STOPPED='done'
  count_containers || fail "the container runtime does not list its containers within ${CRI_SECONDS} s: is it running? (crictl ps -a)"
  local before="${COUNTS}" after='{"running":null,"exited":null,"other":null}'
  prune
  if [[ "${SSM_dryRun}" == true ]]; then
    after="${before}"
  elif count_containers; then
    after="${COUNTS}"
  fi
  if ((FAILED > 0 && REMOVED == 0)); then fail "no container could be removed: ${LAST_REFUSAL}"; fi
  print_result "$( ((REMOVED > 0)) && [[ "${SSM_dryRun}" == false ]] && echo true || echo false)" "${before}" "${after}" '' \
    ",\"keptNewest\":${KEPT},\"keptRecent\":${RECENT},\"unreadable\":${UNREADABLE},\"stopped\":\"${STOPPED}\""
}

# Sets COUNTS, UNREADABLE, KEPT and CANDIDATES ("ID NAME POD" lines): exited, created long enough ago to be old, not the
# newest exited one of its name in its sandbox.
count_containers() {
  local answer now running exited other
  now="$(date +%s)"
  answer="$(list_containers | awk -F '\t' -v youngest=$((now - SSM_minAgeSeconds)) -v most="${MOST_CANDIDATES}" '
    $3 == "unreadable" { unreadable++; next }
    $3 == "CONTAINER_RUNNING" { running++; next }
    $3 != "CONTAINER_EXITED" { other++; next }
    { created[++exited] = substr($1, 1, 10); id[exited] = $2; group[exited] = $4 FS $5; said[exited] = $5 "\t" $6; newest[$4 FS $5] = $2 }
    END {
      for (i = 1; i <= exited; i++)
        if (newest[group[i]] == id[i]) kept++
        else if (created[i] <= youngest && count++ < most) lines = lines "\n" id[i] "\t" said[i]
      print running + 0, exited + 0, other + 0, unreadable + 0, kept + 0 lines
    }')" || return 1
  read -r running exited other UNREADABLE KEPT <<<"${answer%%$'\n'*}"
  CANDIDATES=''
  if [[ "${answer}" == *$'\n'* ]]; then CANDIDATES="${answer#*$'\n'}"; fi
  COUNTS="{\"running\":${running},\"exited\":${exited},\"other\":${other}}"
}

prune() {
  local id name pod
  while IFS=$'\t' read -r id name pod; do
    [[ -n "${id}" ]] || continue
    if ((REMOVED >= SSM_maxRemove)); then
      STOPPED=limit
    elif out_of_time; then
      STOPPED='time'
    elif ((FAILED >= MOST_FAILURES)); then
      STOPPED=failures
    else
      prune_one "${id}" "${pod}/${name}"
      continue
    fi
    return 0
  done <<<"${CANDIDATES}"
}

# Looks once more right before: the list is seconds or minutes old by now.
prune_one() {
  local id="$1" said="$2" complaint
  if [[ ! "${said}" =~ ^[a-z0-9./?-]{1,300}$ ]]; then said='?'; fi
  if ! look_at_container "${id}"; then
    refuse "${id}" "${REASON}"
  elif [[ "${STATE_NOW}" != CONTAINER_EXITED ]]; then
    refuse "${id}" "it is ${STATE_NOW:0:40} by now, not exited"
  elif [[ -z "${FINISHED}" ]]; then
    refuse "${id}" "${REASON}"
  elif (($(date +%s) - FINISHED < SSM_minAgeSeconds)); then
    RECENT=$((RECENT + 1))
  elif [[ "${SSM_dryRun}" == true ]]; then
    removed "${id}" "${said}"
  elif complaint="$(ask_runtime rm "${id}" 2>&1 >/dev/null)"; then
    FAILED=0
    removed "${id}" "${said}"
    # The runtime has its own work to do: removing unmounts and deletes the container's file system.
    sleep 0.1 9>&-
  else
    FAILED=$((FAILED + 1))
    refuse "${id}" "the runtime did not remove it: ${complaint:-no reason given}"
  fi
}

removed() {
  REMOVED=$((REMOVED + 1))
  plan_change container "$1" "exited ($2)" removed
}

main "$@"
