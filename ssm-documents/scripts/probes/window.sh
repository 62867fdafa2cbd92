#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# What changes while we watch.

probe_reclaim() {
  local before after started ended
  [[ "${SSM_windowSeconds}" != 0 ]] || missing "not asked for"
  [[ -r "${ROOT}/proc/vmstat" ]] || missing "cannot read /proc/vmstat: no such file"
  started="$(date +%s%N)"
  before="$(reclaim_counters)" || failed "${before}"
  sleep "${SSM_windowSeconds}"
  after="$(reclaim_counters)" || failed "${after}"
  ended="$(date +%s%N)"
  # The clock can be set back meanwhile.
  local window=$(((ended - started) / 1000000))
  if ((window <= 0)); then window=$((SSM_windowSeconds * 1000)); fi
  printf '%s\n%s\n' "${before}" "${after}" | awk -v window="${window}" '
    NR == 1 { split($0, old, " ") }
    NR == 2 {
      n = split("pgscanDirect pgscanKswapd pgstealDirect pgstealKswapd allocstall pgmajfault", name, " ")
      printf "{\"windowMs\":%d", window
      for (i = 1; i <= n; i++) printf ",\"%s\":%d", name[i], ($i > old[i] ? $i - old[i] : 0)
      printf "}"
    }'
}

# Newer kernels count allocstall per zone.
reclaim_counters() {
  awk '
    /^allocstall/ { stalls += $2; seen_stalls = 1 }
    { value[$1] = $2 }
    END {
      n = split("pgscan_direct pgscan_kswapd pgsteal_direct pgsteal_kswapd", name, " ")
      for (i = 1; i <= n; i++) if (!(name[i] in value)) { printf "/proc/vmstat has no %s on this kernel", name[i]; exit 1 }
      if (!seen_stalls) { printf "/proc/vmstat has no allocstall on this kernel"; exit 1 }
      if (!("pgmajfault" in value)) { printf "/proc/vmstat has no pgmajfault on this kernel"; exit 1 }
      for (i = 1; i <= n; i++) printf "%.0f ", value[name[i]]
      printf "%.0f %.0f", stalls, value["pgmajfault"]
    }' "${ROOT}/proc/vmstat"
}
