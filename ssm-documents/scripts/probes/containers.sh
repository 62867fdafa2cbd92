#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# What the container runtime says, through crictl.

probe_containers() {
  local NOT_READ='' status=0 containers pods='' version='' driver runc='' name='' number=''
  local -a crictl=(crictl)
  if [[ -z "${ROOT}" && ! -e /etc/crictl.yaml && -S /run/containerd/containerd.sock ]]; then
    crictl+=(--runtime-endpoint unix:///run/containerd/containerd.sock)
  fi
  containers="$(tool "${crictl[@]}" ps -a -o json | count_items containers CONTAINER)" || status=$?
  ((status == 0)) || tool_failed crictl "${status}"
  [[ -n "${containers}" ]] || failed "crictl printed no list of containers"
  pods="$(tool "${crictl[@]}" pods -o json | count_items items SANDBOX)" || pods=''
  if [[ -z "${pods}" ]]; then not_read sandboxes "crictl pods gave no answer"; fi
  version="$(tool "${crictl[@]}" version)" || version=''
  if [[ "${version}" =~ RuntimeName:\ +([A-Za-z0-9._-]{1,40}) ]]; then name="\"${BASH_REMATCH[1]}\""; fi
  if [[ "${version}" =~ RuntimeVersion:\ +([A-Za-z0-9.+~_-]{1,60}) ]]; then number="\"${BASH_REMATCH[1]}\""; fi
  if [[ -z "${name}" || -z "${number}" ]]; then not_read runtime "crictl version gave no answer"; fi
  driver="$(tool "${crictl[@]}" info | awk '
    tolower($0) ~ /"systemdcgroup": *true/ { found = "\"systemd\"" }
    tolower($0) ~ /"systemdcgroup": *false/ && found == "" { found = "\"cgroupfs\"" }
    END { printf "%s", found }')" || driver=''
  if [[ -z "${driver}" ]]; then not_read cgroupDriver "crictl info does not say"; fi
  if [[ "$(tool runc --version)" =~ runc\ version\ ([A-Za-z0-9.+~_-]{1,60}) ]]; then runc="\"${BASH_REMATCH[1]}\""; else not_read runc "runc is not on the PATH or gave no answer"; fi
  local running exited oldest other ready not_ready oldest_pod
  read -r running exited oldest other < <(printf '%s\n' "${containers}")
  read -r ready not_ready oldest_pod _ < <(printf '%s\n' "${pods}") || true
  object running "${running}" exited "${exited}" oldestExitedSeconds "${oldest}" other "${other}" sandboxesReady "${ready}" \
    sandboxesNotReady "${not_ready}" oldestNotReadySeconds "${oldest_pod}" runtime "${name}" runtimeVersion "${number}" \
    cgroupDriver "${driver}" runc "${runc}" notRead "{${NOT_READ}}"
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
