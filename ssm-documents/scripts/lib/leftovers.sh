#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Directories of the memory hierarchy that hold no process and that nobody owns.
#
# Only those whose maker can be told by their name, and asked: units of systemd (NAME.scope, NAME.service) and pods.
# A directory inside a unit or a pod that is there belongs to it, whatever it is called.

# Prints "KIND<tab>PATH<tab>NAME", KIND unit or pod, for the topmost directories of units and pods without a process in
# them or below them; NAME is that of the unit, or the pod's UID.
unpopulated() {
  # shellcheck disable=SC2016 # awk's own dollars
  list_directories "${ROOT}${MOUNT}" | timeout "${WALK_SECONDS}" awk -v hierarchy="${HIERARCHY}" -v start=$((${#ROOT} + ${#MOUNT} + 1)) '
    function first_line(file,  line, got) { got = (getline line < file); close(file); return got > 0 ? line : "" }
    function populated(directory,  line, file, result) {
      if (hierarchy == "v1") return first_line(directory "/cgroup.procs") != ""
      file = directory "/cgroup.events"
      result = 1
      while ((getline line < file) > 0) if (line == "populated 0") result = 0
      close(file)
      return result
    }
    BEGIN { FS = "\n" }
    {
      path = substr($0, start)
      n = split(path, part, "/")
      top = ""
      pods = 0
      for (i = 2; i <= n; i++) {
        top = top "/" part[i]
        if (part[i] ~ /^kubepods/) pods = 1
        if (pods) {
          if (part[i] !~ /pod[0-9a-f]+([_-][0-9a-f]+)*(\.slice)?$/) continue
          name = part[i]
          sub(/\.slice$/, "", name)
          sub(/^.*pod/, "", name)
          gsub(/_/, "-", name)
          kind = "pod"
        } else {
          if (part[i] !~ /\.(scope|service)$/) continue
          name = part[i]
          sub(/^_/, "", name)
          kind = "unit"
        }
        if (!(top in seen)) { seen[top] = kind "\t" top "\t" name; order[++count] = top }
        # v1: one file a cgroup. v2: the kernel tells for the whole subtree.
        if (!(top in busy) && (hierarchy == "v1" || i == n) && populated($0)) busy[top] = 1
        break
      }
    }
    END { for (i = 1; i <= count; i++) if (!(order[i] in busy)) print seen[order[i]] }' 9>&- | sort
}

# Sets AGE of directory $1: old from $2 seconds on, young, or unknown. The kernel sets its time when it is made, when
# something is made or removed in it, or when it has forgotten it and is asked again: it can look younger than it is,
# never older.
tell_directory_age() {
  local made age
  AGE=unknown
  made="$(stat -c %Y "${ROOT}${MOUNT}$1" 2>/dev/null)" && read_line "${ROOT}/proc/uptime" || return 0
  age=$(($(date +%s) - made))
  # Older than the node itself: the clock was set forward since, and nobody knows how old it is.
  if ((age > 10#${VALUE%%.*})); then return 0; fi
  AGE=young
  if ((age >= $2)); then AGE=old; fi
}

# Whether systemd has unit $1: then the directory is its own, and it may start again at any moment. Also when it does
# not say.
unit_is_there() {
  [[ "$1" =~ ^[A-Za-z0-9:_.@\\-]{1,255}$ ]] || return 0
  unit_properties "$1" LoadState ActiveState ControlGroup || return 0
  [[ "${PROPERTY[LoadState]}" != not-found || "${PROPERTY[ActiveState]}" != inactive || -n "${PROPERTY[ControlGroup]}" ]]
}

# Sets PODS to the UIDs of the pods that the container runtime has, one a line. Returns 1 with REASON when it cannot be
# asked. A UID too many, from a label, only keeps a directory.
list_pods() {
  local answer
  PODS=unknown
  find_command crictl || return 1
  if ! answer="$(timeout -k 5 30 "${COMMAND}" pods -o json 2>/dev/null 9>&-)" || [[ "${answer}" != *'"items"'* ]]; then
    REASON='crictl does not list the pods'
    return 1
  fi
  PODS="$(printf '%s' "${answer}" | tr -c '[:alnum:]-' '\n' | grep -E '^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$' | sort -u)" || true
}

# Whether the runtime or the kubelet knows the pod, also when the runtime does not say; the kubelet keeps a directory for each from before its sandbox is made.
pod_is_there() {
  [[ "${PODS}" == unknown || -e "${ROOT}/var/lib/kubelet/pods/$1" || $'\n'"${PODS}"$'\n' == *$'\n'"$1"$'\n'* ]]
}

# The slice of a pod is a unit where systemd is the cgroup driver, and as long as it stands, its directory is made again
# at the next reload. So systemd is told to let go of it, once the kernel has let its directory go: of that one unit and of
# none in it. To stop it as usual is to end the containers in it, and a static pod can have come back under the same UID.
forget_pod_slice() {
  if [[ "$1" == *.slice ]] && unit_is_there "${1##*/}"; then
    ask_systemd stop --job-mode=ignore-dependencies -- "${1##*/}" >&2 || log "systemd keeps ${1##*/}, and may make its directory again"
  fi
}

# Removes a directory and those below it, the deepest first. Returns 1 with REASON at the first that the kernel keeps.
remove_tree() {
  local directory
  while IFS= read -r directory; do
    if ! rmdir -- "${directory}" 2>/dev/null && [[ -d "${directory}" ]]; then
      REASON='the kernel keeps it: something has moved in'
      return 1
    fi
  done < <(list_directories "${ROOT}${MOUNT}$1" | sort -r)
}

# Once more, right before: the walk was a while ago.
still_unpopulated() {
  local directory="${ROOT}${MOUNT}$1"
  if [[ -L "${directory}" || ! -d "${directory}" ]]; then return 1; fi
  if [[ "${HIERARCHY}" == v2 ]]; then
    read_field "${directory}/cgroup.events" populated && ((VALUE == 0))
  elif has_process "${directory}"; then
    return 1
  fi
}
