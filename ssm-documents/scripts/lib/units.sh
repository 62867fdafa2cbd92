#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Which service is meant by a name, and which ones no treatment may touch, by whatever name.

# Sets UNIT to the name that systemd itself uses for service $1. Returns 1 with REASON when it is none, or protected.
resolve_service() {
  local name="$1" other
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
  local -a names=()
  read -ra names <<<"${PROPERTY[Names]//$'\n'/ }"
  for other in "${PROPERTY[Id]}" ${names[@]+"${names[@]}"}; do is_unprotected "${other}" || return 1; done
  # A unit file may be a link to that of another unit.
  for other in "${PROPERTY[FragmentPath]}" "${PROPERTY[SourcePath]}"; do
    [[ -n "${other}" ]] || continue
    is_unprotected "${other##*/}" || return 1
    other="$(readlink -f "${ROOT}${other}" 2>/dev/null)" || continue
    is_unprotected "${other##*/}" || return 1
  done
  runs_unprotected "${PROPERTY[ExecStart]}" || return 1
  UNIT="${PROPERTY[Id]}"
}

# Returns 1 with REASON when a name is that of a unit that no treatment may touch: without it the node is lost to the
# cluster, to its people, or to us. Refusing one too many costs a call for help, one too few a node.
is_unprotected() {
  local name="$1" bare
  # Escapes are read as what they stand for.
  if [[ "${name}" == *\\x* ]]; then name="$(printf '%b' "${name}")"; fi
  bare="${name,,}"
  bare="${bare%.service}"
  bare="${bare%%@*}"
  bare="${bare#snap.}"
  case "${bare}" in
    kubelet* | kube-* | containerd* | docker* | crio* | cri-o* | cri-* | nodeadm* | eks-* | bootstrap-* | \
      amazon-ssm-agent* | ssm-agent* | aws-node* | aws-k8s-agent* | aws-vpc-cni* | aws-network* | aws-eks-* | ipamd* | *-cni | cni-* | cilium* | calico* | flannel* | \
      dbus* | messagebus* | systemd-* | init | init.scope | - | -.* | udev* | polkit* | \
      ssh* | getty* | serial-getty* | console-getty* | container-getty* | autovt* | user | user-runtime-dir* | \
      cloud-init* | cloud-config* | cloud-final* | ec2-* | \
      network* | wicked* | netplan* | dhc* | ifup* | iptables* | ip6tables* | nftables* | firewalld* | ufw* | \
      chrony* | ntp* | auditd* | selinux* | apparmor* | snapd* | host-containers* | \
      iscsi* | multipath* | lvm2* | nvme* | nvidia-* | rescue* | emergency* | cgroup-medic* | \
      policy-routes* | refresh-policy-routes* | rsyslog* | syslog* | cron* | atd* | rngd* | irqbalance* | gssproxy* | acpid* | modprobe* | \
      sssd* | nscd* | nslcd* | winbind* | dnsmasq* | unbound* | named* | rpc* | nfs* | autofs* | soci-snapshotter* | stargz-snapshotter* | \
      tailscale* | wg-quick* | openvpn* | strongswan* | ipsec* | bird* | frr* | falcon-sensor* | cybereason* | sentinel* | osqueryd*)
      REASON="${1:0:120} belongs to what the node cannot do without: no treatment touches it"
      return 1
      ;;
  esac
}

# The same by what a service starts, whatever it is called: the command itself, or one that a shell or a wrapper is told.
runs_unprotected() {
  local path rest="$1"
  local -a words=()
  while [[ "${rest}" =~ path=([^\;]*)\; ]]; do
    path="${BASH_REMATCH[1]%"${BASH_REMATCH[1]##*[! ]}"}"
    case "${path##*/}" in
      systemd | systemd-*)
        REASON="it runs ${path:0:120}, which no treatment touches"
        return 1
        ;;
    esac
    rest="${rest#*path="${BASH_REMATCH[1]}";}"
  done
  IFS=$' \t\n;="\'' read -r -d '' -a words <<<"$1" || true
  for path in ${words[@]+"${words[@]}"}; do
    case "${path##*/}" in
      kubelet | kube-proxy | containerd | containerd-shim* | dockerd | crio | amazon-ssm-agent | ssm-agent-worker | \
        ssm-document-worker | sshd | dbus-daemon | dbus-broker-launch | aws-k8s-agent | cilium-agent | nodeadm)
        REASON="it runs ${path:0:120}, which no treatment touches"
        return 1
        ;;
    esac
  done
}
