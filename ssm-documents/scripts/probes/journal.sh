#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# What the journal of the last hour says, read once for all probes.

# Sets JOURNAL to "count KEY N", "user N NAME", "ended N UNIT" and "oom TIME COMM<tab>CGROUP", or JOURNAL_GAP to the reason.
read_journal() {
  run_bounded 500 journal_facts
  JOURNAL="${REPLY}"
  if ((STATUS == 0)); then return; fi
  tool_gap journalctl "${STATUS}"
  if ((STATUS == 4)) && [[ "${REASON}" != *here ]]; then REASON="the journal has nothing of the last hour of this boot"; fi
  JOURNAL='' JOURNAL_GAP="${REASON}"
}

# Newest lines first, so that what is cut off is the oldest: what was read until then counts, and says how far it goes back.
journal_facts() {
  # When awk has read enough, journalctl dies of it.
  set +o pipefail
  read_line "${ROOT}/proc/uptime"
  {
    local status=0
    tool journalctl --quiet --reverse --boot --since=-1h --output=short-unix _PID=1 + _SYSTEMD_UNIT=kubelet.service \
      + _SYSTEMD_UNIT=snap.kubelet-eks.daemon.service + _SYSTEMD_UNIT=containerd.service + _SYSTEMD_UNIT=docker.service \
      + _TRANSPORT=kernel + SYSLOG_IDENTIFIER=CRON + SYSLOG_IDENTIFIER=crond || status=$?
    printf '\nstatus %s\n' "${status}"
  } | awk -v now="${EPOCH}" -v uptime="${VALUE%%.*}" -v since="$(sample_column 1)" "${AWK_TOOLS}${AWK_OOM}${AWK_JOURNAL}"
}

# A line of the kernel about an OOM kill: who, and in which cgroup.
AWK_OOM='
function oom(time, text,  comm) {
  if (text !~ /^oom-kill:constraint=/ || !match(text, /,task_memcg=\/.*,task=/)) return
  comm = substr(text, RSTART + RLENGTH)
  sub(/,pid=[0-9]+,uid=[0-9]+$/, "", comm)
  if (comm == "kubelet") seen["kubeletKills"]++
  kill[++seen["kills"]] = sprintf("oom %d %s\t%s", time, substr(comm, 1, 40), substr(text, RSTART + 12, RLENGTH - 18 < 200 ? RLENGTH - 18 : 200))
}
function print_counts(names,  n, i, name) {
  n = split(names, name, " ")
  for (i = 1; i <= n; i++) print "count", name[i], seen[name[i]] + 0
}'

