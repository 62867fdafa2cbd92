import { describe, expect, it } from 'vitest';
import { CauseId } from '../../../lambdas/domain/causes/cause-id.ts';
import { diagnose } from '../../../lambdas/domain/diagnosis.ts';
import type { Evidence } from '../../../lambdas/domain/evidence/evidence.ts';
import { planFor } from '../../../lambdas/domain/plan.ts';
import { forbiddenPairs, forbids } from '../../../lambdas/domain/treatments/forbidden.ts';
import { treatments } from '../../../lambdas/domain/treatments/index.ts';
import { cgroups, clusterWith, evidenceWith, loopingAgent, missing, slices } from './sample-evidence.ts';

const slice = { slices: '/user.slice' };

describe('the table of what is forbidden', () => {
  it.each<[CauseId, string, Record<string, string>]>([
    ['leaked-scopes', 'reclaim', slice],
    ['kubelet-leak', 'reclaim', slice],
    ['cpu-quota-throttling', 'drop-caches', {}],
    ['session-churn', 'drop-caches', {}],
    ['dying-memcgs', 'restart-kubelet', {}],
    ['memcg-id-exhaustion', 'restart-kubelet', {}],
    ['workload-leak', 'restart-kubelet', {}],
    ['dying-memcgs', 'disable-agent', { unit: 'ecs.service' }],
    ['agent-leak', 'disable-agent', { unit: 'ecs.service' }],
    ['kubelet-leak', 'stop-scopes', {}],
    ['dying-memcgs', 'prune-containers', {}],
    ['healthy', 'reclaim', slice],
    ['inconclusive', 'reclaim', slice],
  ])('keeps from %s: %s', (cause, treatment, args) => {
    expect(forbids(cause, treatment, args, evidenceWith({ agents: loopingAgent() }))).toBeTypeOf('string');
  });

  it('leaves every treatment that is listed for a cause to that cause', () => {
    for (const { id, treats } of treatments) {
      const taken = forbiddenPairs.filter(
        ({ treatment, causes }) => treatment === id && treats.some((cause) => causes.includes(cause)),
      );
      expect(taken).toEqual([]);
    }
  });

  it('lets people be told whatever it is', () => {
    for (const cause of CauseId.options) expect(forbids(cause, 'notify', {}, undefined)).toBeUndefined();
  });

  it.each<[string, Record<string, unknown>, boolean]>([
    ['that nothing needs', {}, true],
    ['that something requires', { requiredBy: ['a.service'] }, false],
    ['that manages containers', { containers: 2 }, false],
    ['that something wants', { wantedBy: ['b.service'] }, false],
    ['of which nobody knows', { unit: 'other.service' }, false],
  ])('lets an agent be disabled %s: %j', (_, change, allowed) => {
    const evidence = evidenceWith({ agents: loopingAgent(change) });
    const why = forbids('orphaned-agent', 'disable-agent', { unit: 'ecs.service' }, evidence);

    expect(why === undefined).toBe(allowed);
    expect(forbids('orphaned-agent', 'disable-agent', {}, evidence)).toBe('it names no unit');
  });

  it.each<[string, Evidence | undefined]>([
    ['nobody asked systemd', evidenceWith({ agents: missing })],
    ['there is no evidence', undefined],
  ])('lets no agent be disabled where %s', (_, evidence) => {
    expect(forbids('orphaned-agent', 'disable-agent', { unit: 'ecs.service' }, evidence)).toBe(
      'the evidence does not say whether anything needs ecs.service',
    );
  });

  it.each([
    'kubelet.service',
    'containerd.service',
    'amazon-ssm-agent.service',
    'sshd.service',
    'systemd-logind.service',
  ])('never touches %s', (unit) => {
    expect(forbids('orphaned-agent', 'contain-unit', { unit }, evidenceWith())).toBe(
      `${unit} is never touched`,
    );
    expect(forbids('agent-leak', 'contain-unit', { unit: 'ecs.service' }, evidenceWith())).toBeUndefined();
  });

  it.each([
    ['', 'it names no slice'],
    ['/', 'the root of the hierarchy'],
    ['/user.slice /user.slice/user-0.slice', 'one slice contains another'],
  ])('lets nobody reclaim in "%s"', (paths, why) => {
    expect(forbids('dying-memcgs', 'reclaim', { slices: paths }, evidenceWith())).toContain(why);
  });

  it('is obeyed by the plan: a treatment that is forbidden for the cause is left out', () => {
    const evidence = evidenceWith({
      cgroups: cgroups(100, 20_000),
      slices: slices({ path: '/user.slice', dying: 20_000 }),
    });
    const cluster = clusterWith();
    const found = diagnose(evidence, cluster.thresholds);
    const reclaim = treatments.find(({ id }) => id === 'reclaim');
    if (reclaim === undefined) throw new Error('no reclaim');
    const treated = reclaim.treats as CauseId[];
    treated.push('leaked-scopes');
    try {
      const plan = (cause: CauseId) =>
        planFor({ ...found, cause }, evidence, cluster).plan.map((rung) => rung.treatment);

      expect(plan('dying-memcgs')).toContain('reclaim');
      expect(plan('leaked-scopes')).not.toContain('reclaim');
    } finally {
      treated.pop();
    }
  });
});
