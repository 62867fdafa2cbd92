#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# Logins and what is left of them.

probe_sessions() {
  local NOT_READ='' open closing=0 abandoned='' left='' users='' logins='' covered='' omitted='' list status=0 kind count name linger sample='' since=''
  local -a NAMES=() ids=()
  list="$(tool loginctl list-sessions --no-legend)" || status=$?
  ((status == 0)) || tool_failed loginctl "${status}"
  read -r open list < <(printf '%s\n' "${list}" | awk '
    NF && ($1 ~ /[^A-Za-z0-9]/ || $2 ~ /[^0-9]/ || NF < 2) { print "bad"; exit }
    NF && ++n <= 200 { ids = ids " " $1 }
    END { print n + 0 ids }')
  [[ "${open}" != bad ]] || failed "loginctl printed no list of sessions"
  if ((open > 0)); then
    read -ra ids < <(printf '%s\n' "${list}")
    closing="$(tool loginctl show-session -p State -- ${ids[@]+"${ids[@]}"} | awk '/^State=closing/ { n++ } END { print n + 0 }')" ||
      not_read closing "loginctl show-session gave no answer"
  fi
  if [[ -n "${UNITS_GAP}" ]]; then not_read abandonedScopes "${UNITS_GAP}"; fi
  take_count abandoned abandoned "${UNITS}"
  unit_names abandoned
  for name in ${NAMES[@]+"${NAMES[@]:0:5}"}; do
    json_string "${name}"
    if ((${#sample} < 500)); then sample+="${sample:+,}${REPLY}"; fi
  done
  if ((${#NAMES[@]} > 0)); then left="$(abandoned_left "${NAMES[@]}")"; fi
  if [[ -n "${JOURNAL_GAP}" ]]; then
    not_read logins "${JOURNAL_GAP}"
  else
    take_count covered covered "${JOURNAL}"
    take_count logins logins "${JOURNAL}"
    take_count omitted users "${JOURNAL}"
    take_count since loginsSince "${JOURNAL}"
    while read -r kind count name; do
      if [[ "${kind}" != user ]] || ((${#users} > 1000)); then continue; fi
      linger=false
      if [[ "${name}" != */* && -e "${ROOT}/var/lib/systemd/linger/${name}" ]]; then linger=true; fi
      json_string "${name}"
      users+="${users:+,}$(object name "${REPLY}" logins "${count}" linger "${linger}")"
      omitted=$((omitted - 1))
    done < <(printf '%s\n' "${JOURNAL}")
  fi
  login_cgroup
  object open "${open}" closing "${closing}" abandonedScopes "${abandoned}" abandonedSample "[${sample}]" abandonedLeft "${left}" logins "${logins}" \
    coveredSeconds "${covered}" users "[${users}]" usersOmitted "${omitted}" memoryCgroup "${REPLY}" \
    loginsSinceSample "${since}" dyingThen "$(sample_column 4)" dyingNow "$(users_dying)" notRead "{${NOT_READ}}"
}

# What runs in these abandoned scopes, whose logins they were (by the slices that they are in), and whose processes.
abandoned_left() {
  local name path uid pid scopes=0 processes=0 text='' top="${ROOT}${MOUNT}/user.slice"
  local -a pids=() uids=() UIDS=()
  if [[ "${HIERARCHY}" == v1 ]]; then top="${ROOT}/sys/fs/cgroup/systemd/user.slice"; fi
  for name in "$@"; do
    for path in "${top}"/user-*.slice/"${name}"; do
      uid="${path%/*}"
      uid="${uid##*/user-}"
      uid="${uid%.slice}"
      if [[ ! "${uid}" =~ ^[0-9]{1,10}$ ]] || ! mapfile -t pids 2>/dev/null <"${path}/cgroup.procs"; then continue; fi
      scopes=$((scopes + 1)) processes=$((processes + ${#pids[@]}))
      UIDS=("${uid}")
      for pid in '' ${pids[@]+"${pids[@]:0:100}"}; do
        if [[ -n "${pid}" ]] && ! process_users "${pid}"; then continue; fi
        for uid in "${UIDS[@]}"; do
          if [[ " ${uids[*]-} " != *" ${uid} "* ]] && ((${#uids[@]} < 10)); then uids+=("${uid}"); fi
        done
      done
    done
  done
  for uid in ${uids[@]+"${uids[@]}"}; do
    json_string "$(user_name "${uid}")"
    text+="${text:+,}${REPLY}"
  done
  object scopes "${scopes}" processes "${processes}" users "[${text}]"
}

# Where a login gets a memory cgroup: of its session, of its user's slice, or nowhere below user.slice. Sets REPLY.
login_cgroup() {
  local path slices="${ROOT}${MOUNT}/user.slice"
  REPLY=''
  # v1 has the slices without the controller elsewhere.
  if [[ "${HIERARCHY}" == v1 ]]; then slices="${ROOT}/sys/fs/cgroup/systemd/user.slice"; fi
  for path in "${slices}"/user-*.slice/session-*.scope "${slices}"/user-*.slice; do
    REPLY='"none"'
    path="${ROOT}${MOUNT}${path#"${slices%/user.slice}"}"
    [[ -e "${path}/memory.stat" ]] || continue
    REPLY='"user"'
    # The next session would get its own.
    if [[ "${path}" == *.scope ]] || { read_line "${path}/cgroup.subtree_control" && [[ " ${VALUE} " == *' memory '* ]]; }; then REPLY='"session"'; fi
    return 0
  done
  if [[ -z "${REPLY}" ]]; then not_read memoryCgroup "nobody is logged in" && REPLY=''; fi
}

# Runs of cron and of the services that timers start, from the ends of services in the journal.
probe_timers() {
  no_gap "${JOURNAL_GAP:-${UNITS_GAP}}"
  local covered cron units status=0
  take_count covered covered "${JOURNAL}"
  take_count cron cron "${JOURNAL}"
  units="$(tool systemctl show -p Unit -- '*.timer')" || status=$?
  ((status == 0)) || tool_failed systemctl "${status}"
  printf '%s\n%s\n' "${units}" "${JOURNAL}" | awk -v covered="${covered}" -v cron="${cron}" "${AWK_TOOLS}"'
    /^Unit=/ { timed[substr($0, 6)] = 1; next }
    $1 == "ended" { logged = 1 }
    $1 == "ended" && ($3 in timed) { runs += $2; if (++n <= 6) out = out (n > 1 ? "," : "") object("unit runs", json($3), $2) }
    $1 == "ended" && ++others <= 6 { most = most (others > 1 ? "," : "") object("unit runs", json($3), $2) }
    # Before systemd 241 the journal names no unit when it ends.
    END { print object("coveredSeconds cronRuns timerRuns timers shortLived", covered, cron, logged ? runs + 0 : "null", "[" out "]", "[" most "]") }'
}
