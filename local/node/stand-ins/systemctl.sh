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

show() {
  local unit names='' first=1
  while (($#)) && [[ "$1" == -p ]]; do
    names+=",$2"
    shift 2
  done
  [[ "${1:-}" != -- ]] || shift
  for unit in "$@"; do
    ((first)) || echo
    first=0
    properties "${unit}" | awk -F = -v names="${names}," 'index(names, "," $1 ",") && !seen[$1]++'
  done
}

properties() {
  echo "Id=$1"
  cat "${known}/unit/$1" 2>/dev/null
  awk -v unit="$1" '
    $1 == unit { found = 1; print "LoadState=loaded\nActiveState=" $2 "\nSubState=" $3 "\nResult=success" }
    END { if (!found) print "LoadState=not-found\nActiveState=inactive\nSubState=dead" }' "${known}/units"
}

restart() {
  local file="${known}/unit/$1" pid started
  [[ -e "${file}" ]] || exit 5
  pid=$(($(sed -n 's/^MainPID=//p' "${file}") + 1000))
  started="$(awk '{ printf "%.0f", $1 * 1000000 }' "${root}/proc/uptime")"
  mkdir -p "${root}/proc/${pid}"
  cp "${known}/fresh/$1" "${root}/proc/${pid}/status"
  sed -E "s/^MainPID=.*/MainPID=${pid}/; s/^(ExecMainStart|ActiveEnter)TimestampMonotonic=.*/\1TimestampMonotonic=${started}/" "${file}" >"${file}.new"
  mv "${file}.new" "${file}"
}

main "$@"
