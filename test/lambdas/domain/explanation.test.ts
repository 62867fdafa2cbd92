import { describe, expect, it } from 'vitest';
import { approvalCard } from '../../../lambdas/domain/approval/card.ts';
import { callForHelp } from '../../../lambdas/domain/call-for-help.ts';
import { type Diagnosis, diagnose } from '../../../lambdas/domain/diagnosis.ts';
import { explanationLines } from '../../../lambdas/domain/explanation.ts';
import { planFor } from '../../../lambdas/domain/plan.ts';
import { cgroups, clusterWith, evidenceWith, missing, slices } from './sample-evidence.ts';
import { openedState } from './sample-state.ts';

const cluster = clusterWith();
const evidence = evidenceWith({
  cgroups: cgroups(100, 20_000),
  slices: slices({ path: '/system.slice', dying: 20_000 }),
  console: missing,
});
const found = diagnose(evidence, cluster.thresholds);
const { plan } = planFor(found, evidence, cluster);
const full: Diagnosis = {
  ...found,
  variant: 'pods',
  alsoPossible: [{ cause: 'kubelet-leak', variant: 'other', confidence: 0.4 }],
  shadow: [{ cause: 'workload-leak', confidence: 0.7 }],
  prevention: [{ what: 'Use cgroup v2', where: 'the AMI', because: 'cgroup v1' }],
};

describe('the explanation for a person', () => {
  it('says what is wrong, how we know, what not, what we would do, what it costs, and how to prevent it', () => {
    const lines = explanationLines(full, plan);

    expect(lines.filter((line) => !line.startsWith('  '))).toEqual([
      `What is wrong: dying-memcgs, pods, confidence ${full.confidence}`,
      'How we know:',
      'What we do not know:',
      'Also possible:',
      'Rules that only watch say:',
      'What we would do:',
      'If nothing is done:',
      'So that it does not come back:',
    ]);
    expect(lines).toContain(`  ${full.explanation}`);
    expect(lines).toContain(
      '  for: dying memory cgroups 20000 (threshold 2000) [settings thresholds.dyingCount; counted from cgroup.stat]',
    );
    expect(lines).toContain('  console: not there');
    expect(lines).toContain('  kubelet-leak, other (confidence 0.4)');
    expect(lines).toContain('  workload-leak (confidence 0.7); nothing is done about that');
    expect(lines.join('\n')).toContain('  reclaim (risk low, by policy auto): /system.slice hold');
    expect(lines.join('\n')).toContain('Expected: at most 2000 dying memory cgroups');
    expect(lines).toContain(`  ${full.untreated}`);
    expect(lines).toContain('  Use cgroup v2 (the AMI), for cgroup v1');
  });

  it('has no part in which there is nothing to say, and says when there is nothing to do', () => {
    const healthy = diagnose(evidenceWith(), cluster.thresholds);
    const titles = explanationLines({ ...healthy, untreated: '' }, []).filter(
      (line) => !line.startsWith('  '),
    );

    expect(titles).toEqual([
      `What is wrong: healthy, confidence ${healthy.confidence}`,
      'How we know:',
      'What we would do:',
    ]);
    expect(explanationLines(healthy, [])).toContain('  nothing');
  });

  it('is what the card of an approval and a call for help carry', () => {
    const [rung] = plan;
    if (rung === undefined) throw new Error('no rung');
    const at = '2026-11-21T06:00:00.000Z';
    const card = approvalCard(
      {
        version: 1,
        id: 'a',
        incident: 'i',
        cluster: 'prod',
        instanceId: 'i-0123456789abcdef0',
        cohort: null,
        rung,
        evidenceDigest: 'd',
        requestedBy: null,
        quorum: 1,
        createdAt: at,
        expiresAt: at,
        status: 'pending',
        decisions: [],
      },
      full,
      plan,
    );
    const help = callForHelp(openedState({ diagnosis: full, plan }));
    const lines = explanationLines(full, plan).join('\n');

    expect(card.text).toContain(lines);
    expect(card.text).toContain('To approve: reclaim, risk low');
    expect(help.text).toContain(lines);
  });
});
