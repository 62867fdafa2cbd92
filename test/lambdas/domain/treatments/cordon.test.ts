import { describe, expect, it } from 'vitest';
import { planFor } from '../../../../lambdas/domain/plan.ts';
import { cordon } from '../../../../lambdas/domain/treatments/cordon.ts';
import { clusterWith, evidenceWith, missing } from '../sample-evidence.ts';

const open = { api: { access: 'public' }, replacement: { enabled: true } };
const cycle = (variant: string) => ({ cause: 'kubelet-oom-cycle' as const, variant, findings: [] });
const kubelet = {
  status: 'ok',
  value: {
    unit: 'kubelet.service',
    active: 'active',
    sub: 'running',
    result: 'success',
    rssKb: 900 * 1024,
    startedSecondsAgo: 90_000,
  },
};
const ladder = (settings: Record<string, unknown>, variant = 'climbing') =>
  planFor(
    { ...cycle(variant), confidence: 1, alsoPossible: [], gaps: [], explanation: '' } as never,
    evidenceWith({ kubelet, kubeletMetrics: missing }),
    clusterWith(settings),
  );

describe('cordon', () => {
  it('is the first rung of an active cycle, asks, takes a place, and needs no document', () => {
    const { plan } = ladder(open);
    expect(plan.map(({ treatment }) => treatment)).toEqual([
      'cordon',
      'restart-kubelet',
      'replace-node',
      'notify',
    ]);
    expect(plan[0]).toMatchObject({
      kind: 'cordon',
      risk: 'medium',
      needs: 'approval',
      disrupts: true,
      standing: false,
    });
    expect(plan[0]).not.toHaveProperty('document');
  });

  it.each(['climbing', 'killed', 'storm'])('has something to do while it is %s', (variant) => {
    expect(cordon.propose(evidenceWith(), clusterWith(open), cycle(variant))).toHaveProperty('reason');
  });

  it('has nothing to do once the kubelet is quiet, or where nothing may cordon, and says so', () => {
    expect(cordon.propose(evidenceWith(), clusterWith(open), cycle('settling'))).toEqual({
      nothing: 'the kubelet runs again and is quiet: new pods do no harm',
    });
    const { plan, leftOut } = ladder({});
    expect(plan.map(({ treatment }) => treatment)).toEqual(['restart-kubelet', 'notify']);
    expect(leftOut.map(({ treatment }) => treatment)).toContain('cordon');
  });
});

describe('the kubelet', () => {
  it('is restarted on a cordoned node where that is possible, and is not waited for as long', () => {
    const [, restart] = ladder(open).plan;
    expect(restart).toMatchObject({ cordons: true, arguments: { maxSeconds: '120' } });
    expect(restart?.reason).toContain('the node is cordoned from before it until it is Ready again');
  });

  it('is restarted as it is elsewhere, and its reason says that the node is not cordoned', () => {
    const [restart] = ladder({}).plan;
    expect(restart).not.toHaveProperty('cordons');
    expect(restart?.reason).toContain('the node is not cordoned by it, for nothing here may');
  });
});
