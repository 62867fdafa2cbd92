#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The services that no treatment touches, by whatever name: without them the node is lost to the cluster, to its people,
# or to us. Refusing one too many costs a call for help, one too few a node. What evidence offers as an agent goes by the
# same lists.

# Patterns of names: in small letters, without ".service", without what follows an "@", and without a "snap." before them.
# Kubernetes, systemd, and what every Linux needs to be reached, logged, timed and networked: evidence does not list them.
PROTECTED_SYSTEM='kubelet* kube-* containerd* crio* cri-* nodeadm* eks-* bootstrap-* amazon-ssm-agent* ssm-agent* aws-node* aws-k8s-agent* aws-vpc-cni* aws-network* aws-eks-* ipamd*'
PROTECTED_SYSTEM+=' dbus* messagebus* systemd-* init init.scope - -.* udev* polkit* ssh* getty* serial-getty* con*-getty* autovt* user user-runtime-dir* cloud-init* cloud-config* cloud-final* ec2-*'
PROTECTED_SYSTEM+=' network* wicked* netplan* dhc* ifup* ip*tables* nftables* firewalld* ufw* chrony* ntp* auditd* selinux* apparmor* snapd* host-containers* iscsi* multipath* lvm2* nvme* rescue* emergency* cgroup-medic*'
PROTECTED_SYSTEM+=' *policy-routes* rsyslog* syslog* cron* atd* rngd* irqbalance* gssproxy* acpid* modprobe*'
# What some nodes need for their containers, names, logins, files, routes or safety. They are listed, for they can leak as
# well, and marked.
PROTECTED_SERVICES='docker* *-cni cni-* cilium* calico* flannel* nvidia-* sssd* nscd* nslcd* winbind* dnsmasq* unbound* named* rpc* nfs* autofs* soci-snap* stargz-snap*'
PROTECTED_SERVICES+=' tailscale* wg-quick* openvpn* strongswan* ipsec* bird* frr* falcon-sensor* cybereason* sentinel* osqueryd*'
PROTECTED_SERVICES+=' teleport* zerotier* cloudflared* netbird* nebula* headscale* openvswitch* ovs-* ovsdb* ovn-* antrea* weave* keepalived* haproxy* envoy*'
PROTECTED_SERVICES+=' adclient* centrify* vasd* realmd* oddjobd* vault* spire-* consul* amazon-efs* stunnel* mdmonitor* ceph* gluster* multipathd* mdatp* wazuh* auditbeat* qualys* ds_agent* cbdaemon* elastic-agent* elastic-endpoint*'
# Commands that a service starts, by their last part.
PROTECTED_COMMANDS='kubelet kube-proxy containerd* dockerd crio amazon-ssm-agent ssm-*-worker sshd dbus-daemon dbus-broker* aws-k8s-agent cilium-agent nodeadm'

# Whether $1 is one of the patterns in $2.
is_one_of() {
  local pattern
  local -a patterns=()
  # Not as bare words: those would be taken for names of files.
  read -ra patterns <<<"$2"
  for pattern in "${patterns[@]}"; do
    # shellcheck disable=SC2053 # it is a pattern
    if [[ "$1" == ${pattern} ]]; then return 0; fi
  done
  return 1
}

# Returns 1 with REASON when a name is that of a unit that no treatment may touch.
is_unprotected() {
  local name="$1" bare
  # Escapes are read as what they stand for.
  if [[ "${name}" == *\\x* ]]; then name="$(printf '%b' "${name}")"; fi
  bare="${name,,}"
  bare="${bare%.service}"
  bare="${bare%%@*}"
  bare="${bare#snap.}"
  if is_one_of "${bare}" "${PROTECTED_SYSTEM} ${PROTECTED_SERVICES}"; then
    REASON="${1:0:120} belongs to what the node cannot do without: no treatment touches it"
    return 1
  fi
}

# The same for a unit and all that is known of it: its names $1, what it starts $2, and the files that it comes from ($3…),
# which may be links to those of another unit.
is_unprotected_unit() {
  local other
  local -a names=()
  read -ra names <<<"${1//$'\n'/ }"
  for other in ${names[@]+"${names[@]}"}; do is_unprotected "${other}" || return 1; done
  for other in "${@:3}"; do
    [[ -n "${other}" ]] || continue
    is_unprotected "${other##*/}" || return 1
    other="$(readlink -f "${ROOT}${other}" 2>/dev/null)" || continue
    is_unprotected "${other##*/}" || return 1
  done
  runs_unprotected "$2"
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
    if is_one_of "${path##*/}" "${PROTECTED_COMMANDS}"; then
      REASON="it runs ${path:0:120}, which no treatment touches"
      return 1
    fi
  done
}
