#!/usr/bin/env bash
# Makes a node of a fresh Debian tree: run by mmdebstrap with the tree as its argument, once the packages and the files
# beside this script are in it.
set -o errexit -o nounset -o pipefail
readonly tree="$1"

main() {
  identity
  quiet
  small_initrd
  container_image
  chroot "${tree}" systemctl enable --quiet cgroup-medic-channel.service
  users
}

identity() {
  printf 'virtual-node\n' >"${tree}/etc/hostname"
  printf '127.0.0.1 localhost virtual-node\n' >"${tree}/etc/hosts"
  # A machine without an id would take its first boot for a first boot, and enable every unit there is.
  printf '6367726f75702d6d656469632d6e6f64\n' >"${tree}/etc/machine-id"
  # The kernel mounts the root read-write; an entry for it would only wait for udev.
  : >"${tree}/etc/fstab"
}

quiet() {
  # What would make memory cgroups, or need a network, at a time of its own choosing while a test counts.
  chroot "${tree}" systemctl mask --quiet apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-tmpfiles-clean.timer
  # The hardware is always the same and needs no discovery. Under emulation that takes half of a boot.
  chroot "${tree}" systemctl mask --quiet systemd-udev-trigger.service systemd-binfmt.service \
    proc-sys-fs-binfmt_misc.automount sys-fs-fuse-connections.mount sys-kernel-config.mount dev-hugepages.mount \
    modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service modprobe@efi_pstore.service \
    modprobe@fuse.service modprobe@loop.service systemd-pstore.service systemd-random-seed.service getty.target \
    systemd-sysusers.service systemd-modules-load.service kmod-static-nodes.service systemd-update-utmp.service \
    systemd-update-utmp-runlevel.service systemd-remount-fs.service
  # Tests start these.
  chroot "${tree}" systemctl disable --quiet containerd.service cron.service
}

# Debian's own looks for its hardware, too. This one knows it: it loads the drivers of the disk and of the channel.
small_initrd() {
  local initrd="${tree}/tmp/initrd" version module kind file
  local -a modules=()
  version="$(basename "$(echo "${tree}"/boot/vmlinuz-*)" | cut -d - -f 2-)"
  mkdir -p "${initrd}"/{bin,dev,modules,root}
  cp "${tree}/bin/busybox" "${initrd}/bin/"
  for module in virtio_pci virtio_blk virtio_console; do
    # "insmod PATH" lines, or "builtin NAME".
    while read -r kind file; do
      if [[ "${kind}" == insmod && " ${modules[*]-} " != *" ${file##*/} "* ]]; then
        cp "${tree}${file}" "${initrd}/modules/"
        modules+=("${file##*/}")
      fi
    done < <(chroot "${tree}" modprobe --set-version "${version}" --show-depends "${module}")
  done
  cat >"${initrd}/init" <<END
#!/bin/busybox sh
cd /modules
for module in ${modules[*]}; do /bin/busybox insmod "\${module}"; done
/bin/busybox mount -t devtmpfs devtmpfs /dev
until [ -b /dev/vda ]; do /bin/busybox usleep 10000; done
/bin/busybox mount -t ext4 -o noatime /dev/vda /root
/bin/busybox umount /dev
exec /bin/busybox switch_root /root /sbin/init
END
  chmod +x "${initrd}/init"
  (cd "${initrd}" && find . | "${tree}/bin/busybox" cpio -o -H newc) >"${tree}/boot/initrd"
  rm -r "${initrd}"
}

# The node has no network to pull an image from: this one has busybox in it, and is good for sandboxes and containers alike.
container_image() {
  local image="${tree}/tmp/image" name layer
  mkdir -p "${image}/root"/{bin,tmp}
  cp "${tree}/bin/busybox" "${image}/root/bin/"
  for name in sh sleep cat dd echo mkdir true false; do ln -s busybox "${image}/root/bin/${name}"; done
  tar --create --file "${image}/layer.tar" --directory "${image}/root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner .
  layer="$(sha256sum "${image}/layer.tar" | cut -d ' ' -f 1)"
  printf '{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/sleep","100000000"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "${layer}" >"${image}/config.json"
  printf '[{"Config":"config.json","RepoTags":["localhost/cgroup-medic/tools:1"],"Layers":["layer.tar"]}]' >"${image}/manifest.json"
  tar --create --file "${tree}/usr/local/lib/cgroup-medic/tools.tar" --directory "${image}" manifest.json config.json layer.tar
  rm -r "${image}"
}

# Whose logins churn.
users() {
  local name
  for name in alice bob carol; do chroot "${tree}" useradd --create-home --shell /bin/bash "${name}"; done
}

main