AWK_JOURNAL='
function count(list, key) { if ((key in list) || ++sizes < 4000) list[key]++ }
function print_top(word, list, most,  n, key) {
  for (n = 0; n < most && (key = largest(list)) != ""; n++) { print word, list[key], substr(key, 1, 200); delete list[key] }
}
/^status [0-9]+$/ { status = $2; next }
$1 !~ /^[0-9]+\.[0-9]+$/ { next }
++seen["lines"] > 15000 { cut = 1; exit }
{
  time = int($1)
  who = $3
  sub(/(\[[0-9]+\])?:$/, "", who)
  text = substr($0, length($1) + length($2) + length($3) + 4)
}
who == "kernel" { oom(time, text) }
who ~ /^(CRON|crond)$/ && text ~ / CMD \(/ { seen["cron"]++ }
# Not the lines of logind: it keeps quiet about the logins of cron and of su without a terminal.
who == "systemd" && match(text, /^Started (session-[^ ]+\.scope - )?Session [^ ]+ of [Uu]ser /) {
  user = substr(text, RLENGTH + 1)
  sub(/\.$/, "", user)
  if (!(user in logins)) seen["users"]++
  count(logins, user)
  seen["logins"]++
  if (time >= since) seen["loginsSince"]++
}
# One that systemd refused to start again has not run.
who == "systemd" && text !~ /start-limit-hit/ && match(text, /^[^ ]+\.(service|scope): (Deactivated successfully|Succeeded|Failed with result)/) {
  unit = text
  sub(/: .*/, "", unit)
  if (unit ~ /\.scope$|^run-/) unit = pattern(unit)
  sub(/@.*\.service$/, "@*.service", unit)
  count(ended, unit)
}
who ~ /^kubelet/ {
  if (text ~ /[Ff]ailed to (delete|remove) cgroup/) seen["cgroupDeleteFailed"]++
  if (text ~ /PLEG is not healthy|pleg was last seen active|relist/) seen["pleg"]++
  if (text ~ /DeadlineExceeded|context deadline exceeded/) seen["criDeadline"]++
  if (text ~ /message larger than max/) seen["listTooLarge"]++
}
who ~ /^(systemd|kubelet.*|containerd|dockerd|kernel)$/ && text ~ /cgroup/ {
  text = tolower(text)
  if (text ~ /no space left on device/) seen["noSpace"]++
  if (text ~ /cannot allocate memory/) seen["noMemory"]++
}
END {
  if (!seen["lines"]) exit status ? status : 4
  if (status == 124 || status == 137) cut = 1
  seen["cut"] = cut
  seen["covered"] = cut && now > time ? now - time : uptime < 3600 ? uptime : 3600
  if (since == "") seen["loginsSince"] = "null"
  print_counts("covered lines cut cgroupDeleteFailed pleg criDeadline listTooLarge noSpace noMemory cron logins users kubeletKills kills")
  if (since != "") print_counts("loginsSince")
  print_top("user", logins, 10)
  print_top("ended", ended, 30)
  for (i = 1; i <= seen["kills"] && i <= 8; i++) print kill[i]
}'

probe_journal() {
  no_gap "${JOURNAL_GAP}"
  local key value
  local -a values=()
  for key in covered lines cut noSpace noMemory; do
    take_count value "${key}" "${JOURNAL}"
    values+=("${value}")
  done
  object coveredSeconds "${values[0]}" lines "${values[1]}" cutOff "$( ((values[2])) && echo true || echo false)" \
    cgroupNoSpace "${values[3]}" cgroupNoMemory "${values[4]}"
}

# OOM kills: from the journal, or else from the kernel's own log, which keeps less.
probe_oom_kills() {
  local total='' source=journal facts="${JOURNAL}" covered kubelet kills line out='' comm
  if read_field "${ROOT}/proc/vmstat" oom_kill; then total="${VALUE}"; fi
  if [[ -n "${JOURNAL_GAP}" ]]; then
    source=kmsg
    facts="$(kernel_kills)" || failed "${JOURNAL_GAP}, and /dev/kmsg cannot be read"
  fi
  take_count covered covered "${facts}"
  take_count kubelet kubeletKills "${facts}"
  while IFS= read -r line; do
    [[ "${line}" =~ ^oom\ ([0-9]+)\ ([^$'\t']*)$'\t'(.*)$ ]] || continue
    json_string "${BASH_REMATCH[2]}"
    comm="${REPLY}"
    json_string "${BASH_REMATCH[3]}"
    out+="${out:+,}$(object at "${BASH_REMATCH[1]}" comm "${comm}" cgroup "${REPLY}")"
  done < <(printf '%s\n' "${facts}")
  take_count kills kills "${facts}"
  object sinceBoot "${total}" source "\"${source}\"" coveredSeconds "${covered}" seen "${kills}" ofKubelet "${kubelet}" recent "[${out}]"
}

kernel_kills() {
  [[ -z "${ROOT}" && -r /dev/kmsg ]] || return 1
  read_line /proc/uptime
  # It ends with an error when there is no more to read.
  { timeout 1 dd if=/dev/kmsg iflag=nonblock bs=8192 || true; } | awk -v boot="$((EPOCH - ${VALUE%%.*}))" "${AWK_OOM}"'
    { at = index($0, ";"); split(substr($0, 1, at), part, ","); oom(boot + part[3] / 1000000, substr($0, at + 1)) }
    END {
      if (!NR) exit 1
      print_counts("kubeletKills kills")
      for (i = seen["kills"]; i > 0 && i > seen["kills"] - 8; i--) print kill[i]
    }'
}
