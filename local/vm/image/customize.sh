#!/usr/bin/env bash
# Makes a node of a fresh Debian tree: run by mmdebstrap with the tree as its argument, once the packages and the files
# beside this script are in it.
set -o errexit -o nounset -o pipefail
readonly tree="$1"

main() {
  identity
  quiet
  small_initrd
  chroot "${tree}" systemctl enable --quiet cgroup-medic-channel.service
  users
}

identity() {
  printf 'virtual-node\n' >"${tree}/etc/hostname"
  printf '127.0.0.1 localhost virtual-node\n' >"${tree}/etc/hosts"
  # A machine without an id would take its first boot for a first boot, and enable every unit there is.
  printf '6367726f75702d6d656469632d6e6f64\n' >"${tree}/etc/machine-id"
  printf '/dev/vda / ext4 noatime 0 1\n' >"${tree}/etc/fstab"
}

# What would make memory cgroups, or need a network, at a time of its own choosing while a test counts.
quiet() {
  chroot "${tree}" systemctl mask --quiet apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-timesyncd.service getty@tty1.service \
    serial-getty@ttyS0.service systemd-networkd-wait-online.service
  # Tests start these.
  chroot "${tree}" systemctl disable --quiet containerd.service cron.service
}

small_initrd() {
  local version
  sed -i 's/^MODULES=.*/MODULES=list/; s/^COMPRESS=.*/COMPRESS=lz4/' "${tree}/etc/initramfs-tools/initramfs.conf"
  printf '%s\n' virtio_pci virtio_blk ext4 crc32c_generic >>"${tree}/etc/initramfs-tools/modules"
  version="$(basename "$(echo "${tree}"/boot/vmlinuz-*)" | cut -d - -f 2-)"
  chroot "${tree}" update-initramfs -u -k "${version}" >&2
}

# Whose logins churn.
users() {
  local name
  for name in alice bob carol; do chroot "${tree}" useradd --create-home --shell /bin/bash "${name}"; done
}

main
