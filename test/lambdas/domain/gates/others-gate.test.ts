import { describe, expect, it } from 'vitest';
import { type Marks, othersGate } from '../../../../lambdas/domain/gates/others-gate.ts';
import type { Rung } from '../../../../lambdas/domain/treatments/treatment.ts';

const incident = 'prod-i-0123456789abcdef0-1764312000';
const unmarked = { taints: [], unschedulable: false, deleting: false, cordonedBy: null };
const ask = (marks: Marks, rung: Partial<Pick<Rung, 'kind' | 'risk'>> = {}, approved = false) =>
  othersGate(marks, { rung: { kind: 'document', risk: 'low', ...rung }, approved, incident });
const tainted = (key: string) => ({ ...unmarked, taints: [{ key, value: '', effect: 'NoSchedule' }] });

describe('the gate for others at work', () => {
  it('lets a node be treated that nobody has marked, also with taints that only keep pods away', () => {
    expect(ask(unmarked).decision).toBe('pass');
    expect(ask(tainted('nvidia.com/gpu')).decision).toBe('pass');
    // A candidate is not taken away yet, and perhaps never.
    expect(ask(tainted('DeletionCandidateOfClusterAutoscaler')).decision).toBe('pass');
  });

  it.each([
    ['karpenter.sh/disrupted', 'Karpenter'],
    ['karpenter.sh/disruption', 'Karpenter'],
    ['ToBeDeletedByClusterAutoscaler', 'the Cluster Autoscaler'],
    ['aws-node-termination-handler/spot-itn', 'Spot'],
    ['aws-node-termination-handler/asg-lifecycle-termination', 'its Auto Scaling group'],
    ['node.cloudprovider.kubernetes.io/shutdown', 'EC2'],
  ])('refuses with the taint %s, also what was approved, and says that it is %s', (key, who) => {
    for (const approved of [false, true]) {
      const { decision, reason } = ask(tainted(key), {}, approved);
      expect(decision).toBe('refuse');
      expect(reason).toContain(who);
      expect(reason).toContain(key);
    }
  });

  it('refuses a node that is being deleted', () => {
    expect(ask({ ...unmarked, deleting: true }, {}, true).decision).toBe('refuse');
  });

  it('asks a person about a node that somebody has cordoned', () => {
    const cordoned = { ...unmarked, unschedulable: true };

    expect(ask(cordoned)).toMatchObject({ decision: 'ask', reason: expect.stringContaining('cordoned') });
    expect(ask(cordoned, {}, true)).toMatchObject({
      decision: 'pass',
      reason: expect.stringContaining('a person approved it, although'),
    });
  });

  it('knows the cordon of its own incident, and names another incident that has cordoned the node', () => {
    const cordoned = (cordonedBy: string) => ({ ...unmarked, unschedulable: true, cordonedBy });

    expect(ask(cordoned(incident), { kind: 'replace', risk: 'high' })).toMatchObject({
      decision: 'pass',
      reason: 'this incident itself has cordoned the node',
    });
    expect(ask(cordoned('prod-another'))).toMatchObject({
      decision: 'ask',
      reason: 'another incident has cordoned this node: prod-another',
    });
  });

  it('asks where it could not be learnt, but for what harms nobody', () => {
    const gap = { gap: 'the API server: no answer' };

    expect(ask(gap, { risk: 'low' }).decision).toBe('pass');
    for (const risk of ['medium', 'high'] as const) {
      expect(ask(gap, { risk })).toMatchObject({
        decision: 'ask',
        reason: expect.stringContaining('no answer'),
      });
      expect(ask(gap, { risk }, true).decision).toBe('pass');
    }
  });

  it('says that it does not know where the settings open no way to ask, and never keeps people from being told', () => {
    expect(ask({ notAsked: 'api.access is none' }, { risk: 'high' })).toEqual({
      gate: 'others',
      decision: 'pass',
      reason: 'who else is at work is not known: api.access is none',
    });
    expect(ask(tainted('karpenter.sh/disrupted'), { kind: 'notify' }).decision).toBe('pass');
  });
});
