#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# What the kubelet says of itself to the node: its unit, its process, its configuration, its health.

probe_kubelet() {
  local text key value version='' config health='' NOT_READ='' status=0 rss started='' journal='' out=''
  local -A p=()
  no_gap "${UNITS_GAP}"
  text="$(tool systemctl show -p Id,LoadState,ActiveState,SubState,Result,ExecMainStatus,NRestarts,MainPID \
    -p ActiveEnterTimestampMonotonic,MemoryCurrent,MemoryMax,MemoryLimit,MemoryHigh -- kubelet.service snap.kubelet-eks.daemon.service)" || status=$?
  ((status == 0)) || tool_failed systemctl "${status}"
  # Two units were asked for; an empty line is between them.
  while IFS='=' read -r key value; do
    if [[ -n "${key}" ]]; then p[${key}]="${value}"; elif [[ "${p[LoadState]:-}" == loaded ]]; then break; fi
  done < <(printf '%s\n' "${text}")
  [[ "${p[LoadState]:-}" == loaded ]] || missing "systemd knows no kubelet.service"

  if [[ "${p[MainPID]:-}" =~ ^[1-9][0-9]{0,9}$ ]] && read_field "${ROOT}/proc/${p[MainPID]}/status" VmRSS; then rss="${VALUE}"; else not_read rssKb "it has no main process"; fi
  read_line "${ROOT}/proc/uptime"
  number "${p[ActiveEnterTimestampMonotonic]:-}" 1000000
  if [[ "${REPLY}" != null ]] && ((REPLY > 0)); then started=$((${VALUE%%.*} - REPLY)); fi
  if [[ "$(tool kubelet --version)" =~ ^Kubernetes\ (v[0-9A-Za-z.+-]{1,60}) ]]; then version="\"${BASH_REMATCH[1]}\""; else not_read version "kubelet --version gave no answer"; fi
  health="$(kubelet_health)" || not_read healthz "no answer on 127.0.0.1:10248"
  config="$(kubelet_config)" || not_read config "no kubelet configuration in the usual places"
  if [[ -n "${JOURNAL_GAP}" ]]; then
    not_read journal "${JOURNAL_GAP}"
  else
    for key in cgroupDeleteFailed pleg criDeadline listTooLarge; do
      take_count value "${key}" "${JOURNAL}"
      journal+=" ${key} ${value}"
    done
    # shellcheck disable=SC2086 # names and numbers
    journal="$(object ${journal})"
  fi
  for key in Id ActiveState SubState Result; do
    value="${p[${key}]:-}"
    json_string "${value:0:60}"
    p[${key}]="${REPLY}"
  done
  for key in ExecMainStatus:1 NRestarts:1 MemoryCurrent:1024 MemoryMax:1024 MemoryLimit:1024 MemoryHigh:1024; do
    number "${p[${key%:*}]:-}" "${key#*:}"
    p[${key%:*}]="${REPLY}"
  done
  if [[ "${p[MemoryMax]}" == null ]]; then p[MemoryMax]="${p[MemoryLimit]}"; fi
  object unit "${p[Id]}" active "${p[ActiveState]}" sub "${p[SubState]}" result "${p[Result]}" execMainStatus "${p[ExecMainStatus]}" \
    restarts "${p[NRestarts]}" memoryKb "${p[MemoryCurrent]}" memoryMaxKb "${p[MemoryMax]}" memoryHighKb "${p[MemoryHigh]}" \
    startedSecondsAgo "${started}" rssKb "${rss:-}" version "${version}" healthz "${health}" config "${config}" journal "${journal}" notRead "{${NOT_READ}}"
}

# The status of its health endpoint, which needs no authentication. A recorded node has no network.
kubelet_health() {
  local answer
  [[ -z "${ROOT}" ]] || return 1
  answer="$(timeout -k 1 "${TOOL_SECONDS}" bash -c 'exec 3<>/dev/tcp/127.0.0.1/10248; printf "GET /healthz HTTP/1.0\r\n\r\n" >&3; IFS= read -r -n 40 line <&3; printf %s "${line}"')" || return 1
  [[ "${answer}" =~ ^HTTP/[0-9.]+\ ([0-9]{3}) ]] && printf '%s' "${BASH_REMATCH[1]}"
}

# The few settings of interest, from the configuration file and its drop-ins, JSON or YAML. Never from the command
# line, and only values that look like a setting.
kubelet_config() {
  local file
  for file in /etc/kubernetes/kubelet/config.json /etc/kubernetes/kubelet/kubelet-config.json /var/lib/kubelet/config.yaml; do
    if [[ -r "${ROOT}${file}" ]]; then
      awk -v file="${file}" "${AWK_TOOLS}${AWK_KUBELET_CONFIG}" "${ROOT}${file}" "${ROOT}${file}".d/*.conf
      return
    fi
  done
  return 1
}

AWK_KUBELET_CONFIG='
function clean(s) { gsub(/^[ \t"\047]+|[ \t"\047,\r]+$/, "", s); return s }
function take(line,  at, key, value, indent) {
  match(line, /^ */)
  indent = RLENGTH
  at = index(line, ":")
  if (line ~ /^[ \t]*}/) section = ""
  if (line ~ /^[ \t]*([#}]|$)/ || !at) return
  # YAML: a section ends where the indentation does.
  if (!braces && indent <= depth) section = ""
  key = clean(substr(line, 1, at - 1))
  value = clean(substr(line, at + 1))
  if (value == "" || value == "{") {
    braces = value == "{"
    section = section == "" ? key : section "."
    depth = indent
    return
  }
  if (value !~ /^[A-Za-z0-9.\/%+_:-]+$/ || length(value) > 40 || key !~ /^[A-Za-z][A-Za-z0-9._-]*$/ || length(key) > 60) return
  if (section == "" && index(flags, " " key " ")) section = "flags"
  if (index(sections, " " section " ") && !((section, key) in known) && ++members[section] <= 20) order[section, members[section]] = key
  known[section, key] = value
  if (section == "flags") section = ""
}
BEGIN {
  sections = " featureGates evictionHard evictionSoft kubeReserved systemReserved flags "
  flags = " cgroupDriver cgroupsPerQOS cgroupRoot kubeReservedCgroup systemReservedCgroup maxPods podPidsLimit cpuManagerPolicy memoryManagerPolicy serializeImagePulls maxParallelImagePulls rotateCertificates memoryThrottlingFactor "
}
FNR == 1 { section = ""; braces = depth = 0 }
/^[ \t]*[{"}]/ {
  # JSON, on one line or on many: one member a line.
  gsub(/[{,]/, "&\n")
  gsub(/}/, "\n}\n")
  count = split($0, row, "\n")
  for (r = 1; r <= count; r++) { sub(/^[ \t]+/, "", row[r]); if (row[r] != "{") take(row[r]) }
  next
}
{ take($0) }
END {
  n = split(sections, part, " ")
  for (i = 1; i <= n; i++) {
    out = out ",\"" part[i] "\":{"
    for (j = 1; j <= members[part[i]] && j <= 20; j++)
      out = out (j > 1 ? "," : "") json(order[part[i], j]) ":" json(known[part[i], order[part[i], j]])
    out = out "}"
  }
  print "{\"file\":" json(file) out "}"
}'
