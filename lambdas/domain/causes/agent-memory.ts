import { type Agent, needOf } from '../evidence/agents.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { type PodAgent, podAgents } from '../evidence/pod-agents.ts';
import { probeValue } from '../evidence/probe.ts';
import type { Thresholds } from '../thresholds.ts';
import { courseAsReported, growthPerDay } from '../trend.ts';
import type { Finding, Verdict } from './cause.ts';
import { gather } from './gather.ts';

/** So many times what no agent needs is a leak also where nobody has watched it grow. */
const veryLarge = 4;

export const memoryFact = 'its memory, MB';
export const agentFact = 'agent with the most memory';
export const objectFact = 'owning object';

type Candidate = {
  name: Finding;
  /** The names by which a course of its memory may go. */
  names: readonly string[];
  memoryKb: number;
  /** Page cache is in it, which is no leak. */
  withCache: boolean;
  more: Finding[];
};

/** Whether a host agent holds far more memory than any needs, and grows or is beyond all measure. */
export function judgeHostMemory(evidence: Evidence, thresholds: Thresholds): Verdict {
  const agents = probeValue(evidence.probes.agents)?.entries;
  if (agents === undefined) return { result: 'insufficient-evidence', needs: ['agents'], findings: [] };
  const candidates = agents.flatMap((agent) => candidateOf(agent) ?? []);
  const verdict = judgeLargest(evidence, thresholds, candidates);
  const unread = agents.some((agent) => agent.active === 'active' && candidateOf(agent) === undefined);
  return verdict.result === 'excluded' && unread
    ? { result: 'insufficient-evidence', needs: ['agents.rssKb'], findings: verdict.findings }
    : verdict;
}

/** The same for agents in pods without a limit of their own: where there is one, the pod ends there and the node is safe. */
export function judgePodMemory(evidence: Evidence, thresholds: Thresholds): Verdict {
  const agents = podAgents(evidence);
  if (agents === undefined) return { result: 'insufficient-evidence', needs: ['podStatus'], findings: [] };
  return judgeLargest(
    evidence,
    thresholds,
    agents.flatMap((agent) => podCandidateOf(agent) ?? []),
  );
}

function candidateOf(agent: Agent): Candidate | undefined {
  const { unit, rssKb, memoryKb, containers } = agent;
  // The cgroup of an agent that manages containers may hold theirs.
  const memory = rssKb ?? (containers === 0 ? memoryKb : null);
  if (memory === null) return undefined;
  const { needed, why } = needOf(agent);
  return {
    name: { fact: agentFact, value: unit, speaks: 'for', source: 'host services' },
    names: [unit, unit.replace(/\.service$/, '')],
    memoryKb: memory,
    withCache: rssKb === null,
    more: [
      {
        fact: 'need for it on this node',
        value: why,
        speaks: needed === false ? 'against' : 'for',
        source: 'reverse dependencies, containers, restarts',
      },
    ],
  };
}

function podCandidateOf({ pod, container, object, memoryKb, limited }: PodAgent): Candidate | undefined {
  if (memoryKb === undefined || limited) return undefined;
  const [, owner = object] = object.split(' ');
  return {
    name: {
      fact: agentFact,
      value: `${pod}, container ${container}`,
      speaks: 'for',
      source: 'pods of the node',
    },
    names: [pod, owner],
    memoryKb,
    withCache: false,
    more: [{ fact: objectFact, value: object, speaks: 'for', source: 'ownerReferences of the pod' }],
  };
}

function judgeLargest(evidence: Evidence, thresholds: Thresholds, candidates: Candidate[]): Verdict {
  const [largest] = candidates.toSorted((a, b) => b.memoryKb - a.memoryKb);
  if (largest === undefined) return { result: 'excluded', findings: [] };
  const { findings, atLeast, fact } = gather(thresholds);
  const { memoryKb, withCache, names } = largest;
  findings.push(largest.name);
  const large = atLeast({
    fact: memoryFact,
    value: memoryKb / 1024,
    threshold: 'agentMb',
    weight: withCache ? 0.25 : 0.35,
    source: withCache ? 'its cgroup, page cache among it' : 'resident memory or working set',
  });
  if (!large) return { result: 'excluded', findings };
  const beyond = atLeast({
    fact: 'the same, against what is beyond all measure',
    value: memoryKb / 1024,
    threshold: thresholds.agentMb * veryLarge,
    weight: 0.35,
    source: `${veryLarge} times settings thresholds.agentMb`,
  });
  const workload = probeValue(evidence.probes.trend)?.workload;
  const isIts = workload != null && names.includes(workload);
  const growth = isIts ? growthPerDay(evidence, 'workingSetKb') : undefined;
  const word = isIts ? courseAsReported(evidence, 'workingSetKb') : null;
  const grows =
    atLeast({
      fact: 'its growth, MB per day',
      value: growth && growth.perDay / 1024,
      threshold: 'agentMbPerDay',
      weight: 0.5,
      source: growth?.source ?? '',
    }) ??
    (word === null
      ? undefined
      : fact({
          fact: 'its course',
          value: word,
          speaks: word === 'rises' ? 'for' : 'against',
          source: 'as reported, without a number',
          ...(word === 'rises' ? { weight: 0.35 } : {}),
        }));
  const restarted = probeValue(evidence.probes.observations)?.tried.find(
    ({ what }) => what === 'restart-agent',
  );
  const helped = fact({
    fact: 'restarting it helped',
    value: restarted?.helped,
    speaks: restarted?.helped ? 'for' : 'against',
    source: 'tried by hand',
    ...(restarted?.helped ? { weight: 0.4 } : {}),
  });
  // What is beyond all measure may be cache, where nobody told them apart.
  if ((beyond && !withCache) || grows || helped) {
    findings.push(...largest.more);
    return { result: 'matches', findings };
  }
  return grows === undefined
    ? {
        result: 'insufficient-evidence',
        needs: [...(withCache ? ['agents.rssKb'] : []), 'trend.workingSetKb'],
        findings,
      }
    : { result: 'excluded', findings };
}
