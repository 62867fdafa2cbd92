import { Evidence, type ProbeName } from '../../lambdas/domain/evidence/evidence.ts';
import { readEvidence } from '../../lambdas/domain/evidence/read-evidence.ts';
import { type Draft, newDraft, say } from './facts/draft.ts';
import { type FactView, viewOf } from './facts/fact-view.ts';
import { finish } from './facts/finish.ts';
import type { FactRule } from './facts/rule.ts';
import { agentRules } from './facts/rules/agents.ts';
import { cgroupRules } from './facts/rules/cgroups.ts';
import { containerRules } from './facts/rules/containers.ts';
import { courseRules } from './facts/rules/courses.ts';
import { kernelRules } from './facts/rules/kernel.ts';
import { kubeletRules } from './facts/rules/kubelet.ts';
import { messageRules } from './facts/rules/messages.ts';
import { nodeRules } from './facts/rules/node.ts';
import { sessionRules } from './facts/rules/sessions.ts';
import { throttlingRules } from './facts/rules/throttling.ts';
import { triedRules } from './facts/rules/tried.ts';
import { workloadRules } from './facts/rules/workloads.ts';
import { silenceOf } from './facts/silent.ts';
import { numberIn } from './facts/words.ts';
import type { Incident } from './incident.ts';

/** In this order a fact is asked about; the first rule that says something ends it. What people tried comes first. */
const rules: readonly FactRule[] = [
  ...triedRules,
  ...throttlingRules,
  ...cgroupRules,
  ...kubeletRules,
  ...sessionRules,
  ...containerRules,
  ...workloadRules,
  ...agentRules,
  ...kernelRules,
  ...nodeRules,
  ...courseRules,
  ...messageRules,
];

const probeNames = Object.keys(Evidence.shape.probes.shape);

/** What became of a fact: part of the evidence, nothing for a reason, or nothing that anybody thought of. */
export type Told = { name: string; as: 'evidence' | 'silence' | 'unknown'; because?: string };

export type Mapped = { evidence: Evidence; told: Told[] };

/** The evidence that a report amounts to. What it does not say stays a gap. */
export function evidenceOf({
  id,
  year,
  platform,
  facts,
}: Pick<Incident, 'id' | 'year' | 'platform' | 'facts'>): Mapped {
  const draft = newDraft();
  tellPlatform(platform, draft);
  const views = facts.map(viewOf);
  // Another reporter fills in only what the first one does not say.
  const inOrder = [...views.filter((view) => !view.secondary), ...views.filter((view) => view.secondary)];
  const fates = new Map(inOrder.map((view) => [view, tell(view, draft)]));
  finish(draft);
  const read = readEvidence(JSON.stringify(evidenceFrom(draft, year)));
  if (!read.ok) throw new Error(`${id}: ${read.error}`);
  return { evidence: read.evidence, told: views.flatMap((view) => fates.get(view) ?? []) };
}

function tell(view: FactView, draft: Draft): Told {
  const { name, subject } = view;
  for (const rule of rules) {
    const found = rule.about.exec(subject);
    if (found !== null && rule.tell(view, draft, found)) return { name, as: 'evidence' };
  }
  const because = silenceOf(name) ?? silenceOf(subject);
  return because === undefined ? { name, as: 'unknown' } : { name, as: 'silence', because };
}

function tellPlatform(platform: Incident['platform'], draft: Draft): void {
  const { kernel, os, kubernetes, cgroupVersion, systemd, runtime, uptimeDays, memoryGiB, cpus } = platform;
  const host = {
    kernel,
    os,
    systemdVersion: systemd == null ? null : (numberIn(systemd) ?? null),
    uptimeSeconds: uptimeDays == null ? null : Math.round(uptimeDays * 86_400),
    cpus,
  };
  if (Object.values(host).some((value) => value != null)) say(draft, 'host', host);
  if (cgroupVersion != null) say(draft, 'hierarchy', { memory: `v${cgroupVersion}` });
  if (kubernetes != null) say(draft, 'kubelet', { version: kubernetes });
  if (runtime != null) {
    const [name = null, version = null] = runtime.split(/[\s,]+/);
    say(draft, 'containers', {
      runtime: name,
      runtimeVersion: version,
      runc: /runc ([\d.]+)/.exec(runtime)?.[1],
    });
  }
  if (memoryGiB != null)
    say(draft, 'observations', { memory: { totalKb: Math.round(memoryGiB * 1024 ** 2) } });
}

function evidenceFrom({ probes, missing }: Draft, year: number): unknown {
  const ok = Object.entries(probes).map(([name, value]) => [name, fitting(name as ProbeName, told(value))]);
  const gaps = Object.entries(missing).map(([name, reason]) => [name, { status: 'missing', reason }]);
  const others = { status: 'missing', reason: 'the report is silent about it' };
  return {
    version: 1,
    document: 'collect-evidence',
    profile: 'full',
    collectedAt: `${year}-01-01T00:00:00Z`,
    probes: {
      ...Object.fromEntries(probeNames.map((name) => [name, others])),
      ...Object.fromEntries([...ok, ...gaps]),
    },
  };
}

/** What a report says may be more, or less, than a probe can: then it is a gap, with what does not fit. */
function fitting(name: ProbeName, value: unknown): unknown {
  const probe = { status: 'ok', value };
  const read = Evidence.shape.probes.shape[name].safeParse(probe);
  if (read.success) return probe;
  const [issue] = read.error.issues;
  return {
    status: 'failed',
    reason: `what the report says does not fit: ${issue?.path.join('.')}: ${issue?.message}`,
  };
}

/** Without what is not known, for the schema to call it unknown. */
function told(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, part) => (part === undefined ? null : part)));
}
