#!/usr/bin/env bash
# systemd of a recorded node. What it knows is below var/lib/recorded: "units" has a line "NAME ACTIVE SUB" for each, and
# unit/NAME the properties of those that somebody asks about. A restart makes a new process with the memory of a fresh one.

root="${0%/usr/bin/systemctl}"
known="${root}/var/lib/recorded"

main() {
  case "$*" in
    --version) echo "systemd $(version)" ;;
    'show -p Version') echo "Version=$(version)" ;;
    'show -p Unit -- *.timer') echo 'Unit=systemd-tmpfiles-clean.service' ;;
    list-units*) awk '{ print $1, "loaded", $2, $3, "of this node" }' "${known}/units" ;;
    show\ *) show "${@:2}" ;;
    restart\ *) restart "${@: -1}" ;;
    *) exit 1 ;;
  esac
}

version() { cat "${known}/systemd" 2>/dev/null || echo 252; }

# The properties that are asked for of each unit; an empty line is between units.
show() {
  local names=''
  while (($#)) && [[ "$1" == -p ]]; do
    names+=",$2"
    shift 2
  done
  [[ "${1:-}" != -- ]] || shift
  awk -v names="${names}," -v asked="$*" -v known="${known}" '
    function say(line,  name) {
      name = line
      sub(/=.*/, "", name)
      if (index(names, "," name ",") && !((unit, name) in said)) print line
      said[unit, name]
    }
    { state[$1] = "ActiveState=" $2; sub_state[$1] = "SubState=" $3 }
    END {
      count = split(asked, units, " ")
      for (i = 1; i <= count; i++) {
        unit = units[i]
        if (i > 1) print ""
        say("Id=" unit)
        while ((getline line < (known "/unit/" unit)) > 0) say(line)
        say("LoadState=" (unit in state ? "loaded" : "not-found"))
        say(unit in state ? state[unit] : "ActiveState=inactive")
        say(unit in state ? sub_state[unit] : "SubState=dead")
        say("Result=success")
      }
    }' "${known}/units"
}

restart() {
  local file="${known}/unit/$1" pid started procs
  [[ -e "${file}" ]] || exit 5
  pid=$(($(sed -n 's/^MainPID=//p' "${file}") + 1000))
  started="$(awk '{ printf "%.0f", $1 * 1000000 }' "${root}/proc/uptime")"
  mkdir -p "${root}/proc/${pid}"
  cp "${known}/fresh/$1" "${root}/proc/${pid}/status"
  sed -E "s/^MainPID=.*/MainPID=${pid}/; s/^(ExecMainStart|ActiveEnter)TimestampMonotonic=.*/\1TimestampMonotonic=${started}/" "${file}" >"${file}.new"
  mv "${file}.new" "${file}"
  # Where its cgroup names its process.
  for procs in "${root}"/sys/fs/cgroup/*.slice/"$1"/cgroup.procs; do
    [[ -e "${procs}" ]] || continue
    echo "${pid}" >"${procs}"
    echo "${1%.service}" >"${root}/proc/${pid}/comm"
    echo "${pid} (${1%.service}) S 1 ${pid} ${pid} 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 14 0 $((started / 10000)) 0 0" >"${root}/proc/${pid}/stat"
  done
}

main "$@"
