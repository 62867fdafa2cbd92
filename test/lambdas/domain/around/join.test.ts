import { describe, expect, it } from 'vitest';
import { withAround, withoutNode } from '../../../../lambdas/domain/around/join.ts';
import { diagnose, diagnoseWithoutEvidence } from '../../../../lambdas/domain/diagnosis.ts';
import { AroundProbes, aroundProbes } from '../../../../lambdas/domain/evidence/around-probes.ts';
import { Evidence } from '../../../../lambdas/domain/evidence/evidence.ts';
import { planFor } from '../../../../lambdas/domain/plan.ts';
import { clusterWith, evidenceWith } from '../sample-evidence.ts';
import { now } from './objects.ts';

const consoleProbe = {
  status: 'ok' as const,
  value: { lines: 9, oomKills: 3, ofKubelet: 3, hungTasks: 0, cgroupNoSpace: 0, panics: 0, last: [] },
};
const around = AroundProbes.parse({
  console: consoleProbe,
  nodeStatus: { status: 'failed', reason: 'no right' },
});
const { thresholds } = clusterWith();

describe('evidence of a node that did not answer', () => {
  const evidence = withoutNode('the agent is silent', around, now);

  it('is what is known around it, with every question to the node itself a gap that says why', () => {
    expect(Evidence.parse(evidence)).toEqual(evidence);
    expect(evidence?.probes.console).toEqual(consoleProbe);
    expect(evidence?.probes.nodeStatus).toEqual({ status: 'failed', reason: 'no right' });
    const others = Object.entries(evidence?.probes ?? {}).filter(([name]) => !aroundProbes.includes(name));
    expect(others.length).toBeGreaterThan(20);
    for (const [, probe] of others)
      expect(probe).toEqual({ status: 'missing', reason: 'the agent is silent' });
  });

  it('has nothing on its ladder that would have to run on it', () => {
    const diagnosis = diagnose(evidence ?? evidenceWith(), thresholds);
    const { plan, leftOut } = planFor(diagnosis, evidence, clusterWith());

    expect(diagnosis.cause).toBe('kubelet-oom-cycle');
    expect(plan.map(({ treatment }) => treatment)).toEqual(['notify']);
    expect(leftOut).toContainEqual({
      treatment: 'restart-kubelet',
      reason: 'the kubelet has been killed already: one more start begins the cycle anew',
    });
  });

  it('says by itself that nothing can be run there, whatever is wrong', () => {
    const leak = { ...diagnose(evidence ?? evidenceWith(), thresholds), cause: 'kubelet-leak' as const };

    expect(planFor(leak, evidence, clusterWith())).toMatchObject({
      plan: [{ treatment: 'notify' }],
      leftOut: [
        {
          treatment: 'restart-kubelet',
          reason: 'nothing can be run on a node that does not answer (the agent is silent)',
        },
        { treatment: 'replace-node', reason: expect.stringMatching(/^replacement\.enabled is false/) },
      ],
    });
  });

  it('is never health', () => {
    const quiet = withoutNode('the agent is silent', AroundProbes.parse(evidenceWith().probes), now);
    expect(quiet && diagnose(quiet, thresholds).cause).toBe('inconclusive');
  });

  it('says one reason once for each way to get what is missing, however many gaps it makes', () => {
    const quiet = { ...consoleProbe, value: { ...consoleProbe.value, oomKills: 0, ofKubelet: 0 } };
    const silent = withoutNode('the agent is silent', AroundProbes.parse({ console: quiet }), now);
    const { explanation } = diagnose(silent ?? evidenceWith(), thresholds);
    const ways = explanation.split('To collect next:\n')[1]?.split('\n') ?? [];

    expect(ways.map((way) => way.split('the agent is silent').length - 1)).toEqual([0, 1, 1, 1, 0]);
    expect(explanation.split('the agent is silent')).toHaveLength(1 + 3);
  });

  it.each([
    ['nobody has looked', undefined],
    ['every look is a gap', AroundProbes.parse({ trend: { status: 'failed', reason: 'throttled' } })],
  ])('is none where %s', (_, known) => {
    expect(withoutNode('the agent is silent', known, now)).toBeUndefined();
  });
});

describe('a diagnosis without any evidence', () => {
  it('names what could not be read around the node either', () => {
    const gaps = [{ probe: 'trend', reason: 'throttled' }];
    const diagnosis = diagnoseWithoutEvidence({ probe: 'evidence', reason: 'silent' }, gaps);
    expect(diagnosis).toMatchObject({
      cause: 'inconclusive',
      gaps: [{ probe: 'evidence' }, { probe: 'trend' }],
    });
  });
});

describe('evidence of a node that answered', () => {
  it('has what is known around it in place of the gaps', () => {
    const answered = Evidence.parse({
      ...evidenceWith(),
      probes: { cgroups: evidenceWith().probes.cgroups },
    });
    const joined = withAround(answered, around);

    expect(joined.probes.console).toEqual(consoleProbe);
    expect(joined.probes.cgroups).toEqual(answered.probes.cgroups);
    expect(withAround(answered, undefined)).toBe(answered);
  });
});
