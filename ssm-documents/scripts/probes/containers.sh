#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# What the container runtime says, through crictl.

probe_containers() {
  local NOT_READ='' LATE='' LATEST_ASK status=0 containers pods='' version='' driver='' runc='' name='' number=''
  local TOOL_SECONDS="${TOOL_SECONDS}"
  local -a crictl=(crictl)
  if [[ -z "${ROOT}" && ! -e /etc/crictl.yaml && -S /run/containerd/containerd.sock ]]; then
    crictl+=(--runtime-endpoint unix:///run/containerd/containerd.sock)
  fi
  clock
  # Before the probe itself is cut off.
  LATEST_ASK=$((NOW_CS + 400 * PATIENCE))
  if ((LATEST_ASK > DEADLINE_CS - 50)); then LATEST_ASK=$((DEADLINE_CS - 50)); fi
  containers="$(tool "${crictl[@]}" ps -a -o json | count_items containers CONTAINER)" || status=$?
  ((status == 0)) || tool_failed crictl "${status}"
  [[ -n "${containers}" ]] || failed "crictl printed no list of containers"
  if time_is_left; then pods="$(tool "${crictl[@]}" pods -o json | count_items items SANDBOX)" || pods=''; fi
  if [[ -z "${pods}" ]]; then not_read sandboxes "${LATE:-crictl pods gave no answer}"; fi
  # How many there are is worth more than the rest, which must not cost it.
  if time_is_left; then version="$(tool "${crictl[@]}" version)" || version=''; fi
  if [[ "${version}" =~ RuntimeName:\ +([A-Za-z0-9._-]{1,40}) ]]; then name="\"${BASH_REMATCH[1]}\""; fi
  if [[ "${version}" =~ RuntimeVersion:\ +([A-Za-z0-9.+~_-]{1,60}) ]]; then number="\"${BASH_REMATCH[1]}\""; fi
  if [[ -z "${name}" || -z "${number}" ]]; then not_read runtime "${LATE:-crictl version gave no answer}"; fi
  if time_is_left; then
    driver="$(tool "${crictl[@]}" info | awk '
      tolower($0) ~ /"systemdcgroup": *true/ { found = "\"systemd\"" }
      tolower($0) ~ /"systemdcgroup": *false/ && found == "" { found = "\"cgroupfs\"" }
      END { printf "%s", found }')" || driver=''
  fi
  if [[ -z "${driver}" ]]; then not_read cgroupDriver "${LATE:-crictl info does not say}"; fi
  if time_is_left && [[ "$(tool runc --version)" =~ runc\ version\ ([A-Za-z0-9.+~_-]{1,60}) ]]; then
    runc="\"${BASH_REMATCH[1]}\""
  else
    not_read runc "${LATE:-runc is not on the PATH or gave no answer}"
  fi
  local running exited oldest other ready not_ready oldest_pod
  read -r running exited oldest other < <(printf '%s\n' "${containers}")
  read -r ready not_ready oldest_pod _ < <(printf '%s\n' "${pods}") || true
  object running "${running}" exited "${exited}" oldestExitedSeconds "${oldest}" other "${other}" sandboxesReady "${ready}" \
    sandboxesNotReady "${not_ready}" oldestNotReadySeconds "${oldest_pod}" runtime "${name}" runtimeVersion "${number}" \
    cgroupDriver "${driver}" runc "${runc}" notRead "{${NOT_READ}}"
}

# Whether another command may be asked; it may take what is left of the time. Else LATE is the reason.
time_is_left() {
  clock
  if ((LATEST_ASK - NOW_CS < 100)); then
    LATE='no time was left for it: crictl is slow to answer'
    return 1
  fi
  if ((TOOL_SECONDS > (LATEST_ASK - NOW_CS) / 100)); then TOOL_SECONDS=$(((LATEST_ASK - NOW_CS) / 100)); fi
}

# From the JSON of crictl, whose layout is not the same in every build of it: how many of list $1 run (are ready), how many
# are over, the age of the oldest of those, how many are neither. Nothing where there is no such list.
count_items() {
  awk -v list="$1" -v kind="$2" -v now="${EPOCH}" "${AWK_JSON_READER}"'
    BEGIN { RS = "\"" }
    { json_read() }
    END { if (json_complete() && listed) printf "%d %d %s %d", running, over, over ? oldest + 0 : "null", other }
    # Only members of an item itself count: what is deeper is somebody else'"'"'s text.
    function json_value(depth, text) { if (depth == 3 && json_key[1] == list) p[json_key[3]] = text }
    function json_end(depth,  age) {
      if (json_key[1] != list) return
      listed = 1
      if (depth != 3) return
      if (p["state"] ~ "^" kind "_(RUNNING|READY)$") running++
      else if (p["state"] ~ "^" kind "_(EXITED|NOTREADY)$") {
        over++
        age = ("createdAt" in p) ? now - int(p["createdAt"] / 1e9) : 0
        if (age > oldest) oldest = age
      } else other++
      split("", p)
    }'
}
