import { needOf } from '../evidence/agents.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { loopingAgents } from '../evidence/producers.ts';
import type { Thresholds } from '../thresholds.ts';
import { agentFact, judgeHostMemory, judgePodMemory, memoryFact, objectFact } from './agent-memory.ts';
import type { Cause, Finding, Prevention, Verdict } from './cause.ts';
import { confidenceOf } from './confidence.ts';
import { judgeLoop, loopExplanation, loopingUnit, sawWhose } from './crash-loop.ts';
import { judgePodLoop, loopFact, podRestartsFact } from './pod-crash-loop.ts';

const variants = {
  'crash-loop': 'systemd starts it again and again, and each start can leave a dying memory cgroup.',
  memory: 'It holds far more memory than any agent needs.',
  pod: 'It lives in a pod (a DaemonSet, a sidecar) and belongs to whoever owns that object: nothing on the node is changed for it.',
} as const satisfies Record<string, string>;
type Variant = keyof typeof variants;

/** A host agent, or one in a pod, that somebody may need, and that leaks: cgroups by its restarts, or memory. */
export const agentLeak: Cause<'agent-leak'> = {
  id: 'agent-leak',
  title: 'A host agent that somebody may need leaks: cgroups by starting again and again, or memory.',
  seen: 'A host agent that starts again and again and may be needed; or an agent, of the host or in a pod without a limit of its own, that holds more than agentMb and grows, or four times as much.',
  excludedBy:
    'No agent starts again and again, or too seldom to have left half of dyingFloor; and none holds that much.',
  variants,
  explains: ['dying-memcgs'],

  judge(evidence, thresholds) {
    const verdicts = judges.map(({ variant, judge, sawWhatExcludes }) => {
      const verdict = judge(evidence, thresholds);
      return { variant, verdict: sawWhatExcludes(evidence) ? verdict : evenOdds(verdict) };
    });
    const best = verdicts
      .filter(({ verdict }) => verdict.result === 'matches')
      .sort((a, b) => confidenceOf(b.verdict.findings) - confidenceOf(a.verdict.findings))[0];
    if (best !== undefined) {
      return { result: 'matches', variant: best.variant, findings: best.verdict.findings };
    }
    const findings = verdicts.flatMap(({ verdict }) => verdict.findings);
    const needs = verdicts.flatMap(({ verdict }) =>
      verdict.result === 'insufficient-evidence' ? verdict.needs : [],
    );
    return needs.length > 0
      ? { result: 'insufficient-evidence', needs: [...new Set(needs)], findings }
      : { result: 'excluded', findings };
  },

  explain(findings, variant = 'crash-loop') {
    const value = (fact: string) => findings.find((finding) => finding.fact === fact)?.value;
    if (variant === 'crash-loop') {
      const untouched = findings.some((finding) => String(finding.value).endsWith('no treatment touches it'));
      const remedy = untouched
        ? 'It belongs to what a node cannot do without, so it is neither stopped nor contained: a person has to mend it.'
        : 'It may be needed, so it is not stopped: containing it lets it go on without a memory cgroup per start.';
      return `${loopExplanation(findings)} ${remedy} Why it does not keep running is in its journal.`;
    }
    const growth = value('its growth, MB per day');
    const restarts = value(podRestartsFact);
    const what =
      restarts === undefined
        ? `${value(agentFact)} holds ${value(memoryFact)} MB${growth === undefined ? '' : `, and grows by ${growth} MB a day`}: more than any agent needs.`
        : `${value(loopFact)} was started ${restarts} times, and each start can leave a dying memory cgroup.`;
    return variant === 'pod'
      ? `${what} It belongs to ${value(objectFact)}: whoever owns that has to mend it, and nothing on this node is changed for it. A memory limit on the container would end it there and not on the node.`
      : `${what} It may be needed (${value('need for it on this node') ?? 'nobody knows'}), so it is neither stopped nor disabled by a machine. Restarting it by hand gives the memory back (systemctl restart); a fixed version keeps it so.`;
  },

  untreated: 'It goes on until the node is short of memory, or so slow that its pods suffer.',

  prevent: preventions,
};

type Judge = (evidence: Evidence, thresholds: Thresholds) => Verdict;

/**
 * The variants. Where the probe was lost that could have excluded one, nobody is surer of an agent for that than of any
 * that was seen to the end.
 */
const judges: readonly {
  variant: Variant;
  judge: Judge;
  sawWhatExcludes: (evidence: Evidence) => boolean;
}[] = [
  {
    variant: 'crash-loop',
    sawWhatExcludes: sawWhose,
    judge: (evidence, thresholds) =>
      judgeLoop(evidence, thresholds, loopingAgents(evidence)[0], (agent) => ({
        fact: 'need for it on this node',
        value: needOf(agent).why,
        speaks: 'for',
        source: 'reverse dependencies, containers, restarts',
      })),
  },
  { variant: 'memory', judge: judgeHostMemory, sawWhatExcludes: () => true },
  { variant: 'pod', judge: judgePodLoop, sawWhatExcludes: () => true },
  // A pod may have a limit of its own, which its container list or its cgroup tells.
  {
    variant: 'pod',
    judge: judgePodMemory,
    sawWhatExcludes: ({ probes }) => probes.workloads.status === 'ok',
  },
];

/** Less than the least of any variant that matches. */
const even = 0.5;

/** The same match as likely as not: its first finding carries all that it is worth. */
function evenOdds(verdict: Verdict): Verdict {
  if (verdict.result !== 'matches') return verdict;
  const first = verdict.findings.find(({ speaks }) => speaks === 'for');
  const findings = verdict.findings.map(({ weight: _, ...finding }, index) =>
    verdict.findings[index] === first ? { ...finding, weight: even } : finding,
  );
  return { ...verdict, findings };
}

function preventions(_: Evidence, findings: Finding[]): Prevention[] {
  const value = (fact: string) => findings.find((finding) => finding.fact === fact)?.value;
  const object = value(objectFact);
  const looping = loopingUnit(findings);
  const unit = value(agentFact);
  if (object !== undefined) {
    return [
      {
        what: 'a fixed version of the image, and resources.limits.memory on the container, so that it ends there and not on the node',
        where: `${object}, where its owner keeps the manifest`,
        because: `${value(loopFact) ?? unit}: ${value(podRestartsFact) === undefined ? `${value(memoryFact)} MB` : `${value(podRestartsFact)} restarts`}`,
      },
    ];
  }
  if (looping !== undefined) {
    return [
      {
        what: `a ${looping} that keeps running: its configuration or a fixed version; or an image without it, where nobody needs it`,
        where: 'the image of the node, or the user data that installs it',
        because: `${looping} is started again and again`,
      },
    ];
  }
  if (unit === undefined) return [];
  return [
    {
      what: /ssm-agent/.test(String(unit))
        ? 'the newest amazon-ssm-agent (the document AWS-UpdateSSMAgent, by an association of State Manager)'
        : `a version of ${unit} in which this is fixed`,
      where: 'the image of the node, or the user data that installs it',
      because: `${unit} holds ${value(memoryFact)} MB`,
    },
  ];
}
