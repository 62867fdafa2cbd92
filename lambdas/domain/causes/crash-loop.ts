import { type Agent, manyRestarts } from '../evidence/agents.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { probeValue } from '../evidence/probe.ts';
import { sliceAt } from '../evidence/producers.ts';
import type { Cluster } from '../settings.ts';
import type { Finding, Verdict } from './cause.ts';

export const unitFact = 'service that is started again and again';
const restartsFact = 'its restarts';
const heldFact = 'dying memory cgroups below /system.slice';

/** Whether a service in a crash loop fills the node with dying cgroups. `need` is what is known of who needs it. */
export function judgeLoop(
  evidence: Evidence,
  thresholds: Cluster['thresholds'],
  agent: Agent | undefined,
  need: (agent: Agent) => Finding,
): Verdict {
  if (probeValue(evidence.probes.agents) === undefined) {
    return { result: 'insufficient-evidence', needs: ['agents'], findings: [] };
  }
  if (agent === undefined) {
    const findings: Finding[] = [
      {
        fact: unitFact,
        value: 'none',
        threshold: manyRestarts,
        speaks: 'against',
        source: 'NRestarts of the host services',
      },
    ];
    return { result: 'excluded', findings };
  }
  const cgroups = probeValue(evidence.probes.cgroups);
  const findings: Finding[] = [
    {
      fact: unitFact,
      value: agent.unit,
      speaks: 'for',
      source: `${agent.active} (${agent.sub})`,
      weight: 0.3,
    },
    {
      fact: restartsFact,
      value: agent.restarts ?? 'not counted, and between two of them',
      threshold: manyRestarts,
      speaks: 'for',
      weight: agent.restarts === null ? 0.3 : 0.45,
      source: 'NRestarts since it was last started by hand',
    },
    need(agent),
  ];
  const disabled = probeValue(evidence.probes.observations)?.tried.find(
    ({ what }) => what === 'disable-agent',
  );
  if (disabled !== undefined) {
    findings.push({
      fact: 'disabling it helped',
      value: disabled.helped,
      speaks: disabled.helped ? 'for' : 'against',
      source: 'tried by hand',
      ...(disabled.helped ? { weight: 0.5 } : {}),
    });
  }
  // v1 has no count per slice; there the node's own has to do.
  const inSlice = sliceAt(evidence, '/system.slice')?.dying ?? undefined;
  // Where nobody looked at the slices, they may be anywhere: that makes nobody surer.
  const bySlice = sawWhose(evidence);
  const told = probeValue(evidence.probes.observations)?.cgroups.dying ?? undefined;
  const dying = inSlice ?? cgroups?.dying ?? told;
  if (dying === undefined) return { result: 'insufficient-evidence', needs: ['cgroups'], findings };
  const holds = dying >= thresholds.dyingFloor;
  findings.push({
    fact: inSlice === undefined ? 'dying memory cgroups of the node' : heldFact,
    value: dying,
    threshold: thresholds.dyingFloor,
    speaks: holds ? 'for' : 'against',
    ...(holds ? { weight: inSlice !== undefined ? 0.75 : bySlice ? 0.5 : 0 } : {}),
    source: 'settings thresholds.dyingFloor',
  });
  // A start leaves one at the most, so a service that was started less often made neither most of them nor ever too many:
  // any service is restarted now and then, and systemd gives up on a broken one after five starts.
  const most = Math.max(dying, thresholds.dyingFloor);
  if (agent.restarts !== null && agent.restarts < most / 2) {
    findings.push({
      fact: `share of ${holds ? 'them' : 'too many'} that its starts can have left`,
      value: Math.round((agent.restarts * 100) / most) / 100,
      threshold: 0.5,
      speaks: 'against',
      source: 'a start leaves one dying cgroup at the most',
    });
    return { result: 'excluded', findings };
  }
  return { result: 'matches', findings };
}

/** Whether it was seen whose dying cgroups they are: by slice, or all of them where the kernel does not count by slice. */
export function sawWhose(evidence: Evidence): boolean {
  if (evidence.probes.slices.status !== 'ok') return false;
  return sliceAt(evidence, '/system.slice')?.dying != null || evidence.probes.cgroups.status === 'ok';
}

/** The unit that a verdict of `judgeLoop` is about. */
export function loopingUnit(findings: Finding[]): string | undefined {
  const value = findings.find(({ fact, speaks }) => fact === unitFact && speaks === 'for')?.value;
  return value === undefined ? undefined : String(value);
}

export function loopExplanation(findings: Finding[]): string {
  const value = (fact: string) => findings.find((finding) => finding.fact === fact)?.value ?? 'unknown';
  const restarts = value(restartsFact);
  const often = typeof restarts === 'number' ? `again ${restarts} times` : 'again and again (nobody counted)';
  return `systemd has started ${value(unitFact)} ${often}, and each start can leave a dying memory cgroup.`;
}
