#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Keeps a document under its CPU ceiling and its time limit, and out of the way of a node under pressure.

# Sets NOW_CS: hundredths of a second since boot. Unlike the clock, nobody sets it back.
read_now() {
  read_line /proc/uptime
  VALUE="${VALUE%% *}"
  NOW_CS=$((10#${VALUE/./}))
}

# Prints hundredths of a second as seconds.
seconds() { printf '%d.%02d' $(($1 / 100)) $(($1 % 100)); }

# Sets CPU_CS: hundredths of a second of CPU used by this document and by its children that have ended.
read_cpu() {
  local -a fields=()
  read_line "/proc/$$/stat"
  # The command's name, in parentheses, may contain anything.
  read -ra fields <<<"${VALUE##*) }"
  CPU_CS=$((fields[11] + fields[12] + fields[13] + fields[14]))
}

start_pace() {
  read_now
  STARTED_CS="${NOW_CS}"
  DEADLINE_CS=$((NOW_CS + $1 * 100))
}

out_of_time() {
  read_now
  ((NOW_CS >= DEADLINE_CS))
}

# Sleeps until the CPU used so far is below the ceiling ($1, percent of one CPU), at least $2 and at most until the
# deadline (both in hundredths of a second). In pieces: an undo must not wait for a long rest.
pace() {
  local percent="$1" least="$2" rest piece text
  read_cpu
  read_now
  rest=$((CPU_CS * 100 / percent - (NOW_CS - STARTED_CS)))
  if ((rest < least)); then rest="${least}"; fi
  if ((rest > DEADLINE_CS - NOW_CS)); then rest=$((DEADLINE_CS - NOW_CS)); fi
  while ((rest > 0)) && ! asked_to_stop; do
    piece=$((rest < 200 ? rest : 200))
    rest=$((rest - piece))
    printf -v text '%d.%02d' $((piece / 100)) $((piece % 100))
    sleep "${text}" 9>&-
  done
}

# Sets FULL to the whole percent of the last 10 s in which every task of the node waited for $1 (memory, io). Returns 1
# where the kernel does not tell.
full_pressure() {
  local line
  FULL=''
  { while IFS= read -r line; do
    if [[ "${line}" =~ ^full\ avg10=([0-9]+)\. ]]; then FULL="${BASH_REMATCH[1]}"; fi
  done <"${ROOT}/proc/pressure/$1"; } 2>/dev/null || true
  [[ -n "${FULL}" ]]
}

# Whether tasks on the node lose $2 percent of their time or more waiting for $1 (memory, io). 0 switches the check off.
# Pressure that cannot be read may be any.
under_pressure() {
  (($2 > 0)) || return 1
  full_pressure "$1" || return 0
  ((FULL >= $2))
}
