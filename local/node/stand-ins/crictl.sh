#!/usr/bin/env bash
# shellcheck disable=SC2016 # awk has dollars of its own
# The runtime of a recorded node: containers as lines "COUNT STATE SECONDS_OLD NAME NAMESPACE/POD", sandboxes as "COUNT
# STATE SECONDS_OLD" in var/lib/recorded. Those that were removed are in "removed" there.

known="${0%/usr/bin/crictl}/var/lib/recorded"
touch "${known}/removed"

main() {
  while [[ "${1:-}" == --* ]]; do shift 2; done
  case "$1" in
    ps) containers | awk 'BEGIN { printf "{\"containers\":[" } { printf "%s%s", (NR > 1 ? "," : ""), json() } END { print "]}" }'"${AWK_CONTAINER}" ;;
    pods) awk -v now="$(date +%s)" "${AWK_PODS}" "${known}/sandboxes" ;;
    inspect) inspect "${@: -1}" ;;
    rm) containers | grep -q "^$2 CONTAINER_EXITED " && echo "$2" >>"${known}/removed" ;;
    version) printf 'RuntimeName:  containerd\nRuntimeVersion:  1.7.27\n' ;;
    info) echo '{"config":{"systemdCgroup":true}}' ;;
    *) exit 1 ;;
  esac
}

# Prints "ID STATE CREATED NAME NAMESPACE POD SANDBOX", the times in seconds since 1970.
containers() {
  awk -v now="$(date +%s)" '
    FILENAME == ARGV[1] { gone[$1]; next }
    {
      split($5, place, "/")
      for (i = 1; i <= $1; i++) {
        id = sprintf("%032x%032x", FNR, i)
        if (!(id in gone)) print id, "CONTAINER_" $2, now - $3 + i, $4, place[1], place[2], sprintf("%064x", FNR)
      }
    }' "${known}/removed" "${known}/containers"
}

AWK_CONTAINER='
function json() {
  return "{\"id\":\"" $1 "\",\"podSandboxId\":\"" $7 "\",\"metadata\":{\"name\":\"" $4 "\"},\"state\":\"" $2 "\",\"createdAt\":\"" $3 \
    "000000000\",\"labels\":{\"io.kubernetes.pod.name\":\"" $6 "\",\"io.kubernetes.pod.namespace\":\"" $5 "\"}}"
}'

AWK_PODS='
BEGIN { printf "{\"items\":[" }
{ for (i = 1; i <= $1; i++) printf "%s{\"id\":\"%032x%032x\",\"state\":\"SANDBOX_%s\",\"createdAt\":\"%d000000000\"}", n++ ? "," : "", NR, i, $2, now - $3 }
END { print "]}" }'

# Each ran for a second.
inspect() {
  local id state created rest
  read -r id state created rest < <(containers | grep "^$1 ") || exit 1
  printf '{"status":{"id":"%s","state":"%s","finishedAt":"%s"}}\n' "${id}" "${state}" "$(date -u -d "@$((created + 1))" +%Y-%m-%dT%H:%M:%SZ)"
}

main "$@"
