#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# What the container runtime says, through crictl.

probe_containers() {
  local NOT_READ='' status=0 containers pods=' ' version='' driver runc='' name='' number=''
  local -a crictl=(crictl)
  if [[ -z "${ROOT}" && ! -e /etc/crictl.yaml && -S /run/containerd/containerd.sock ]]; then
    crictl+=(--runtime-endpoint unix:///run/containerd/containerd.sock)
  fi
  containers="$(tool "${crictl[@]}" ps -a -o json | count_items CONTAINER)" || status=$?
  ((status == 0)) || tool_failed crictl "${status}"
  [[ -n "${containers}" ]] || failed "crictl printed no list of containers"
  pods="$(tool "${crictl[@]}" pods -o json | count_items SANDBOX)" || not_read sandboxes "crictl pods gave no answer"
  version="$(tool "${crictl[@]}" version)" || not_read runtime "crictl version gave no answer"
  if [[ "${version}" =~ RuntimeName:\ +([A-Za-z0-9._-]{1,40}) ]]; then name="\"${BASH_REMATCH[1]}\""; fi
  if [[ "${version}" =~ RuntimeVersion:\ +([A-Za-z0-9.+~_-]{1,60}) ]]; then number="\"${BASH_REMATCH[1]}\""; fi
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

# From the JSON of crictl: how many run (are ready), how many are over, the age of the oldest of those, how many are
# neither. Only members of an item itself count, which crictl indents by six: names and labels are somebody else's text.
count_items() {
  awk -v kind="$1" -v now="${EPOCH}" '
    /^ *"(containers|items)": *\[/ { list = 1 }
    /^      "(state|createdAt)": "/ { gsub(/[":,]/, ""); p[$1] = $2 }
    /^    \}/ && ("state" in p) {
      if (p["state"] ~ "^" kind "_(RUNNING|READY)$") running++
      else if (p["state"] ~ "^" kind "_(EXITED|NOTREADY)$") {
        over++
        age = now - int(p["createdAt"] / 1e9)
        if (("createdAt" in p) && age > oldest) oldest = age
      } else other++
      split("", p)
    }
    END {
      if (list) printf "%d %d %s %d", running, over, over ? oldest + 0 : "null", other
    }'
}
