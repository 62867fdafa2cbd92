#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Which service is meant by a name.

# Sets UNIT to the name that systemd itself uses for service $1. Returns 1 with REASON when it is none, or protected.
resolve_service() {
  local name="$1"
  local plain='^[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]{0,254}$'
  UNIT='' REASON=''
  if [[ ! "${name}" =~ ${plain} ]]; then
    REASON='not the name of a unit: letters, digits and : _ . @ \ - only, no path, at most 255'
    return 1
  fi
  if [[ "${name}" != *.service ]]; then
    # systemctl would add it, unless the name ends in another type.
    if [[ "${name}" =~ \.(socket|device|mount|automount|swap|target|path|timer|slice|scope|snapshot)$ ]]; then
      REASON="a ${BASH_REMATCH[1]}, not a service: name the service that makes the memory cgroups"
      return 1
    fi
    name+=.service
  fi
  if [[ "${name}" == *@.service ]]; then
    REASON='a template: name one instance of it'
    return 1
  fi
  # Before systemd is asked, too: it must not even be loaded by us.
  is_unprotected "${name}" || return 1
  unit_properties "${name}" Id Names LoadState FragmentPath SourcePath ExecStart || return 1
  if [[ "${PROPERTY[LoadState]}" != loaded ]]; then
    REASON="there is no such service (systemd says: ${PROPERTY[LoadState]:-nothing})"
    return 1
  fi
  if [[ ! "${PROPERTY[Id]}" =~ ${plain} || "${PROPERTY[Id]}" != *.service ]]; then
    REASON="systemd calls it \"${PROPERTY[Id]:0:80}\", which is not a service"
    return 1
  fi
  is_unprotected_unit "${PROPERTY[Id]} ${PROPERTY[Names]}" "${PROPERTY[ExecStart]}" "${PROPERTY[FragmentPath]}" "${PROPERTY[SourcePath]}" || return 1
  UNIT="${PROPERTY[Id]}"
}
