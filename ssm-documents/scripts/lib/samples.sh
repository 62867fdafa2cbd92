#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# What there was an hour ago, and what there is now.

# Column $1 (1: the time, 4: the dying below user.slice) of the oldest sample of the last hour of this boot, or nothing.
sample_column() {
  local file="${ROOT}/var/lib/cgroup-medic/evidence/history"
  if [[ -r "${file}" ]] && read_line "${ROOT}/proc/sys/kernel/random/boot_id"; then
    awk -v boot="${VALUE}" -v now="${EPOCH}" -v column="$1" '
      $1 == boot && $5 ~ /^[0-9]+$/ && $2 < now && $2 > now - 3600 && !found++ { printf "%s", $(column + 1) }' "${file}"
  fi
}

# Dying cgroups below user.slice; cgroup v1 has no such count.
users_dying() {
  if [[ "${HIERARCHY}" == v2 ]] && read_field "${ROOT}${MOUNT}/user.slice/cgroup.stat" nr_dying_descendants; then printf '%s' "${VALUE}"; fi
}
