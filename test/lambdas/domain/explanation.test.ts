import { describe, expect, it } from 'vitest';
import type { Approval } from '../../../lambdas/domain/approval/approval.ts';
import { cardOf, cardText } from '../../../lambdas/domain/approval/card.ts';
import { callForHelp } from '../../../lambdas/domain/call-for-help.ts';
import { type Diagnosis, diagnose } from '../../../lambdas/domain/diagnosis.ts';
import { explanationLines } from '../../../lambdas/domain/explanation.ts';
import type { RungResult } from '../../../lambdas/domain/incident-state.ts';
import { planFor } from '../../../lambdas/domain/plan.ts';
import type { Rung } from '../../../lambdas/domain/treatments/treatment.ts';
import { sampleApproval } from './approval/sample-approval.ts';
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

function approvalOf(rung: Rung): Approval {
  return sampleApproval({ rung });
}

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

  it('says which cause a finding speaks for or against where those of several stand together', () => {
    const unknown = diagnose(
      evidenceWith({ cgroups: cgroups(100, 1000), slices: slices({ path: '/system.slice', dying: 1000 }) }),
      cluster.thresholds,
    );
    const lines = explanationLines(unknown, []);

    expect(unknown.cause).toBe('inconclusive');
    const at = lines.indexOf('  dying-memcgs:');
    expect(lines[at + 1]).toMatch(/^ {4}against: dying memory cgroups 1000 \(threshold 2000\)/);
    const healthyAt = lines.indexOf('  healthy:');
    expect(lines[healthyAt + 1]).toMatch(/^ {4}against: dying memory cgroups 1000 \(threshold 300\)/);
  });

  it('says why a cause comes before one that is surer', () => {
    const producer: Diagnosis = {
      ...full,
      cause: 'session-churn',
      confidence: 0.6,
      alsoPossible: [{ cause: 'dying-memcgs', confidence: 0.9 }],
    };

    expect(explanationLines(producer, [])).toContain(
      '  dying-memcgs (confidence 0.9); session-churn comes first, because it would produce what is surer',
    );
    expect(explanationLines({ ...producer, confidence: 0.95 }, [])).toContain(
      '  dying-memcgs (confidence 0.9)',
    );
  });

  it('is what the card of an approval and a call for help carry', () => {
    const [rung] = plan;
    if (rung === undefined) throw new Error('no rung');
    const card = cardText(
      cardOf(approvalOf(rung), {
        diagnosis: full,
        plan,
        ladder: { index: 0, status: 'rung' },
        results: [],
        leftOut: [],
      }),
    );
    const help = callForHelp(openedState({ diagnosis: full, plan }));
    const lines = explanationLines(full, plan).join('\n');

    expect(card.text).toContain(lines);
    expect(card.text).toMatch(/^To approve: reclaim, risk low/);
    expect(card.text).toContain('Nothing was tried on this node before.');
    expect(help.text).toContain(lines);
  });

  it('begins on a card of a later rung with what was tried, and what came of it', () => {
    const [reclaim, ...rest] = plan;
    if (reclaim === undefined) throw new Error('no rung');
    const tried: RungResult = {
      treatment: 'reclaim',
      arguments: {},
      risk: 'low',
      status: 'done',
      reason: 'it ran to its end',
      result: {
        changed: true,
        before: { dying: 4600 },
        after: { dying: 5000 },
        details: { slices: [{ path: '/system.slice', stopped: 'pressure' }] },
      },
      verification: {
        cured: false,
        verdict: 'not-cured',
        harmed: true,
        findings: [
          { fact: 'time stalled', value: 38.2, threshold: 0.12, speaks: 'against', source: 's' },
          { fact: 'kubelet', value: 'well', speaks: 'for', source: 's' },
        ],
        samples: [],
      },
    };
    const card = cardText(
      cardOf(
        { ...approvalOf(reclaim), rung: { ...reclaim, treatment: 'drop-caches' } },
        { diagnosis: full, plan, ladder: { index: 1, status: 'rung' }, results: [tried], leftOut: [] },
      ),
    );

    expect(card.text).toContain(
      [
        'What was tried before this:',
        '  reclaim: not-cured (it ran to its end)',
        '    counted on the node just before and after: dying 4600 → 5000',
        '    it ended with: pressure (/system.slice)',
        '    against a cure: time stalled 38.2 (limit 0.12)',
        'What follows is of the node as it was before that.',
      ].join('\n'),
    );
    // What was tried is not what we would do.
    expect(card.text).toContain(explanationLines(full, rest).join('\n'));
    expect(callForHelp(openedState({ diagnosis: full, plan, results: [tried] })).text).toContain(
      'it ended with: pressure (/system.slice)',
    );
  });
});
