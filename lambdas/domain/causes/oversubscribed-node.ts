import { hardEviction } from '../evidence/eviction.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import { availableMemory } from '../evidence/reclaiming.ts';
import type { Cause } from './cause.ts';
import { gather } from './gather.ts';
import { moreMemory, reserveMemory } from './prevent.ts';

const pressureFact = 'MemoryPressure of the node';
const readyFact = 'Ready of the node';
const evictedFact = 'pods evicted in the last hour';
const evictionsFact = 'evictions for memory since the kubelet started';
const headroomFact = 'available memory, MiB, against the warning before hard eviction';
const availableFact = 'available memory, percent';
const limitsFact = 'memory limits of the pods, percent of allocatable';
const requestsFact = 'memory requests of the pods, percent of allocatable';
const withoutLimitFact = 'pods without a memory limit';
const podsFact = 'pods, percent of what the node takes';
const kubeFact = 'memory reserved for Kubernetes (kubeReserved)';
const systemFact = 'memory reserved for the system (systemReserved)';
const reservedFact = 'reserving memory';

/** More was promised than the node has: pods may use memory that the kubelet and the system need. */
export const oversubscribedNode: Cause<'oversubscribed-node'> = {
  id: 'oversubscribed-node',
  title:
    'More memory was promised to pods than the node has, or none was kept for the system, and it is short of it.',
  seen: 'Strain (MemoryPressure, evictions, memory near hard eviction, NotReady where nobody saw the memory) together with a promise that cannot be kept (limits or requests beyond thresholds, nothing reserved for the system, or a reservation that helped).',
  excludedBy: 'Memory to spare, whatever was promised; or promises that were read and are in order.',
  explains: ['reclaim-pressure'],

  judge(evidence, thresholds) {
    const { findings, atLeast, firstAtMost, fact } = gather(thresholds);
    const available = availableMemory(evidence);
    const [memory] = available;
    const status = probeValue(evidence.probes.nodeStatus);
    const conditions = status?.conditions ?? [];
    const condition = (type: string) => conditions.find((one) => one.type === type);
    const since = (seconds: number | null | undefined): string =>
      seconds == null ? 'API server' : `for ${Math.round(seconds / 60)} minutes, API server`;

    const pressed = condition('MemoryPressure');
    const ready = condition('Ready');
    const eviction = hardEviction(evidence);
    const evictedForMemory = probeValue(evidence.probes.kubeletMetrics)?.evictions['memory.available'];
    const strain = [
      pressed?.status === 'True' &&
        fact({
          fact: pressureFact,
          value: 'True',
          speaks: 'for',
          weight: 0.6,
          source: since(pressed.sinceSeconds),
        }),
      ready !== undefined &&
        ready.status !== 'True' &&
        fact({
          fact: readyFact,
          value: ready.status,
          speaks: 'for',
          weight: 0.15,
          source: since(ready.sinceSeconds),
        }) &&
        // Much else makes a node NotReady: it counts where nobody could see the memory.
        memory === undefined,
      atLeast({
        fact: evictedFact,
        value: probeValue(evidence.probes.podStatus)?.evicted,
        threshold: 1,
        weight: 0.4,
        source: 'API server',
      }),
      eviction !== undefined &&
        eviction.kb > 0 &&
        firstAtMost(
          available.map(({ availableKb }) => ({
            fact: headroomFact,
            value: availableKb / 1024,
            threshold: (eviction.kb * thresholds.evictionHeadroom) / 1024,
            weight: 0.5,
            source: `${thresholds.evictionHeadroom} times ${eviction.source} (settings thresholds.evictionHeadroom)`,
          })),
        ),
      firstAtMost(
        available.map(({ availableKb, totalKb }) => ({
          fact: availableFact,
          value: (availableKb * 100) / totalKb,
          threshold: 'availablePercent',
          weight: 0.3,
          source: 'MemAvailable',
        })),
      ),
    ].some((sign) => sign === true);

    const asked = status?.memory;
    const percentOf = (part: number | null | undefined, whole: number | null | undefined) =>
      part == null || whole == null || whole === 0 ? undefined : (part * 100) / whole;
    const tried = probeValue(evidence.probes.observations)?.tried ?? [];
    const helped = tried.find(({ what }) => what === 'reserve-memory')?.helped;
    const promised = [
      atLeast({
        fact: limitsFact,
        value: percentOf(asked?.limitsKb, asked?.allocatableKb) ?? asked?.limitsPercent,
        threshold: 'limitsPercent',
        weight: 0.4,
        source: 'API server',
      }),
      atLeast({
        fact: requestsFact,
        value: percentOf(asked?.requestsKb, asked?.allocatableKb) ?? asked?.requestsPercent,
        threshold: 'requestsPercent',
        weight: 0.2,
        source: 'API server',
      }),
      isReserved(evidence, 'kubeReserved') === false &&
        fact({
          fact: kubeFact,
          value: 'none',
          speaks: 'for',
          weight: 0.35,
          source: 'configuration of the kubelet',
        }),
      isReserved(evidence, 'systemReserved') === false &&
        fact({
          fact: systemFact,
          value: 'none',
          speaks: 'for',
          weight: 0.3,
          source: 'configuration of the kubelet',
        }),
      helped === true &&
        fact({ fact: reservedFact, value: 'helped', speaks: 'for', weight: 0.55, source: 'tried by hand' }),
    ].some((sign) => sign === true);
    // They may be weeks old.
    if (evictedForMemory !== undefined && evictedForMemory > 0) {
      fact({
        fact: evictionsFact,
        value: evictedForMemory,
        speaks: 'for',
        weight: 0.2,
        source: 'kubelet_evictions',
      });
    }
    const without = asked?.podsWithoutLimit ?? 0;
    if (without > 0) {
      const source = 'each may use all that the node has; API server';
      fact({ fact: withoutLimitFact, value: without, speaks: 'for', weight: 0.15, source });
    }
    const pods = status?.pods;
    atLeast({
      fact: podsFact,
      value: percentOf(pods?.running, pods?.allocatable),
      threshold: 'requestsPercent',
      weight: 0.15,
      source: 'API server',
    });

    if (strain && promised) return { result: 'matches', findings };
    const needs = [
      ...(strain || (memory !== undefined && conditions.length > 0) ? [] : ['memory']),
      ...(promised ? [] : unknownPromises(evidence)),
    ];
    // A node that has memory to spare is not short of it, whatever was promised.
    const calm = !strain && memory !== undefined;
    return calm || needs.length === 0
      ? { result: 'excluded', findings }
      : { result: 'insufficient-evidence', needs, findings };
  },

  explain(findings) {
    const seen = (name: string) =>
      findings.find(({ fact, speaks }) => fact === name && speaks === 'for')?.value;
    const list = (parts: (string | undefined)[]) => parts.filter((part) => part !== undefined).join(', ');
    const told = (name: string, text: (value: unknown) => string) => {
      const value = seen(name);
      return value === undefined ? undefined : text(value);
    };
    const short = list([
      told(pressureFact, () => 'it reports MemoryPressure'),
      told(readyFact, (value) => `Ready is ${value}`),
      told(evictedFact, (value) => `${value} pods were evicted in the last hour`),
      told(evictionsFact, (value) => `the kubelet has evicted ${value} pods for memory since it started`),
      told(headroomFact, (value) => `only ${value} MiB are available, near the hard eviction threshold`),
      seen(headroomFact) === undefined
        ? told(availableFact, (value) => `only ${value} % of memory is available`)
        : undefined,
    ]);
    const why = list([
      told(limitsFact, (value) => `the limits of its pods add up to ${value} % of what it can give`),
      told(requestsFact, (value) => `their requests to ${value} %`),
      told(withoutLimitFact, (value) => `${value} pods have no memory limit`),
      told(kubeFact, () => 'nothing is reserved for Kubernetes'),
      told(systemFact, () => 'nothing is reserved for the system'),
      told(reservedFact, () => 'reserving memory by hand has helped'),
      told(podsFact, (value) => `${value} % of its places for pods are taken`),
    ]);
    return `This node has promised more memory than it has: ${short}; ${why}. Pods take what the kubelet, the runtime and the system need, and those starve first. No leak that would explain it was found in what was seen. Nothing on the node cures that: move pods away now, and reserve memory or set limits so that it does not come back.`;
  },

  untreated:
    'With the next peak the kubelet evicts pods, or it starves itself and the node goes NotReady with everything on it.',

  prevent: (evidence) => [...reserveMemory(evidence), ...moreMemory(evidence)],
};

/** Whether the kubelet keeps memory back for this; `undefined` where its configuration was not read. */
function isReserved(evidence: Evidence, part: 'kubeReserved' | 'systemReserved'): boolean | undefined {
  const reserved = probeValue(evidence.probes.kubelet)?.config?.[part];
  return reserved == null ? undefined : reserved.memory !== undefined;
}

function unknownPromises(evidence: Evidence): string[] {
  const { nodeStatus } = evidence.probes;
  return [
    ...(probeValue(nodeStatus)?.memory == null ? ['nodeStatus.memory'] : []),
    ...(isReserved(evidence, 'kubeReserved') === undefined ? ['kubelet.config'] : []),
  ];
}
