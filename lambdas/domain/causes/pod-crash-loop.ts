import { manyRestarts } from '../evidence/agents.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { podAgents } from '../evidence/pod-agents.ts';
import { probeValue } from '../evidence/probe.ts';
import { sliceAt } from '../evidence/producers.ts';
import type { Thresholds } from '../thresholds.ts';
import { objectFact } from './agent-memory.ts';
import type { Verdict } from './cause.ts';
import { gather } from './gather.ts';

export const loopFact = 'container of an agent that is started again and again';
export const podRestartsFact = 'restarts of that container';

/** A start of a container leaves one dying cgroup at the most, so half as many starts as there are made most of them. */
const part = 0.5;

/** Whether an agent in a pod fills the node with dying cgroups by starting again and again. */
export function judgePodLoop(evidence: Evidence, thresholds: Thresholds): Verdict {
  const agents = podAgents(evidence);
  if (agents === undefined) return { result: 'insufficient-evidence', needs: ['podStatus'], findings: [] };
  const [agent] = agents.filter(({ restarts }) => restarts >= manyRestarts);
  if (agent === undefined) return { result: 'excluded', findings: [] };
  // Below which slice they are decides whose they are; cgroup v1 does not count them by slice.
  if (evidence.probes.slices.status !== 'ok') {
    return { result: 'insufficient-evidence', needs: ['slices'], findings: [] };
  }
  const pods = sliceAt(evidence, '/kubepods.slice') ?? sliceAt(evidence, '/kubepods');
  const inPods = pods?.dying ?? undefined;
  const dying = inPods ?? probeValue(evidence.probes.cgroups)?.dying;
  if (dying === undefined) return { result: 'insufficient-evidence', needs: ['cgroups'], findings: [] };
  const { findings, atLeast } = gather(thresholds);
  findings.push(
    {
      fact: loopFact,
      value: `${agent.pod}, container ${agent.container}`,
      speaks: 'for',
      weight: 0.2,
      source: 'pods of the node',
    },
    {
      fact: podRestartsFact,
      value: agent.restarts,
      threshold: manyRestarts,
      speaks: 'for',
      weight: 0.3,
      source: 'status of the pod',
    },
  );
  const many = atLeast({
    fact:
      inPods === undefined ? 'dying memory cgroups of the node' : `dying memory cgroups below ${pods?.path}`,
    value: dying,
    threshold: 'dyingFloor',
    weight: inPods === undefined ? 0.4 : 0.6,
    source: 'cgroup.stat, or /proc/cgroups on cgroup v1',
  });
  const enough = atLeast({
    fact: 'share of them that its starts can have left',
    value: dying === 0 ? undefined : Math.min(1, agent.restarts / dying),
    threshold: part,
    weight: 0.2,
    source: 'a start leaves one dying cgroup at the most',
  });
  if (!many || !enough) return { result: 'excluded', findings };
  findings.push({
    fact: objectFact,
    value: agent.object,
    speaks: 'for',
    source: 'ownerReferences of the pod',
  });
  return { result: 'matches', findings };
}
