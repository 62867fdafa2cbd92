#!/usr/bin/env bash
# Starts on a virtual node one of everything that evidence can find, and keeps it going.
set -o errexit -o nounset -o pipefail

main() {
  # As cloud-init leaves it on an instance; an emulated machine has no firmware that knows it.
  mkdir -p /var/lib/cloud/data
  echo i-0123456789abcdef0 >/var/lib/cloud/data/instance-id
  services
  pods
  trouble
  logins
  leftovers
}

# Prints the directory in which systemd has the cgroup of unit $1.
group_of() {
  local mount=/sys/fs/cgroup
  if [[ -d "${mount}/systemd" ]]; then mount+=/systemd; fi
  echo "${mount}$(systemctl show -P ControlGroup "$1")"
}

# Has service $1 say the lines after it, under its own name.
says() {
  local group
  group="$(group_of "$1.service")"
  # The journal looks for the service while it reads, and that can take a moment.
  (echo "${BASHPID}" >"${group}/cgroup.procs" && { printf '%s\n' "${@:2}" && sleep 5; } | systemd-cat -t "$1")
}

services() {
  printf '* * * * * root true\n' >/etc/cron.d/every-minute
  chmod 644 /etc/cron.d/every-minute
  unit tick.service '[Unit]' StartLimitIntervalSec=0 '[Service]' Type=oneshot ExecStart=true
  unit tick.timer '[Timer]' OnActiveSec=1 OnUnitActiveSec=2 AccuracySec=100ms
  unit needed.service '[Service]' 'ExecStart=sleep infinity'
  unit needs-it.service '[Unit]' BindsTo=needed.service After=needed.service '[Service]' 'ExecStart=sleep infinity'
  # An emulated processor has other things to do, too.
  mkdir -p /run/systemd/system/flaky-agent.service.d
  printf '[Service]\nRestartSec=1\n' >/run/systemd/system/flaky-agent.service.d/slower.conf
  systemctl daemon-reload
  systemctl start containerd kubelet flaky-agent cron tick.timer needs-it
  says kubelet 'E1121 "Failed to delete cgroup paths" cgroupName=["kubepods"] err="unable to destroy cgroup paths"' \
    'E1121 "Failed to delete cgroup paths" cgroupName=["kubepods"] err="unable to destroy cgroup paths"' \
    'E1121 "Skipping pod synchronization" err="PLEG is not healthy: pleg was last seen active 3m4s ago; threshold is 3m0s"' \
    'E1121 "ListPodSandbox failed" err="rpc error: code = DeadlineExceeded desc = context deadline exceeded"'
  says containerd 'level=error msg="RunPodSandbox failed" error="mkdir /sys/fs/cgroup/memory/kubepods/pod1: no space left on device: cgroup"' \
    'level=error msg="StartContainer failed" error="unable to apply cgroup configuration: mkdir: cannot allocate memory"' \
    'level=error msg="StartContainer failed" error="unable to apply cgroup configuration: mkdir: cannot allocate memory"'
}

unit() {
  printf '%s\n' "${@:2}" >"/run/systemd/system/$1"
}

pods() {
  local web old
  web="$(pod run shop web-1 11111111-2222-3333-4444-555555555555)"
  # It has memory of its own, so that its working set is the largest on either hierarchy.
  pod add "${web}" app 0 'dd if=/dev/zero of=/dev/shm/fill bs=1M count=4; while :; do :; done' cpu_quota=10000 memory_limit_in_bytes=67108864
  pod add "${web}" job 0 'exit 3'
  old="$(pod run shop old-1 22222222-2222-3333-4444-555555555555)"
  crictl --timeout 120s stopp "${old}"
  # The kubelet sets the limit of the pod, the runtime that of the container.
  systemctl set-property --runtime kubepods-burstable-pod11111111_2222_3333_4444_555555555555.slice MemoryMax=128M
}

trouble() {
  # Killed in a cgroup of its own.
  systemd-run --quiet --unit=hungry -p MemoryMax=20M -p MemorySwapMax=0 python3 -c 'x = bytearray(100 << 20)'
  # Waits, in state D, for a child that shares its memory.
  unit stuck.service '[Service]' 'ExecStart=/usr/bin/python3 -ISc "import ctypes, os, time; ctypes.CDLL(None).syscall(58) or (time.sleep(100000), os._exit(0))"'
  # Reads a page of a file that is not in memory, again and again.
  dd if=/dev/zero of=/var/tmp/faults bs=1M count=1 status=none
  cat >/usr/local/bin/fault <<'END'
import mmap, os, time
file = os.open("/var/tmp/faults", os.O_RDONLY)
while True:
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    with mmap.mmap(file, 4096, prot=mmap.PROT_READ) as page:
        page[0]
    time.sleep(0.1)
END
  unit faults.service '[Service]' 'ExecStart=/usr/bin/python3 -IS /usr/local/bin/fault'
  systemctl daemon-reload
  systemctl start stuck faults
}

logins() {
  # shellcheck disable=SC2016 # for the shell of the login
  for _ in 1 2 3; do su - alice -c 'date >"$(mktemp -p ~)"'; done
  loginctl enable-linger bob
  # Left behind when its session ended.
  su - bob -c 'setsid sleep 100000 >/dev/null 2>&1 </dev/null & sleep 1'
  systemd-run --quiet --unit=stays su - carol -c 'exec sleep 100000'
}

# Directories that somebody has failed to remove.
leftovers() {
  local mount=/sys/fs/cgroup
  if [[ -d "${mount}/memory" ]]; then mount+=/memory; fi
  mkdir -p "${mount}/user.slice/user-1002.slice/session-99.scope" "${mount}/system.slice/run-gone.scope" \
    "${mount}/plain/below" "${mount}/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod33333333_2222_3333_4444_555555555555.slice"
}

main
