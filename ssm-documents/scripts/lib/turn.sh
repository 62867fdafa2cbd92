#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Whose turn it is on this node, and what an incident keeps there.
#
#     /var/lib/cgroup-medic/lock                         held while a treatment or its inverse is at work
#     /var/lib/cgroup-medic/fencing                      "NUMBER INCIDENT", the highest fencing number seen
#     /var/lib/cgroup-medic/TREATMENT/INCIDENT/          what that treatment changed for that incident (STATE)
#     /var/lib/cgroup-medic/TREATMENT/INCIDENT/stop      asks a running treatment to end
#     /var/lib/cgroup-medic/TREATMENT/INCIDENT/undone    as stop, and lets it not begin any more

NODE_STATE="${ROOT}/var/lib/cgroup-medic"

# Sets STATE_ROOT and STATE for treatment $1 and incident $2.
use_incident() {
  [[ "$2" =~ ^[A-Za-z0-9_-]{1,80}$ ]] || fail "incident is \"${2:0:80}\": letters, digits, _ and - only, at most 80"
  STATE_ROOT="${NODE_STATE}/$1"
  STATE="${STATE_ROOT}/$2"
}

# Takes the node for this run, or ends the document. With dryRun it asks the same questions and changes nothing.
take_turn() {
  [[ "${SSM_fencing}" =~ ^[0-9]{1,12}$ ]] || fail "fencing is \"${SSM_fencing:0:40}\": a number of at most 12 digits"
  if [[ "${SSM_dryRun}" == true ]]; then check_lock; else take_lock 0 || refuse_busy; fi
  check_undone
  check_fencing
  if [[ "${SSM_dryRun}" == false ]]; then begin_turn; fi
}

# One at a time on a node: two would shield and expose each other's cgroups, and stop each other's units. The kernel
# drops the lock with its holder, however that dies. Children that outlive the document must close descriptor 9.
# Returns 1 when somebody else has held it for $1 seconds.
take_lock() {
  command -v flock >/dev/null || fail "flock is missing on this node (it is part of util-linux)"
  mkdir -p "${NODE_STATE}" || fail "cannot create ${NODE_STATE}"
  { exec 9>>"${NODE_STATE}/lock"; } 2>/dev/null || fail "cannot open ${NODE_STATE}/lock for writing: is the file system read-only, or does SELinux keep the agent out?"
  flock -w "$1" 9 || return 1
  printf 'incident %s, pid %s, %s\n' "${SSM_incident}" "$$" "${DOCUMENT}" >"${NODE_STATE}/lock"
}

# The same question without taking it.
check_lock() {
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
}

asked_to_stop() { [[ -e "${STATE}/stop" || -e "${STATE}/undone" ]]; }
