#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Whose turn it is on this node, and what an incident keeps there.
#
#     /var/lib/cgroup-medic/lock                         held while a treatment or its inverse is at work
#     /var/lib/cgroup-medic/fencing                      "NUMBER INCIDENT", the highest fencing number seen
#     /var/lib/cgroup-medic/TREATMENT/INCIDENT/          what that treatment changed for that incident (STATE)
#     /var/lib/cgroup-medic/TREATMENT/INCIDENT/stop      asks a running treatment to end
#     /var/lib/cgroup-medic/TREATMENT/INCIDENT/undone    as stop, and lets it not begin any more

SYNC_SECONDS=10

NODE_STATE="${ROOT}/var/lib/cgroup-medic"

# Sets STATE_ROOT and STATE for treatment $1 and incident $2.
use_incident() {
  [[ "$2" =~ ^[A-Za-z0-9_-]{1,80}$ ]] || fail "incident is \"${2:0:80}\": letters, digits, _ and - only, at most 80"
  STATE_ROOT="${NODE_STATE}/$1"
  STATE="${STATE_ROOT}/$2"
  local folder
  for folder in "${NODE_STATE}" "${STATE_ROOT}" "${STATE}"; do
    if [[ -e "${folder}" || -L "${folder}" ]]; then refuse_foreign "${folder}"; fi
  done
}

# Takes the node for this run, or ends the document. With dryRun it asks the same questions and changes nothing.
take_turn() {
  [[ "${SSM_fencing}" =~ ^[0-9]{1,12}$ ]] || fail "fencing is \"${SSM_fencing:0:40}\": a number of at most 12 digits"
  # A dry run beside it holds the lock for a moment.
  if [[ "${SSM_dryRun}" == true ]]; then check_lock; else take_lock 2 || refuse_busy; fi
  check_undone
  check_fencing
  if [[ "${SSM_dryRun}" == false ]]; then begin_turn; fi
}

# One at a time on a node: two would shield and expose each other's cgroups, and stop each other's units. The kernel
# drops the lock with its holder, however that dies. Children that outlive the document must close descriptor 9.
# Returns 1 when somebody else has held it for $1 seconds.
take_lock() {
  need_flock
  mkdir -p "${NODE_STATE}" || fail "cannot create ${NODE_STATE}"
  { exec 9>>"${NODE_STATE}/lock"; } 2>/dev/null || fail "cannot open ${NODE_STATE}/lock for writing: is the file system read-only, or does SELinux keep the agent out?"
  flock -w "$1" 9 || return 1
  # On a full disk it has no name, and is held all the same.
  printf 'incident %s, pid %s, %s\n' "${SSM_incident}" "$$" "${DOCUMENT}" >"${NODE_STATE}/lock" || log "could not write the holder into the lock"
}

need_flock() { command -v flock >/dev/null || fail "flock is missing on this node (it is part of util-linux)"; }

# Whoever can write here decides what an inverse takes back, as root.
refuse_foreign() {
  [[ ! -L "$1" && -d "$1" ]] || fail "$1 is not a directory of its own (a link?): nothing is kept or taken back there"
  [[ -O "$1" && "$(stat -c %A "$1")" == d????-??-? ]] || fail "$1 belongs to somebody else, or others may write to it: nothing is kept or taken back there"
}

# Whether a file can be made at $1, as far as the directory that would hold it can tell (a read-only file system).
can_write_at() {
  local folder="${1%/*}"
  while [[ -n "${folder}" && ! -e "${folder}" ]]; do folder="${folder%/*}"; done
  [[ -w "${folder:-/}" ]]
}

# The same question without taking it.
check_lock() {
  need_flock
  can_write_at "${NODE_STATE}/lock" || fail "cannot open ${NODE_STATE}/lock for writing: is the file system read-only, or does SELinux keep the agent out?"
  if [[ -e "${NODE_STATE}/lock" ]] && ! flock -n "${NODE_STATE}/lock" true; then refuse_busy; fi
}

refuse_busy() {
  local holder=''
  if read_line "${NODE_STATE}/lock"; then holder=" (${VALUE})"; fi
  fail "another treatment is at work on this node${holder}: try again when it has ended"
}

# The command and its undo can arrive in either order.
check_undone() {
  if [[ -e "${STATE}/undone" ]]; then fail "incident ${SSM_incident} was undone on this node; it does not run again"; fi
}

# A command that was delivered late, after a newer holder of the node's lease has been at work here. No command is
# delivered 2 hours late, so an older number counts no more: a lease table that was rebuilt begins at 1 again.
check_fencing() {
  local age
  read_line "${NODE_STATE}/fencing" || return 0
  age=$(($(date +%s) - $(stat -c %Y "${NODE_STATE}/fencing")))
  # A clock that was set back makes it negative.
  if ((age >= 7200 || age <= -7200)); then return 0; fi
  if [[ "${VALUE}" =~ ^([0-9]{1,12})\ (.+)$ ]] && ((10#${SSM_fencing} < 10#${BASH_REMATCH[1]})); then
    fail "fencing number ${SSM_fencing} is older than ${BASH_REMATCH[1]}, which incident ${BASH_REMATCH[2]} has used on this node"
  fi
}

begin_turn() {
  local file="${NODE_STATE}/fencing"
  mkdir -p "${STATE}" || fail "cannot create ${STATE}"
  { printf '%s %s\n' "${SSM_fencing}" "${SSM_incident}" >"${file}.new" && mv "${file}.new" "${file}"; } || fail "cannot write ${file}"
  # Of an undo that died waiting. One that comes only now leaves "undone", which nothing here removes.
  rm -f "${STATE}/stop"
  forget_old_incidents
}

# Tombstones of old incidents. One with something left to take back stays.
forget_old_incidents() {
  local folder
  command -v find >/dev/null || return 0
  while IFS= read -r folder; do
    if [[ "${folder}" != "${STATE}" && ! -e "${folder}/saved" ]]; then rm -rf "${folder}" || true; fi
  done < <(find "${STATE_ROOT}" -mindepth 1 -maxdepth 1 -type d -mtime +7 2>/dev/null)
}

# Makes sure that a file is on the disk, or gives up: a sync can hang in the kernel, where no signal reaches it. Then it
# is left behind, without our output and our lock. An old sync takes no file, and writes everything.
sync_file() {
  local answer=''
  read -r -t "${SYNC_SECONDS}" answer < <(
    exec </dev/null 2>/dev/null 9>&-
    sync "$1" && echo synced
  ) || true
  [[ -n "${answer}" ]] || log "could not sync ${1#"${ROOT}"}"
}

asked_to_stop() { [[ -e "${STATE}/stop" || -e "${STATE}/undone" ]]; }
