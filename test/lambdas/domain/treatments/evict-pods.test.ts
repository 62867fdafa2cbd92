import { describe, expect, it } from 'vitest';
import { planFor } from '../../../../lambdas/domain/plan.ts';
import { Replacement } from '../../../../lambdas/domain/settings/replacement.ts';
import { evictPods, reliefOf, settingsOfRelief } from '../../../../lambdas/domain/treatments/evict-pods.ts';
import { clusterWith, evidenceWith, missing } from '../sample-evidence.ts';

const open = (replacement: object = { evictFirst: 'best-effort' }) =>
  clusterWith({ api: { access: 'public' }, replacement: { enabled: true, ...replacement } });
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
const evidence = evidenceWith({ kubelet, kubeletMetrics: missing });
const cycle = (variant = 'climbing') => ({ cause: 'kubelet-oom-cycle' as const, variant, findings: [] });
const ladder = (cluster: ReturnType<typeof open>) =>
  planFor(
    { ...cycle(), confidence: 1, alsoPossible: [], gaps: [], explanation: '' } as never,
    evidence,
    cluster,
  );

describe('evict-pods', () => {
  it('comes between the cordon and the restart of the kubelet, and asks, by what is shipped', () => {
    const { plan } = ladder(open());
    expect(plan.map(({ treatment }) => treatment)).toEqual([
      'cordon',
      'evict-pods',
      'restart-kubelet',
      'replace-node',
      'notify',
    ]);
    expect(plan[1]).toMatchObject({
      kind: 'evict',
      risk: 'high',
      needs: 'approval',
      disrupts: true,
      arguments: { pods: 'best-effort', minutes: '3', most: '10', barePods: 'block', localData: 'block' },
    });
  });

  it('is on no ladder unless the settings say which pods may go, and why is said', () => {
    for (const replacement of [{}, { evictFirst: 'none' }]) {
      const { plan, leftOut } = ladder(open(replacement));
      expect(plan.map(({ treatment }) => treatment)).not.toContain('evict-pods');
      expect(leftOut).toContainEqual({
        treatment: 'evict-pods',
        reason: 'no pods may be evicted before the kubelet is restarted (replacement.evictFirst)',
      });
    }
  });

  it('says on its card which pods go, how many, and for how long', () => {
    const reasonOf = (replacement: object) => ladder(open(replacement)).plan[1]?.reason;
    expect(reasonOf({ evictFirst: 'best-effort', evictFirstMost: 4 })).toMatch(
      /^pods that ask for no memory or CPU .*BestEffort\) are evicted, 4 at the most and for 3 min at the most/,
    );
    expect(reasonOf({ evictFirst: 'best-effort' })).not.toContain('Burstable');
    expect(reasonOf({ evictFirst: 'without-limits' })).toMatch(/BestEffort.*no limit of memory.*Burstable/);
  });

  it('has nothing to do where the kubelet is not restarted after it, or nothing may evict', () => {
    for (const variant of ['killed', 'storm', 'settling']) {
      expect(evictPods.propose(evidence, open(), cycle(variant))).toEqual({
        nothing: expect.stringContaining('and there is none: the kubelet has been killed already'),
      });
    }
    const off = clusterWith({ replacement: { evictFirst: 'best-effort' } });
    expect(evictPods.propose(evidence, off, cycle())).toEqual({
      nothing: expect.stringContaining('replacement.enabled is false'),
    });
  });

  it('is done as it was approved, and not at all by arguments that do not say how', () => {
    expect(reliefOf({ pods: 'without-limits', minutes: '3', most: '10' })).toEqual({
      pods: 'without-limits',
      minutes: 3,
      most: 10,
    });
    expect(reliefOf({ pods: 'all', minutes: '3', most: '10' })).toBeUndefined();
    expect(reliefOf({ pods: 'best-effort', minutes: '3' })).toBeUndefined();
    expect(reliefOf({ pods: 'best-effort', minutes: '0', most: '10' })).toBeUndefined();
    const deployed = Replacement.parse({ barePods: 'evict', localData: 'evict' });
    expect(settingsOfRelief({ barePods: 'block', localData: 'evict' }, deployed)).toMatchObject({
      barePods: 'block',
      localData: 'evict',
    });
    expect(settingsOfRelief({}, deployed)).toMatchObject({ barePods: 'block', localData: 'block' });
  });
});
