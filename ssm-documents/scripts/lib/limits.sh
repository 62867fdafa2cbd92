#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Memory limits and protections that would be lost where the memory controller is turned off.

# Adds to LIMITS, one a line, what the cgroups below path $1 have; with $2 = self also what that cgroup itself has.
add_cgroup_limits() {
  LIMITS+="$(list_directories "${ROOT}${MOUNT}$1" | awk -v hierarchy="${HIERARCHY}" -v self="${2:-}" -v start=$((${#ROOT} + ${#MOUNT} + 1)) '
    function look(name, none,  file, line) {
      file = $0 "/" name
      if ((getline line < file) > 0) {
        # v1 has no word for "no limit", only a number that depends on the page size.
        if (hierarchy == "v1" ? line + 0 < 9.2e18 : line != none) print substr($0, start) " has " name " = " line
      }
      close(file)
    }
    BEGIN { FS = "\n" }
    NR == 1 && self != "self" { next }
    hierarchy == "v1" { look("memory.limit_in_bytes"); look("memory.soft_limit_in_bytes"); look("memory.memsw.limit_in_bytes"); next }
    {
      look("memory.max", "max"); look("memory.high", "max"); look("memory.swap.max", "max"); look("memory.zswap.max", "max")
      look("memory.min", "0"); look("memory.low", "0")
    }' | cut -c 1-300 | head -n 50)" || true
  if [[ -n "${LIMITS}" && "${LIMITS}" != *$'\n' ]]; then LIMITS+=$'\n'; fi
}

# Adds to LIMITS what the files of units whose names match the regular expression $1, and their drop-ins, say: limits of
# cgroups that are not there now and will be.
add_configured_limits() {
  local folder file unit
  for folder in /etc/systemd/system /etc/systemd/system.control /run/systemd/system /run/systemd/system.control \
    /run/systemd/transient /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system; do
    # /lib may be a link to /usr/lib.
    if [[ -L "${ROOT}/lib" && "${folder}" == /lib/* ]]; then continue; fi
    for file in "${ROOT}${folder}"/*.{service,slice,scope} "${ROOT}${folder}"/*.{service,slice,scope}.d/*.conf; do
      unit="${file#"${ROOT}${folder}/"}"
      unit="${unit%%.d/*}"
      if [[ "${unit}" =~ $1 && -f "${file}" ]]; then add_file_limits "${file}"; fi
    done
  done
}

add_file_limits() {
  LIMITS+="$(awk -v path="${1#"${ROOT}"}" '
    { gsub(/[ \t\r]/, "") }
    /^(Startup|Default)?Memory(Max|High|Limit|SwapMax|ZSwapMax|Min|Low)=/ {
      value = $0
      sub(/^[^=]*=/, "", value)
      # systemd takes 0 for a limit of swap alone ("never swap").
      if (value != "" && value != "infinity" && (value != "0" || $0 ~ /SwapMax=/)) print path " says " substr($0, 1, 80)
    }' "$1" 2>/dev/null | head -n 10)" || true
  if [[ -n "${LIMITS}" && "${LIMITS}" != *$'\n' ]]; then LIMITS+=$'\n'; fi
}

# Ends the document when limits would be lost and $1 does not allow it.
refuse_limit_loss() {
  local count
  [[ -n "${LIMITS}" ]] || return 0
  count="$(printf '%s' "${LIMITS}" | awk 'END { print NR }')"
  if [[ "$1" == true ]]; then
    log "lost while it is on, as allowed: ${LIMITS:0:1000}"
    return 0
  fi
  fail "memory limits in force would be lost (${count}): ${LIMITS%%$'\n'*}. Lift them first, or allow it by allowLimitLoss=true"
}
