import { dyingBelow, type Fault, shell } from './fault.ts';

/** A node is only well where its kubelet is and its pods are; the kubelet here is a stand-in, its container runtime is real. */
export const healthy: Fault = {
  about: 'nothing is wrong with it: its kubelet and its container runtime run, and a pod',
  symptom: dyingBelow(),

  async make(node, signal) {
    await shell(
      node,
      `systemctl start containerd kubelet
      until crictl version >/dev/null 2>&1; do sleep 1; done
      pod="$(pod run shop web-1 11111111-2222-3333-4444-555555555555)"
      pod add "$pod" app 0 'exec sleep 100000'
      sleep 5`,
      signal,
    );
  },

  async end(node) {
    await shell(
      node,
      `crictl --timeout 120s stopp "$(ls /run/pods)" && crictl --timeout 120s rmp "$(ls /run/pods)"
      rm -r /run/pods
      systemctl stop kubelet containerd kubepods.slice
      # What the kubelet has started lives on, as its unit says.
      echo 1 >/sys/fs/cgroup/runtime.slice/kubelet.service/cgroup.kill
      sleep 1
      systemctl stop runtime.slice`,
    );
  },
};
