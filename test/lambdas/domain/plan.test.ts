import { describe, expect, it } from 'vitest';
import { CauseId } from '../../../lambdas/domain/causes/cause-id.ts';
import { diagnose, diagnoseWithoutEvidence } from '../../../lambdas/domain/diagnosis.ts';
import type { Evidence } from '../../../lambdas/domain/evidence/evidence.ts';
import { planFor } from '../../../lambdas/domain/plan.ts';
import { cgroups, clusterWith, evidenceWith, missing, slices } from './sample-evidence.ts';

function planOf(evidence: Evidence, settings: Record<string, unknown> = {}) {
  return ladderOf(evidence, settings).plan;
}

function ladderOf(evidence: Evidence | undefined, settings: Record<string, unknown> = {}) {
  const cluster = clusterWith(settings);
  const gap = { probe: 'evidence', reason: 'no answer' };
  const diagnosis =
    evidence === undefined ? diagnoseWithoutEvidence(gap) : diagnose(evidence, cluster.thresholds);
  return planFor(diagnosis, evidence, cluster);
}

const leaking = (...entries: Parameters<typeof slices>) =>
  evidenceWith({ cgroups: cgroups(100, 20_000), slices: slices(...entries) });

const notReplaced = {
  treatment: 'replace-node',
  reason: expect.stringMatching(/^replacement\.enabled is false/),
};

