/**
 * Facts that no probe could ever show, or that are no facts about the node: they become nothing, each for a reason. They
 * are asked last, so that a fact which does say something is never lost here.
 */
export const silent: { about: RegExp; because: string }[] = [
  {
    about: /_given$|^claim|claimed|opinion|reply|closed_as|similar_claims|suspect/,
    because: 'what somebody thinks, claims, or did not say is not a measurement',
  },
  {
    about:
      /(fix|bug|issue|linked|bugzilla|pull_request|pr|commit)(_\w+)?$|^fixed_in|^linked_|^kernel_bugzilla/,
    because: 'where it is discussed, or since when it is fixed, says nothing of this node',
  },
  {
    about: /affected|^affected_|_tested$|hosts?_|^nodes$|reproduc|^repro_|simulat|_shown$|^baremetal$/,
    because: 'which other machines have it, and how it is reproduced elsewhere, says nothing of this node',
  },
  {
    about: /hotfix|_version$|^(agent|login_manager|runtime|docker|containerd)(_version)?$/,
    because: 'a version of a part that no rule asks about',
  },
  { about: /load_?average|^load$/, because: 'a load says that tasks wait, and not for what' },
  {
    about: /^(kubelet|systemd|single_core|core|process|agent)_(cpu|sys|cpu_usage)$/,
    because: 'CPU of one process or core at one moment is a level: what it is spent on is not said',
  },
  {
    about: /^(kernel_|node_)?slab(_memory|_size|_usage|_cache)?$/,
    because: 'slab of both kinds together: how much of it can be reclaimed is not said',
  },
  { about: /virt(ual)?$|_vsz$/, because: 'virtual memory costs nothing' },
  {
    about:
      /until_(unusable|failure|crash|not_?ready|hang|reboot)|time_to_fail|recovery|^spike|interval$|duration|frequency/,
    because: 'how long it takes people to notice is not how fast a figure grows',
  },
  {
    about: /^(p\d+|latency|stall|response|burn|iteration|job_success|error_rate|user_|request)/,
    because: 'what users see of it; no probe looks into applications',
  },
  { about: /max_pods|^ttl|cleanup|min_age|history_limit/, because: 'a setting that is no fault by itself' },
  {
    about: /map_length|list_length|entries_in_map/,
    because: 'inside a process; only a heap profile shows it',
  },
  {
    about: /_on_v[12]|^cgroup_v[12]_|cgroup_v[12]_stable/,
    because: 'of a node with the other cgroup version, for comparison',
  },
  {
    about: /^(cpu_)?(limit|usage|request)(_\w+)?$|^cpu_(limit|usage|request)/,
    because: 'a limit is no fault, and an average hides the bursts that a quota cuts',
  },
  {
    about: /message|error|log$|event|alert|symptom|warning/,
    because: 'a message that no probe looks for',
  },
  {
    about: /path|file$|^slow_|controller|reporter|location/,
    because: 'a place in the tree that no count belongs to',
  },
  { about: /ipam|network|disk|inode|vfs|dentr|tmpfs/, because: 'another resource than memory cgroups' },
  {
    about:
      /reserved_that|needs_feature_gate|many_|correlates|grows_again|transient_dir|kernel_\d|second_|still_running|every_minute|cause$/,
    because: 'a remark that goes with another fact',
  },
  {
    about: /memory_limit_after|eviction_threshold|years?$|^date|^year|^example_/,
    because: 'when it was, or what was set later',
  },
];

export function silenceOf(name: string): string | undefined {
  return silent.find(({ about }) => about.test(name))?.because;
}
