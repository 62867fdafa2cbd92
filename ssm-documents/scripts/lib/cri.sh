#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Asks the container runtime through crictl, which on a sick node may not answer: every call has a time limit.

CRI_SECONDS=30

# Sets CRICTL to the command with its options, or returns 1 with REASON.
find_runtime() {
  local socket
  find_command crictl || return 1
  CRICTL=("${COMMAND}" --timeout "${CRI_SECONDS}s")
  # Named outright: without configuration crictl tries sockets of other runtimes first, and waits for them.
  for socket in /run/containerd/containerd.sock /run/crio/crio.sock; do
    if [[ -S "${ROOT}${socket}" ]]; then
      CRICTL+=(--runtime-endpoint "unix://${socket}")
      return 0
    fi
  done
  if [[ -e "${ROOT}/etc/crictl.yaml" ]]; then return 0; fi
  REASON='no container runtime: neither /run/containerd/containerd.sock nor /run/crio/crio.sock nor /etc/crictl.yaml is there'
  return 1
}

ask_runtime() { timeout -k 5 $((CRI_SECONDS + 5)) "${CRICTL[@]}" "$@" </dev/null 9>&-; }

# Prints "CREATED ID STATE SANDBOX NAME POD" lines, separated by tabs, oldest first: one for each container whose
# fields are what a runtime gives them. CREATED is in nanoseconds, NAME as JSON has it, POD "NAMESPACE/POD" or "?".
list_containers() {
  # What it complains about while it succeeds (defaults, deprecations) is not worth the room in the log.
  ask_runtime ps -a -o json 2>/dev/null | awk "${AWK_JSON_READER}"'
    BEGIN { RS = "\"" }
    { json_read() }
    END { if (!json_complete()) exit 1 }
    function json_value(depth, text) {
      if (json_key[1] != "containers") return
      if (depth == 3) field[json_key[3]] = text
      else if (depth == 4 && json_key[3] ~ /^(metadata|labels)$/) field[json_key[3] "." json_key[4]] = text
    }
    function json_end(depth) {
      if (depth != 3 || json_key[1] != "containers") return
      if (is_id(field["id"]) && is_id(field["podSandboxId"]) && field["createdAt"] ~ /^[0-9]+$/ && length(field["createdAt"]) == 19 \
        && field["state"] ~ /^CONTAINER_[A-Z]+$/ && field["metadata.name"] != "" && field["metadata.name"] !~ /[\t\n]/)
        print field["createdAt"] "\t" field["id"] "\t" field["state"] "\t" field["podSandboxId"] "\t" field["metadata.name"] \
          "\t" plain(field["labels.io.kubernetes.pod.namespace"]) "/" plain(field["labels.io.kubernetes.pod.name"])
      else print "0\t?\tunreadable\t?\t?\t?"
      split("", field)
    }
    function is_id(text) { return length(text) == 64 && text !~ /[^0-9a-f]/ }
    function plain(text) { return text ~ /^[a-z0-9][a-z0-9.-]*$/ && length(text) <= 253 ? text : "?" }
  ' | sort -t $'\t' -k 1,1n -k 2,2
}

# Sets STATE_NOW and FINISHED (seconds since 1970) of container $1; returns 1 with REASON when it cannot be told.
look_at_container() {
  local answer id finished date='^(20[0-9]{2}-[0-9]{2}-[0-9]{2})T([0-9:]{8})(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$'
  STATE_NOW='' FINISHED='' REASON='the runtime does not tell its state'
  # Its second half has the environment of the container: never kept, never printed.
  answer="$(ask_runtime inspect -o json "$1" 2>/dev/null | awk "${AWK_JSON_READER}"'
    BEGIN { RS = "\"" }
    { json_read() }
    END {
      if (!json_complete()) exit 1
      print status["id"] "\t" status["state"] "\t" status["finishedAt"]
    }
    function json_value(depth, text) { if (depth == 2 && json_key[1] == "status") status[json_key[2]] = text }
    function json_end(depth) {}
  ')" || return 1
  IFS=$'\t' read -r id STATE_NOW finished <<<"${answer}"
  if [[ "${id}" != "$1" || -z "${STATE_NOW}" ]]; then return 1; fi
  REASON='the runtime does not tell when it ended'
  if [[ "${finished}" =~ ${date} ]]; then
    FINISHED="$(date -u -d "${BASH_REMATCH[1]} ${BASH_REMATCH[2]} ${BASH_REMATCH[4]/Z/+00:00}" +%s 2>/dev/null)" || FINISHED=''
  fi
}
