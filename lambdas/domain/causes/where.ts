/** Where settings live on a node of EKS, for preventions. */
export const where = {
  kubeletConfig:
    '/etc/kubernetes/kubelet/config.json.d/ on the node; for every new node spec.kubelet.config of the NodeConfig in the user data of the launch template (AL2023)',
  kubeletFlags:
    'spec.kubelet.flags of the NodeConfig in the user data of the launch template (AL2023): flags only, not in the configuration file',
  containerdConfig:
    '/etc/containerd/config.toml on the node; for every new node spec.containerd.config of the NodeConfig in the user data (AL2023)',
  ami: 'the AMI of the launch template, or the release version of the managed node group; spec.amiSelectorTerms of the EC2NodeClass with Karpenter',
  scaling: 'the desired size of the node group, or the limits of the NodePool with Karpenter',
  bootParameters: 'GRUB_CMDLINE_LINUX in /etc/default/grub of the image; it takes effect with the next boot',
} as const satisfies Record<string, string>;