describe('planFor', () => {
  it('reclaims in the deepest slice that holds nearly all, then calls a person', () => {
    const plan = planOf(
      leaking({ path: '/user.slice', dying: 20_000 }, { path: '/user.slice/user-0.slice', dying: 19_500 }),
    );

    expect(plan.map((rung) => [rung.treatment, rung.needs])).toEqual([
      ['reclaim', 'auto'],
      ['drop-caches', 'approval'],
      ['notify', 'auto'],
    ]);
    expect(plan[0]?.arguments.slices).toBe('/user.slice/user-0.slice');
    expect(plan[0]?.expects.atMost).toBe(2000);
    expect(plan[0]?.reason).not.toContain('leave it out');
  });

  it('says what carries a rung out, what takes it back, and what it is told', () => {
    const [reclaim, dropCaches, notify] = planOf(leaking({ path: '/user.slice', dying: 20_000 }));
    const once = { standing: false, onceStopped: false };

    expect(reclaim).toMatchObject({
      ...once,
      document: 'reclaim',
      undoDocument: 'reclaim-restore',
      namesItsApproval: false,
    });
    expect(dropCaches).toMatchObject({ ...once, document: 'drop-caches', namesItsApproval: true });
    expect(dropCaches).not.toHaveProperty('undoDocument');
    expect(notify).not.toHaveProperty('document');
  });

  it.each([
    [18_000, '/user.slice/a'],
    [17_999, '/user.slice'],
  ])('names a child that holds %d of 20,000, nine tenths, or not: %s', (dying, named) => {
    const plan = planOf(leaking({ path: '/user.slice', dying: 20_000 }, { path: '/user.slice/a', dying }));

    expect(plan[0]?.arguments.slices).toBe(named);
  });

  it('names a parent instead of a child that holds only part', () => {
    const plan = planOf(
      leaking({ path: '/user.slice', dying: 20_000 }, { path: '/user.slice/a', dying: 9_000 }),
    );

    expect(plan[0]?.arguments.slices).toBe('/user.slice');
  });

  it('goes by ghost bytes on cgroup v1, and never names a slice inside another', () => {
    const plan = planOf(
      leaking(
        { path: '/system.slice', ghostKb: 9000 },
        { path: '/user.slice', ghostKb: 5000 },
        { path: '/user.slice/user-0.slice', ghostKb: 80_000 },
      ),
    );

    expect(plan[0]?.arguments.slices).toBe('/system.slice /user.slice');
  });

  it.each(['v1', 'v2'] as const)('says on cgroup %s what the living pay for a reclaim', (memory) => {
    const hierarchy = { status: 'ok', value: { memory, layout: 'legacy', mount: '/sys/fs/cgroup/memory' } };
    const held = { path: '/system.slice', ...(memory === 'v1' ? { ghostKb: 9000 } : { dying: 20_000 }) };
    const [rung] = planOf(evidenceWith({ hierarchy, cgroups: cgroups(100, 20_000), slices: slices(held) }));

    expect(rung?.treatment).toBe('reclaim');
    expect(rung?.reason.includes('lose their page cache as well')).toBe(memory === 'v1');
  });

  it('says which holders the settings leave out', () => {
    const [rung] = planOf(
      leaking({ path: '/user.slice', dying: 12_000 }, { path: '/kubepods.slice', dying: 8000 }),
    );

    expect(rung?.arguments.slices).toBe('/user.slice');
    expect(rung?.reason).toContain('/kubepods.slice may hold more, and settings reclaim.slices leave it out');
  });

  it('asks a person where the kernel does not tell its memory pressure', () => {
    const pressure = { status: 'missing' as const, reason: 'PSI is off' };
    const blind = {
      cgroups: cgroups(100, 20_000),
      slices: slices({ path: '/user.slice', dying: 20_000 }),
      pressure,
    };
    const [rung] = planOf(evidenceWith(blind));
    const [unlimited] = planOf(evidenceWith(blind), { reclaim: { psiFullLimit: 0 } });

    expect(rung).toMatchObject({
      risk: 'medium',
      needs: 'approval',
      arguments: { psiFullLimit: '0', ioFullLimit: '0' },
    });
    expect(rung?.reason).toContain('does not tell its memory pressure');
    expect(unlimited).toMatchObject({ risk: 'low', needs: 'auto' });
  });

  it('keeps the limits of the settings for memory and IO pressure where the kernel tells them', () => {
    const evidence = leaking({ path: '/user.slice', dying: 20_000 });

    expect(planOf(evidence)[0]?.arguments).toMatchObject({ psiFullLimit: '20', ioFullLimit: '20' });
    expect(planOf(evidence, { reclaim: { psiFullLimit: 10, ioFullLimit: 0 } })[0]?.arguments).toMatchObject({
      psiFullLimit: '10',
      ioFullLimit: '0',
    });
  });

  it('leaves alone what holds no more than any node does', () => {
    const byCount = leaking({ path: '/user.slice', dying: 20_000 }, { path: '/init.scope', dying: 29 });
    const byBytes = leaking({ path: '/user.slice', ghostKb: 80_000 }, { path: '/init.scope', ghostKb: 1023 });

    expect(planOf(byCount)[0]?.arguments.slices).toBe('/user.slice');
    expect(planOf(byBytes)[0]?.arguments.slices).toBe('/user.slice');

    const count = leaking({ path: '/user.slice', dying: 20_000 }, { path: '/init.scope', dying: 30 });
    const bytes = leaking({ path: '/user.slice', ghostKb: 80_000 }, { path: '/init.scope', ghostKb: 1024 });

    expect(planOf(count)[0]?.arguments.slices).toBe('/user.slice /init.scope');
    expect(planOf(bytes)[0]?.arguments.slices).toBe('/user.slice /init.scope');
  });

  it('names those first that hold most, and of equals always the same', () => {
    const named = (...entries: Parameters<typeof slices>) => planOf(leaking(...entries))[0]?.arguments.slices;
    const [few, many, alike] = [
      { path: '/init.scope', dying: 40 },
      { path: '/user.slice', dying: 9000 },
      { path: '/system.slice', dying: 9000 },
    ];

    expect(named(few, many, alike)).toBe('/system.slice /user.slice /init.scope');
    expect(named(alike, many, few)).toBe('/system.slice /user.slice /init.scope');
  });

  it('expects no more of a reclaim than a healthy node shows', () => {
    const evidence = evidenceWith({
      cgroups: cgroups(100, 2100),
      slices: slices({ path: '/user.slice', dying: 2000 }),
    });

    expect(planOf(evidence)[0]?.expects.atMost).toBe(300);
  });

  it('names at most as many slices as the document takes, the largest', () => {
    const entries = Array.from({ length: 25 }, (_, n) => ({ path: `/user.slice/${n}`, dying: 900 - n }));
    const paths = planOf(leaking(...entries.toReversed()))[0]?.arguments.slices?.split(' ');

    expect(paths).toEqual(entries.slice(0, 20).map(({ path }) => path));
  });

  it('never names the root of the hierarchy, but what is below it', () => {
    const root = { path: '/', dying: 20_000 };

    expect(planOf(leaking(root)).map((rung) => rung.treatment)).not.toContain('reclaim');
    expect(planOf(leaking(root, { path: '/user.slice', dying: 9000 }))[0]?.arguments.slices).toBe(
      '/user.slice',
    );
  });

  it('leaves the pods alone unless the settings name their slice', () => {
    const evidence = leaking({ path: '/kubepods.slice', dying: 20_000 });

    expect(planOf(evidence).map((rung) => rung.treatment)).not.toContain('reclaim');
    expect(planOf(evidence, { reclaim: { slices: ['/kubepods.slice'] } })[0]?.arguments.slices).toBe(
      '/kubepods.slice',
    );
  });

  it('is not fooled by a slice whose name merely begins like an allowed one', () => {
    const evidence = leaking({ path: '/user.slice-evil', dying: 20_000 });

    expect(planOf(evidence).map((rung) => rung.treatment)).not.toContain('reclaim');
  });

  it.each([
    ['approve', 'approval'],
    ['never', 'never'],
  ])('follows a policy of %s for the treatment', (need, expected) => {
    const plan = planOf(leaking({ path: '/user.slice', dying: 20_000 }), {
      policy: { treatments: { reclaim: need } },
    });

    expect(plan[0]).toMatchObject({ treatment: 'reclaim', needs: expected });
  });

  it('has nothing to do on a healthy node', () => {
    expect(planOf(evidenceWith())).toEqual([]);
  });

  it('only calls a person where the cause is not known', () => {
    expect(planOf(evidenceWith({ cgroups: cgroups(100, 900) })).map((rung) => rung.treatment)).toEqual([
      'notify',
    ]);
  });

  it.each<[string, Evidence | undefined, Record<string, unknown>, string, RegExp]>([
    [
      'its slices are not allowed',
      leaking({ path: '/kubepods.slice', dying: 20_000 }),
      {},
      'reclaim',
      /^the dying cgroups are in \/kubepods\.slice, and settings reclaim\.slices allow only \/user\.slice, /,
    ],
    ['there is nothing to reclaim', leaking(), {}, 'reclaim', /^no slice is seen to hold enough of them/],
    [
      'only the root is seen to hold them',
      leaking({ path: '/', dying: 20_000 }),
      { reclaim: { slices: [] } },
      'reclaim',
      /^no slice is seen to hold enough of them: 30 dying cgroups/,
    ],
  ])(
    'says why a treatment of the cause is not on the ladder: %s',
    (_, evidence, settings, treatment, why) => {
      const { plan, leftOut } = ladderOf(evidence, settings);

      expect(plan.map((rung) => rung.treatment)).toEqual(['drop-caches', 'notify']);
      expect(leftOut).toEqual([{ treatment, reason: expect.stringMatching(why) }, notReplaced]);
    },
  );

  it.each(CauseId.options)('runs nothing on a node that does not answer: %s', (cause) => {
    const silent: Evidence = {
      ...leaking({ path: '/user.slice', dying: 20_000 }),
      unreachable: 'the agent is silent',
    };
    const cluster = clusterWith();
    const diagnosis = { ...diagnose(silent, cluster.thresholds), cause };

    expect(planFor(diagnosis, silent, cluster).plan.filter(({ kind }) => kind === 'document')).toEqual([]);
  });

  it.each(CauseId.options)('runs nothing on a node of which it has no evidence: %s', (cause) => {
    const diagnosis = { ...diagnoseWithoutEvidence({ probe: 'evidence', reason: 'no answer' }), cause };
    const { plan, leftOut } = planFor(diagnosis, undefined, clusterWith());

    expect(plan.filter(({ kind }) => kind === 'document')).toEqual([]);
    expect(new Set(leftOut.map(({ reason }) => reason)).size).toBeLessThanOrEqual(1);
  });

  it.each(['session-churn', 'dying-memcgs', 'leaked-scopes', 'dead-containers', 'orphaned-agent'] as const)(
    'runs nothing on a node of which nothing was seen: %s',
    (cause) => {
      const { probes } = evidenceWith();
      const blind = evidenceWith(Object.fromEntries(Object.keys(probes).map((name) => [name, missing])));
      const cluster = clusterWith({ sessions: { linger: 'always' } });
      const diagnosis = { ...diagnose(blind, cluster.thresholds), cause };

      expect(planFor(diagnosis, blind, cluster).plan.map(({ treatment }) => treatment)).toEqual(['notify']);
    },
  );

  it('says of what would have to run on a node that it does not answer', () => {
    const silent = { ...leaking({ path: '/user.slice', dying: 20_000 }), unreachable: 'the agent is silent' };
    const reason = 'nothing can be run on a node that does not answer (the agent is silent)';

    expect(ladderOf(silent)).toMatchObject({
      plan: [{ treatment: 'notify' }],
      leftOut: [{ treatment: 'reclaim', reason }, { treatment: 'drop-caches', reason }, notReplaced],
    });
  });

  it('does not call a treatment left out that is on the ladder in another place', () => {
    const made = { path: '/user.slice/user-0.slice', dying: 20_000 };
    const allowed = { reclaim: { slices: [made.path] } };
    const evidence = leaking(made);
    const diagnosis = { ...diagnose(evidence, clusterWith().thresholds), cause: 'orphaned-agent' as const };
    const { plan, leftOut } = planFor(diagnosis, evidence, clusterWith(allowed));

    // Of the slices of all users, which outlive their logins, nothing is allowed once the agent is stopped.
    expect(plan.map((rung) => rung.treatment)).toEqual(['reclaim', 'notify']);
    expect(leftOut.map(({ treatment }) => treatment)).toEqual(['contain-unit', 'disable-agent']);
  });

  it('leaves nothing out where all of it is on the ladder, or nothing treats the cause', () => {
    const allOfIt = { api: { access: 'public' }, replacement: { enabled: true } } as const;
    expect(ladderOf(leaking({ path: '/user.slice', dying: 20_000 }), allOfIt).leftOut).toEqual([]);
    expect(ladderOf(evidenceWith())).toEqual({ plan: [], leftOut: [] });
    expect(ladderOf(undefined).leftOut).toEqual([]);
  });
});
