import * as z from 'zod';
import { hasQuotaFault } from '../causes/cpu-quota-throttling.ts';
import { variantsOf } from '../causes/kubelet-variant.ts';
import { givesBack } from '../causes/memcg-id-exhaustion.ts';
import { needOf } from '../evidence/agents.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { cgroupVersion, kernelVersion, kernelVersions, kubeletVersion } from '../evidence/kubelet-figures.ts';
import { probeValue } from '../evidence/probe.ts';
import { isOlder } from '../version.ts';
import { InstanceId } from './node.ts';

/**
 * What a node carries: an agent that nothing needs, cgroup v1, a pair of versions that is known for a fault, no memory
 * reserved; a setting, which counts only where other nodes of the cluster have another one; or what could not be read.
 */
const Kind = z.enum(['agent', 'cgroup-v1', 'known-bad', 'reservation', 'setting', 'unread']);

export const Burden = z.object({
  kind: Kind,
  /** What it is about: a unit, the name of a setting, a probe. */
  subject: z.string().max(120),
  value: z.string().max(120),
  nodes: z.int().positive(),
  /** The first few nodes that have it. */
  examples: z.array(InstanceId).max(3),
});
export type Burden = z.infer<typeof Burden>;

/** So many different ones of a cluster are told apart; it has to fit into a message with the ids of its nodes. */
const most = 200;

export const Burdens = z.object({
  nodes: z.int().nonnegative(),
  entries: z.array(Burden).max(most),
  /** Others, by node, that there was no room for. */
  omitted: z.int().nonnegative(),
});
export type Burdens = z.infer<typeof Burdens>;

export const noBurdens: Burdens = { nodes: 0, entries: [], omitted: 0 };

type Fact = Pick<Burden, 'kind' | 'subject' | 'value'>;

/** The burdens of a cluster with those of one more node. */
export function addBurdens({ nodes, entries, omitted }: Burdens, node: string, evidence: Evidence): Burdens {
  const all = new Map(entries.map((entry) => [keyOf(entry), entry]));
  let left = omitted;
  for (const fact of factsOf(evidence)) {
    const key = keyOf(fact);
    const known = all.get(key);
    if (known === undefined && all.size >= most) left += 1;
    else {
      const examples = known?.examples ?? [];
      all.set(key, {
        ...fact,
        nodes: (known?.nodes ?? 0) + 1,
        examples: examples.length < 3 ? [...examples, node] : examples,
      });
    }
  }
  return { nodes: nodes + 1, entries: [...all.values()], omitted: left };
}

function keyOf({ kind, subject, value }: Fact): string {
  return JSON.stringify([kind, subject, value]);
}

/** Each once. */
function factsOf(evidence: Evidence): Fact[] {
  const facts = [...agents(evidence), ...versions(evidence), ...kubelet(evidence)].map((fact) => ({
    ...fact,
    subject: plain(fact.subject),
    value: plain(fact.value),
  }));
  return [...new Map(facts.map((fact) => [keyOf(fact), fact])).values()];
}

/** Names come from nodes: bounded, one byte a character, and nothing in them rewrites a terminal. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 120);
}

function agents(evidence: Evidence): Fact[] {
  const probe = evidence.probes.agents;
  if (probe.status !== 'ok') return [unread('host agents')];
  return probe.value.entries.flatMap((agent): Fact[] => {
    const { needed, why } = needOf(agent);
    // Why counts restarts, which differ from node to node.
    const [reason = why] = why.split(';');
    return needed === false ? [{ kind: 'agent', subject: agent.unit, value: reason }] : [];
  });
}

function versions(evidence: Evidence): Fact[] {
  const cgroups = cgroupVersion(evidence);
  const runtime = probeValue(evidence.probes.containers);
  const loops = probeValue(evidence.probes.kubelet)?.journal?.cgroupDeleteFailed ?? undefined;
  const kernels = kernelVersions(evidence);
  const bad = (value: string, source: string): Fact => ({ kind: 'known-bad', subject: source, value });
  return [
    ...(cgroups === undefined ? [unread('cgroup version')] : []),
    ...(cgroups === 1 ? [{ kind: 'cgroup-v1' as const, subject: 'memory controller', value: 'v1' }] : []),
    ...variantsOf(evidence, loops).known.map(({ finding }) =>
      bad(`${finding.fact}: ${finding.value}`, finding.source),
    ),
    ...kernels
      .filter((kernel) => isOlder(kernel, givesBack) === true)
      .map((kernel) => bad(`kernel ${kernel}`, `before ${givesBack} dying memory cgroups use up their ids`)),
    ...kernels
      .filter(hasQuotaFault)
      .map((kernel) => bad(`kernel ${kernel}`, 'kubernetes#67577: throttles pods within their quota')),
    ...setting('kernel', kernelVersion(evidence)),
    ...setting('kubelet', kubeletVersion(evidence)),
    ...setting('container runtime', together(runtime?.runtime, runtime?.runtimeVersion)),
    ...setting('runc', runtime?.runc),
    ...setting('cgroup driver of the runtime', runtime?.cgroupDriver),
  ];
}

/** What the kubelet keeps back differs by instance type, and rightly: only that there is nothing is told. */
function kubelet(evidence: Evidence): Fact[] {
  const config = probeValue(evidence.probes.kubelet)?.config;
  if (config == null) return [unread('configuration of the kubelet')];
  const { kubeReserved, featureGates, evictionHard, evictionSoft, flags } = config;
  const named = { featureGates, evictionHard, evictionSoft, flags };
  return [
    ...(kubeReserved === null ? [unread('kubeReserved')] : []),
    ...(kubeReserved !== null && kubeReserved.memory === undefined
      ? [{ kind: 'reservation' as const, subject: 'kubeReserved', value: 'has no memory' }]
      : []),
    ...Object.entries(named).flatMap(([group, values]) =>
      Object.entries(values ?? {}).flatMap(([name, value]) => setting(`${group}.${name}`, value)),
    ),
  ];
}

function setting(subject: string, value: string | null | undefined): Fact[] {
  return value == null || value === '' ? [] : [{ kind: 'setting', subject, value }];
}

function unread(subject: string): Fact {
  return { kind: 'unread', subject, value: 'not read' };
}

function together(...parts: (string | null | undefined)[]): string {
  return parts.filter((part) => part != null).join(' ');
}
