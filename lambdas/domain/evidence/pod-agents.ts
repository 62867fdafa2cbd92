import type { Evidence } from './evidence.ts';
import { probeValue } from './probe.ts';

/** An agent that lives in a pod, with what the node itself saw of that pod beside it. */
export type PodAgent = {
  pod: string;
  container: string;
  /** What owns it, as a person would look for it: KIND NAMESPACE/NAME. */
  object: string;
  restarts: number;
  /** Of the container, or else of its pod; `undefined` where nobody read it. */
  memoryKb: number | undefined;
  /** It has a memory limit, or was killed at one: its growth ends there, and is no matter of the node. */
  limited: boolean;
};

/** The agents in pods, most restarts first; `undefined` where the API server was not asked. */
export function podAgents(evidence: Evidence): PodAgent[] | undefined {
  const status = probeValue(evidence.probes.podStatus);
  const seen = probeValue(evidence.probes.workloads)?.top ?? [];
  return status?.agents
    .map(({ pod, container, owner, restarts, memoryKb }) => {
      const workload = seen.find((one) => one.pod === pod);
      const [namespace] = pod.includes('/') ? pod.split('/') : [undefined];
      return {
        pod,
        container,
        object:
          owner === null
            ? `Pod ${pod}`
            : `${owner.kind} ${namespace === undefined ? '' : `${namespace}/`}${owner.name}`,
        restarts,
        memoryKb: memoryKb ?? workload?.workingSetKb,
        limited: workload?.limitKb != null || status.oomKilled.some((killed) => killed.pod === pod),
      };
    })
    .sort((a, b) => b.restarts - a.restarts || (a.pod < b.pod ? -1 : 1));
}
