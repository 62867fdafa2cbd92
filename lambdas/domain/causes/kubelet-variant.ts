import type { Evidence } from '../evidence/evidence.ts';
import { cgroupVersions, gateIsOn, kernelVersions, kubeletVersions } from '../evidence/kubelet-figures.ts';
import { probeValue } from '../evidence/probe.ts';
import { isOlder, isWithin } from '../version.ts';
import type { Finding } from './cause.ts';

/** The leaks of the kubelet that are known, and those that are claimed. */
export const kubeletVariants = {
  'pod-certs':
    'Entries of removed pods stay in the pod certificate manager (kubernetes#133501, fixed in 1.35).',
  'evented-pleg':
    'The evented pod lifecycle generator never ends its loops (kubernetes#132266; its gate is off by default).',
  'pod-workers':
    'State of pods stays in the pod workers: contexts in 1.36.0 to 1.36.2 (kubernetes#139823), entries before 1.22 (kubernetes#102723). kubernetes#131906 claims one of today and is not confirmed.',
  'container-gc':
    'State of removed containers stays in the container garbage collector: kubernetes#131905 claims it and is not confirmed.',
  'cgroup-v1-misc':
    'Directories of the misc controller stay on cgroup v1, and the kubelet tries for ever to remove them (kubernetes#117647, fixed by libcontainer 1.1.6 in runc and in the kubelet).',
  cadvisor:
    'The cadvisor within the kubelet keeps watching cgroups that are gone or leaked (kubernetes#114751, #64137).',
  other: 'It is none of the leaks that are known by their signs.',
} as const satisfies Record<string, string>;
export type KubeletVariant = keyof typeof kubeletVariants;

type Names = { variant: KubeletVariant; pattern: RegExp; weight: number; source: string };

/**
 * What the top of a heap profile names. Pod workers and certificates hold next to nothing in a kubelet that is well;
 * cadvisor holds a good part in any, so it is a sign and no proof.
 */
const heapNames: readonly Names[] = [
  {
    variant: 'pod-certs',
    pattern: /credstore|podcertificate/i,
    weight: 0.6,
    source: 'heap profile; kubernetes#133501',
  },
  { variant: 'evented-pleg', pattern: /evented/i, weight: 0.6, source: 'heap profile; kubernetes#132266' },
  {
    variant: 'pod-workers',
    pattern: /podworker|pod_workers|isworking|podsyncstatus|startpodsync|podworkerloop/i,
    weight: 0.6,
    source: 'heap profile; kubernetes#139823, #102723',
  },
  {
    variant: 'container-gc',
    pattern: /container_?gc/i,
    weight: 0.3,
    source: 'heap profile; kubernetes#131905 is reported, not confirmed',
  },
  {
    variant: 'cadvisor',
    pattern: /cadvisor|housekeeping/i,
    weight: 0.3,
    source: 'heap profile; kubernetes#114751',
  },
];

/** What is known of the variants of a node: findings, and the variant that they speak for most. */
export type Variants = {
  heap: { variant: KubeletVariant; finding: Finding } | undefined;
  /** Gates and versions: they say what may leak here, and never that it does. */
  known: { variant: KubeletVariant; finding: Finding }[];
};

/** `loops`: how often the kubelet failed to remove a cgroup in the journal that was read. */
export function variantsOf(evidence: Evidence, loops: number | undefined): Variants {
  return {
    heap: heapTop(evidence),
    known: [...leakyRelease(evidence), ...leakyGate(evidence), ...(miscLeaks(evidence, loops) ?? [])],
  };
}

function heapTop(evidence: Evidence): Variants['heap'] {
  const tops = probeValue(evidence.probes.observations)?.kubeletHeap ?? [];
  for (const top of tops) {
    const found = heapNames.find(({ pattern }) => pattern.test(top));
    if (found === undefined) continue;
    const { variant, weight, source } = found;
    return {
      variant,
      finding: { fact: 'what holds most of its heap', value: top, speaks: 'for', weight, source },
    };
  }
  return undefined;
}

/** Every user of these releases has it: a context is leaked with every sync of every pod. */
function leakyRelease(evidence: Evidence): Variants['known'] {
  const version = kubeletVersions(evidence).find((one) => isWithin(one, '1.36', '1.36.3') === true);
  if (version === undefined) return [];
  const finding: Finding = {
    fact: 'version of the kubelet',
    value: version,
    threshold: '1.36.3',
    speaks: 'for',
    weight: 0.4,
    source: 'kubernetes#139823: 1.36.0 to 1.36.2 leak a context with every sync of a pod',
  };
  return [{ variant: 'pod-workers', finding }];
}

function leakyGate(evidence: Evidence): Variants['known'] {
  const gate = (name: string, variant: KubeletVariant, source: string, weight = 0.2): Variants['known'] => [
    { variant, finding: { fact: `feature gate ${name}`, value: 'on', speaks: 'for', weight, source } },
  ];
  const versions = kubeletVersions(evidence);
  const leaky = versions.find((version) => isOlder(version, '1.35') === true);
  const mayLeak = leaky !== undefined || !versions.some((version) => isOlder(version, '1.35') === false);
  return [
    ...(gateIsOn(evidence, 'PodCertificateRequest') && mayLeak
      ? gate(
          'PodCertificateRequest',
          'pod-certs',
          `kubernetes#133501, fixed in 1.35; the kubelet is ${leaky ?? 'of an unknown version'}`,
          // A version that nobody knows may be one with the fix.
          leaky === undefined ? 0 : 0.2,
        )
      : []),
    ...(gateIsOn(evidence, 'EventedPLEG')
      ? gate('EventedPLEG', 'evented-pleg', 'kubernetes#132266; the gate is off by default')
      : []),
  ];
}

/** The misc controller came with kernel 5.13; the reports are of 5.15. Both runc and the kubelet have to know it. */
function miscLeaks(evidence: Evidence, loops = 0): Variants['known'] {
  const hasMisc = kernelVersions(evidence).some((kernel) => isOlder(kernel, '5.13') === false);
  if (!cgroupVersions(evidence).includes(1) || !hasMisc) return [];
  const runc = probeValue(evidence.probes.containers)?.runc;
  const kubelet = kubeletVersions(evidence).find((version) => isOlder(version, '1.27') === true);
  const blame =
    isOlder(runc, '1.1.6') === true
      ? {
          fact: 'version of runc, on cgroup v1 with a misc controller',
          value: runc ?? '',
          threshold: '1.1.6',
        }
      : // Its patches have the fix since May 2023, so only one that does fail to remove cgroups is blamed.
        kubelet !== undefined && loops > 0
        ? {
            fact: 'version of the kubelet, on cgroup v1 with a misc controller',
            value: kubelet,
            threshold: '1.27',
          }
        : undefined;
  if (blame === undefined) return [];
  const source =
    'kubernetes#117647, fixed by libcontainer 1.1.6 in runc and in the kubelet (1.27; patches #117682 of 1.25, #117691 of 1.26)';
  return [{ variant: 'cgroup-v1-misc', finding: { ...blame, speaks: 'for', weight: 0.3, source } }];
}
