#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# A short memory, so that growth has a slope even where nobody collects metrics.

# At most 96 samples are kept, at least a minute apart, and 24 are printed. One line each: boot id, time, live, dying,
# dying below user.slice, available, unreclaimable slab, percpu (KiB); of the kubelet: resident memory (KiB), start (ticks since
# boot), pods. Lines of an older version end before the kubelet.
probe_history() {
  local folder="${ROOT}/var/lib/cgroup-medic/evidence" boot now line last=0 kubelet
  local -a kept=() ours=()
  read_line "${ROOT}/proc/sys/kernel/random/boot_id" || failed "cannot read the boot id"
  boot="${VALUE//[!0-9a-f-]/}"
  now="${EPOCH}"
  if [[ -r "${folder}/history" ]]; then
    while IFS= read -r line; do
      # Whatever is not a sample of ours is not printed.
      [[ "${line}" =~ ^([0-9a-f-]{1,64})\ ([0-9]{1,12})(\ ([0-9]{1,12}|null)){6,9}$ ]] || continue
      kept+=("${line}")
      if [[ "${BASH_REMATCH[1]}" == "${boot}" ]]; then
        ours+=("${line#* }")
        last="${BASH_REMATCH[2]}"
      fi
    done <"${folder}/history"
  fi
  kubelet="$(kubelet_sample)"
  # The clock can be set back: then the last sample is in the future.
  if ((now - last >= 60 || now < last)); then
    kept+=("${boot} ${now} $(take_sample) ${kubelet}")
    if ((${#kept[@]} > 96)); then kept=("${kept[@]:${#kept[@]}-96}"); fi
    if ! { mkdir -p "${folder}" && printf '%s\n' "${kept[@]}" >"${folder}/history.${BASHPID}" &&
      mv "${folder}/history.${BASHPID}" "${folder}/history"; }; then
      failed "cannot write /var/lib/cgroup-medic/evidence/history"
    fi
  fi
  # The first, the last, and some between them, evenly.
  printf '%s\n' ${ours[@]+"${ours[@]}"} | awk -v kubelet="${kubelet// /,}" '
    NF >= 7 { gsub(/ /, ","); line[++n] = "[" $0 "]" }
    END {
      for (i = 1; i <= n && i <= 24; i++) out = out (i > 1 ? "," : "") line[n <= 24 ? i : 1 + int((i - 1) * (n - 1) / 23)]
      print "{\"samples\":[" out "],\"kubelet\":[" kubelet "]}"
    }'
}

take_sample() {
  local key line out=null
  IFS= read -r line < <(printf '%s\n' "${TREE}") || true
  [[ "${line}" =~ ^[0-9]+\ [0-9]+$ ]] || line='null null'
  out="$(users_dying)"
  line+=" ${out:-null}"
  for key in MemAvailable SUnreclaim Percpu; do
    read_field "${ROOT}/proc/meminfo" "${key}" || VALUE=null
    line+=" ${VALUE}"
  done
  printf '%s' "${line}"
}
