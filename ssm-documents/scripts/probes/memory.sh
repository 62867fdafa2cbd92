#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# Where the memory is, and who waits for it.

probe_memory() {
  local file="${ROOT}/proc/meminfo" pair out=''
  [[ -r "${file}" ]] || missing "cannot read /proc/meminfo: no such file"
  for pair in totalKb:MemTotal availableKb:MemAvailable cachedKb:Cached slabReclaimableKb:SReclaimable \
    slabUnreclaimableKb:SUnreclaim percpuKb:Percpu shmemKb:Shmem dirtyKb:Dirty; do
    read_field "${file}" "${pair#*:}" || missing "/proc/meminfo has no ${pair#*:} on this kernel"
    out+="${out:+,}\"${pair%%:*}\":${VALUE}"
  done
  printf '{%s}' "${out}"
}

probe_pressure() {
  local resource stalls out=''
  for resource in memory io cpu; do
    stalls="$(pressure_of "${resource}")" || missing "${stalls}"
    out+="${out:+,}\"${resource}\":${stalls}"
  done
  printf '{%s}' "${out}"
}

pressure_of() {
  local file="${ROOT}/proc/pressure/$1" line some=null full=null
  local pattern='^(some|full) avg10=([0-9.]+) avg60=([0-9.]+) avg300=([0-9.]+) total=([0-9]+)'
  local -a lines=()
  [[ -e "${file}" ]] || missing "cannot read /proc/pressure/$1: no such file (PSI is off on this kernel)"
  mapfile -t lines 2>/dev/null <"${file}" || true
  for line in ${lines[@]+"${lines[@]}"}; do
    [[ "${line}" =~ ${pattern} ]] || continue
    local stall="{\"avg10\":${BASH_REMATCH[2]},\"avg60\":${BASH_REMATCH[3]},\"avg300\":${BASH_REMATCH[4]},\"totalUs\":${BASH_REMATCH[5]}}"
    if [[ "${BASH_REMATCH[1]}" == some ]]; then some="${stall}"; else full="${stall}"; fi
  done
  [[ "${some}" != null ]] || missing "cannot read /proc/pressure/$1: nothing in it (PSI is off: boot with psi=1)"
  printf '{"some":%s,"full":%s}' "${some}" "${full}"
}
