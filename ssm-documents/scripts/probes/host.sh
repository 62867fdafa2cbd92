#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# The machine, and which cgroup version owns its memory.

probe_host() {
  local kernel os='' boot uptime cpus line
  read_line "${ROOT}/proc/sys/kernel/osrelease" || failed "cannot read /proc/sys/kernel/osrelease"
  kernel="${VALUE}"
  read_line "${ROOT}/proc/sys/kernel/random/boot_id" || failed "cannot read /proc/sys/kernel/random/boot_id"
  boot="${VALUE}"
  read_line "${ROOT}/proc/uptime" || failed "cannot read /proc/uptime"
  uptime="${VALUE%%.*}"
  is_number "${uptime}" || failed "cannot understand /proc/uptime"
  cpus="$(awk '/^processor[ \t]*:/ { n++ } END { print n + 0 }' "${ROOT}/proc/cpuinfo" 2>/dev/null)" || cpus=0
  # Some architectures list no processors there.
  if ((cpus == 0)) && [[ -z "${ROOT}" ]]; then cpus="$(nproc --all)"; fi
  ((cpus > 0)) || failed "cannot count the CPUs in /proc/cpuinfo"
  if [[ -r "${ROOT}/etc/os-release" ]]; then
    while IFS= read -r line; do
      if [[ "${line}" =~ ^PRETTY_NAME=[\"\']?([^\"\']*) ]]; then os="${BASH_REMATCH[1]}"; fi
    done <"${ROOT}/etc/os-release"
  fi
  json_string "${kernel:0:200}" && kernel="${REPLY}"
  json_string "${os:0:200}" && os="${REPLY}"
  json_string "${boot:0:64}" && boot="${REPLY}"
  object kernel "${kernel}" os "${os}" bootId "${boot}" uptimeSeconds "${uptime}" cpus "${cpus}" \
    systemdVersion "$(systemd_version)" instanceId "$(instance_id)"
}

systemd_version() {
  if [[ "${SSM_profile}" == full && -z "${UNITS_GAP}" && "$(tool systemctl --version)" =~ ^systemd\ ([0-9]{1,5}) ]]; then printf '%s' "${BASH_REMATCH[1]}"; fi
}

# A Nitro instance carries its id in its firmware, and cloud-init keeps it in a file. Neither needs the network.
instance_id() {
  local file
  for file in /sys/devices/virtual/dmi/id/board_asset_tag /var/lib/cloud/data/instance-id; do
    if read_line "${ROOT}${file}" && [[ "${VALUE}" =~ ^i-[0-9a-f]{8,17}$ ]]; then
      printf '"%s"' "${VALUE}"
      return
    fi
  done
}

probe_hierarchy() {
  need_hierarchy whole
  printf '{"memory":"%s","layout":"%s","mount":"%s"}' "${HIERARCHY}" "${LAYOUT}" "${MOUNT}"
}
