import { describe, expect, it } from 'vitest';
import { leakedScopes } from '../../../lambdas/domain/causes/leaked-scopes.ts';
import { diagnose, stillMatches } from '../../../lambdas/domain/diagnosis.ts';
import type { Evidence } from '../../../lambdas/domain/evidence/evidence.ts';
import { probeValue } from '../../../lambdas/domain/evidence/probe.ts';
import { planFor } from '../../../lambdas/domain/plan.ts';
import { judged } from './causes/judged.ts';
import {
  cgroups,
  clusterWith,
  evidenceWith,
  loopingAgent,
  missing,
  sessions,
  slices,
} from './sample-evidence.ts';

const { thresholds } = clusterWith();

/** The diagnosis and the ladder, as [cause, [treatment, needs], …]. */
function answerTo(evidence: Evidence, settings: Record<string, unknown> = {}) {
  const cluster = clusterWith(settings);
  const diagnosis = diagnose(evidence, cluster.thresholds);
  const { plan, leftOut } = planFor(diagnosis, evidence, cluster);
  return { diagnosis, plan, leftOut, ladder: plan.map(({ treatment, needs }) => `${treatment} ${needs}`) };
}

const alice = { name: 'alice', logins: 700, linger: false };
const churning = (change: Record<string, unknown> = {}) =>
  evidenceWith({
    cgroups: cgroups(100, 9000),
    slices: slices({ path: '/user.slice', dying: 8900 }),
    sessions: sessions({ logins: 700, users: [alice], ...change }),
  });

describe('session-churn', () => {
  it('is the producer behind the dying cgroups, and is contained after a reclaim', () => {
    const { diagnosis, ladder, plan, leftOut } = answerTo(churning());

    expect(diagnosis).toMatchObject({ cause: 'session-churn', alsoPossible: [{ cause: 'dying-memcgs' }] });
    expect(diagnosis.explanation).toContain('700 logins an hour');
    expect(ladder).toEqual(['reclaim auto', 'contain-sessions approval', 'reclaim auto', 'notify auto']);
    expect(leftOut).toEqual([
      { treatment: 'enable-linger', reason: expect.stringContaining('here one is made per session') },
      { treatment: 'restart-logind', reason: expect.stringMatching(/^0 sessions are stuck/) },
    ]);
    expect(plan[1]).toMatchObject({
      standing: true,
      undoDocument: 'release-sessions',
      expects: { level: 'holds' },
    });
  });

  it('lets users linger only where the memory cgroup is made per user, or where the settings want to see it fail', () => {
    const users = { memoryCgroup: 'user' };

    expect(answerTo(churning(users)).ladder).toContain('enable-linger auto');
    expect(answerTo(churning(), { sessions: { linger: 'always' } }).plan[1]).toMatchObject({
      treatment: 'enable-linger',
      arguments: { users: 'alice' },
      undoDocument: 'disable-linger',
    });
    expect(answerTo(churning({ ...users, users: [{ ...alice, linger: true }] })).ladder).not.toContain(
      'enable-linger auto',
    );
  });

  it('changes nothing for users whose logins leave nothing that anybody has seen', () => {
    const few = (change: Record<string, unknown>) =>
      evidenceWith({ sessions: sessions({ logins: 700, users: [alice], memoryCgroup: 'user', ...change }) });
    const linger = (evidence: Evidence) => answerTo(evidence).ladder.includes('enable-linger auto');

    expect(linger(few({}))).toBe(false);
    expect(answerTo(few({})).leftOut).toContainEqual({
      treatment: 'enable-linger',
      reason: expect.stringContaining('many logins alone are no fault'),
    });
    expect(linger(few({ loginsSinceSample: 10, dyingThen: 2, dyingNow: 12 }))).toBe(true);
  });

  it('lets users linger from the first dying cgroup on that is more than any node has', () => {
    const linger = (dying: number) =>
      answerTo(
        evidenceWith({
          cgroups: cgroups(100, dying),
          slices: slices({ path: '/user.slice', dying }),
          sessions: sessions({ logins: 700, users: [alice], memoryCgroup: 'user' }),
        }),
      ).ladder.includes('enable-linger auto');

    expect([linger(thresholds.dyingFloor), linger(thresholds.dyingFloor + 1)]).toEqual([false, true]);
  });

  it('lets nobody linger who does not log in', () => {
    const users = [alice, { name: 'bob', logins: 0, linger: false }];
    const { plan } = answerTo(churning({ memoryCgroup: 'user', users }));

    expect(plan.find(({ treatment }) => treatment === 'enable-linger')?.arguments.users).toBe('alice');
  });

  it.each<[string, Record<string, unknown>]>([
    ['few log in', { logins: 59 }],
    ['sessions are contained', { memoryCgroup: 'none' }],
    ['logins leave nothing', { loginsSinceSample: 100, dyingThen: 8890, dyingNow: 8900 }],
  ])('is not it where %s', (_, change) => {
    expect(answerTo(churning(change)).diagnosis.cause).toBe('dying-memcgs');
  });

  it('frees what is left where it stays: the slices of users come and go with their logins', () => {
    const { plan } = answerTo(
      evidenceWith({
        cgroups: cgroups(100, 9000),
        slices: slices(
          { path: '/user.slice', dying: 8900 },
          { path: '/user.slice/user-1000.slice', dying: 8850 },
          { path: '/system.slice', dying: 100 },
        ),
        sessions: sessions({ logins: 700, users: [alice] }),
      }),
    );

    expect(plan.map(({ onceStopped, arguments: { slices } }) => [onceStopped, slices])).toEqual([
      [false, '/user.slice/user-1000.slice /system.slice'],
      [false, undefined],
      [true, '/user.slice /system.slice'],
      [false, undefined],
    ]);
  });

  it('is not it where the dying cgroups are elsewhere', () => {
    const withBelow = (dying: number) =>
      evidenceWith({
        cgroups: cgroups(100, 9000),
        slices: slices({ path: '/user.slice', dying }, { path: '/system.slice', dying: 9000 - dying }),
        sessions: sessions({ logins: 700, users: [alice] }),
      });

    expect(answerTo(withBelow(900)).diagnosis.cause).toBe('session-churn');
    expect(answerTo(withBelow(899)).diagnosis.cause).toBe('dying-memcgs');
  });

  it('is judged by what a login leaves only as long as nobody frees that', () => {
    const at = (minutes: number, dying: number | null) =>
      [Date.parse('2026-11-21T06:30:00Z') / 1000 - minutes * 60, 100, 9000, dying, 1, 1, 1] as const;
    const history = (...samples: ReturnType<typeof at>[]) => ({ status: 'ok', value: { samples } });
    const leavesNothing = { loginsSinceSample: 100, dyingThen: 8890, dyingNow: 8900 };
    const causeWith = (...samples: ReturnType<typeof at>[]) => {
      const evidence = evidenceWith({
        cgroups: cgroups(100, 9000),
        slices: slices({ path: '/user.slice', dying: 8900 }),
        sessions: sessions({ logins: 700, users: [alice], ...leavesNothing }),
        history: history(...samples),
      });
      return diagnose(evidence, thresholds).cause;
    };

    expect(causeWith(at(10, 8890), at(5, 30))).toBe('session-churn');
    expect(causeWith(at(10, 8890), at(5, 8700))).toBe('dying-memcgs');
    expect(causeWith(at(90, 8890), at(70, 30), at(10, 8890))).toBe('dying-memcgs');
    expect(causeWith(at(10, null), at(5, 20_000))).toBe('session-churn');
  });

  it('is still there when a reclaim has taken away what it made: that is no health', () => {
    const reclaimed = evidenceWith({
      slices: slices({ path: '/user.slice', dying: 12 }),
      sessions: sessions({ logins: 700, users: [alice] }),
    });

    expect(diagnose(reclaimed, thresholds).cause).toBe('session-churn');
    expect(stillMatches('session-churn', reclaimed, thresholds)).toBe(true);
  });

  it('is no fault of logins that are only many: few dying cgroups, and nobody there to see what a login gets', () => {
    const monitored = (history: unknown) =>
      evidenceWith({
        slices: slices({ path: '/user.slice', dying: 8 }),
        sessions: sessions({ logins: 700, users: [alice], memoryCgroup: null, dyingNow: 8 }),
        history,
      });
    const causeAfter = (dying: number) => {
      const samples = [[Date.parse('2026-11-21T06:25:00Z') / 1000, 100, 9000, dying, 1, 1, 1]];
      return diagnose(monitored({ status: 'ok', value: { samples } }), thresholds).cause;
    };

    expect(diagnose(monitored(missing), thresholds).cause).not.toBe('session-churn');
    expect(causeAfter(8)).toBe('healthy');
    // A few go by themselves at any time; what a reclaim would take does not.
    expect(causeAfter(29)).toBe('healthy');
    expect(causeAfter(30)).toBe('session-churn');
  });

  it('stays open without a journal to count logins in', () => {
    const { diagnosis } = answerTo(churning({ logins: null, coveredSeconds: null }));

    expect(diagnosis.cause).toBe('dying-memcgs');
    expect(diagnosis.alsoPossible).toEqual([]);
  });
});

const looping = (change: Record<string, unknown> = {}) =>
  evidenceWith({
    cgroups: cgroups(240, 20_500),
    slices: slices({ path: '/system.slice', dying: 20_000 }),
    agents: loopingAgent(change),
  });

describe('a service in a crash loop', () => {
  it('that nothing needs is an orphaned agent: contained, then disabled', () => {
    const { diagnosis, ladder, plan } = answerTo(looping());

    expect(diagnosis.cause).toBe('orphaned-agent');
    expect(diagnosis.alsoPossible.map(({ cause }) => cause)).toEqual(['dying-memcgs', 'agent-leak']);
    expect(ladder).toEqual([
      'reclaim auto',
      'contain-unit approval',
      'disable-agent approval',
      'reclaim auto',
      'notify auto',
    ]);
    expect(plan[2]).toMatchObject({ arguments: { unit: 'ecs.service' }, undoDocument: 'enable-agent' });
  });

  it.each<[string, Record<string, unknown>]>([
    ['another unit requires', { requiredBy: ['app.service'] }],
    ['manages containers', { containers: 3 }],
    ['another unit wants', { wantedBy: ['app.service'] }],
    ['may manage containers that were not seen', { containers: null }],
  ])('that %s is contained and never disabled', (_, change) => {
    const { diagnosis, ladder } = answerTo(looping(change));

    expect(diagnosis.cause).toBe('agent-leak');
    expect(ladder).toEqual(['reclaim auto', 'contain-unit approval', 'reclaim auto', 'notify auto']);
  });

  it.each(['ecs.service', 'ecs'])(
    'that the settings never touch (%s) is neither contained nor disabled',
    (name) => {
      const evidence = looping({});
      const cluster = clusterWith({ agents: { neverTouch: [name] } });
      const { plan, leftOut } = planFor(diagnose(evidence, cluster.thresholds), evidence, cluster);

      expect(plan.map(({ treatment }) => treatment).filter((one) => /contain|disable/.test(one))).toEqual([]);
      expect(leftOut).toContainEqual({
        treatment: 'contain-unit',
        reason: 'settings agents.neverTouch names ecs.service',
      });
    },
  );

  it('that nothing needs is contained, and not one beside it that starts more often and is needed', () => {
    const agent = (unit: string, change: Record<string, unknown>) =>
      probeValue(looping({ unit, ...change }).probes.agents)?.entries[0];
    const agents = {
      status: 'ok',
      value: {
        total: 2,
        failed: 0,
        entries: [
          agent('needed.service', { restarts: 30_000, requiredBy: ['app.service'] }),
          agent('ecs.service', {}),
        ],
        omitted: 0,
      },
    };
    const { cgroups, slices } = looping().probes;
    const { diagnosis, plan } = answerTo(evidenceWith({ cgroups, slices, agents }));
    const units = plan.flatMap(({ arguments: { unit } }) => unit ?? []);

    expect(diagnosis.cause).toBe('orphaned-agent');
    expect(units).toEqual(['ecs.service', 'ecs.service']);
  });

  it('is left where what leaks is the memory of another agent', () => {
    const evidence = looping();
    const cluster = clusterWith();
    const found = { ...diagnose(evidence, thresholds), cause: 'agent-leak' as const };
    const treatments = (variant: string) =>
      planFor({ ...found, variant }, evidence, cluster).plan.map(({ treatment }) => treatment);

    expect(treatments('crash-loop')).toContain('contain-unit');
    expect(treatments('memory')).toEqual(['notify']);
  });

  it('that was started less often than there are dying cgroups did not make them', () => {
    expect(answerTo(looping({ restarts: 9999 })).diagnosis.cause).toBe('dying-memcgs');
  });

  it('is not treated where no treatment may touch the service, and says so', () => {
    const { diagnosis, ladder, leftOut } = answerTo(looping({ protected: true }));

    expect(diagnosis.cause).toBe('agent-leak');
    expect(diagnosis.explanation).toContain('neither stopped nor contained');
    expect(ladder.join()).not.toMatch(/contain-unit|disable-agent/);
    expect(leftOut).toContainEqual({
      treatment: 'contain-unit',
      reason: 'ecs.service belongs to what a node cannot do without: no treatment touches it',
    });
  });

  it('is no fault of a service that was restarted now and then', () => {
    expect(answerTo(looping({ restarts: 4 })).diagnosis.cause).toBe('dying-memcgs');
  });

  it.each<[string, Record<string, unknown>]>([
    ['runs, and was restarted now and then', { active: 'active', sub: 'running', restarts: 6 }],
    ['systemd has given up on', { active: 'failed', sub: 'failed', restarts: 5 }],
    ['cannot have left half of what is too many', { restarts: thresholds.dyingFloor / 2 - 1 }],
  ])('is no fault of a node with few dying cgroups where it %s', (_, change) => {
    expect(answerTo(evidenceWith({ agents: loopingAgent(change) })).diagnosis.cause).toBe('healthy');
  });

  it('is still there when a reclaim has taken away what it made: that is no health', () => {
    const reclaimed = (restarts: number | null) => evidenceWith({ agents: loopingAgent({ restarts }) });

    expect(stillMatches('orphaned-agent', reclaimed(thresholds.dyingFloor / 2), thresholds)).toBe(true);
    expect(stillMatches('orphaned-agent', reclaimed(null), thresholds)).toBe(true);
  });

  it('is not there any more where it is stopped, and what was approved for it is not done', () => {
    const stopped = loopingAgent({ active: 'inactive', sub: 'dead', restarts: 0 });

    expect(stillMatches('orphaned-agent', evidenceWith({ agents: stopped }), thresholds)).toBe(false);
    expect(stillMatches('orphaned-agent', evidenceWith({ agents: missing }), thresholds)).toBe(false);
    expect(stillMatches('inconclusive', evidenceWith({ agents: missing }), thresholds)).toBe(false);
  });

  it('is unknown where systemd was not asked', () => {
    const { diagnosis } = answerTo(evidenceWith({ cgroups: cgroups(1, 900), agents: missing }));

    expect(diagnosis.explanation).toContain('orphaned-agent (needs agents)');
  });
});

describe('leaked scopes', () => {
  const directories = (change: Record<string, unknown>) => ({
    unpopulated: {
      status: 'ok',
      value: { pod: 0, scope: 0, session: 0, other: 900, checked: 0, sample: [], ...change },
    },
  });
  const leaked = (change: Record<string, unknown>) => evidenceWith(directories(change));

  it('are directories without a process; they are stopped and removed', () => {
    const { diagnosis, plan, ladder, leftOut } = answerTo(leaked({ scope: 30, session: 20 }));

    expect(diagnosis.cause).toBe('leaked-scopes');
    expect(ladder).toEqual(['stop-scopes auto', 'notify auto']);
    expect(plan[0]?.expects).toMatchObject({ signal: 'leakedScopes', atMost: 49 });
    expect(leftOut).toEqual([
      {
        treatment: 'restart-logind',
        reason: expect.stringMatching(/^0 sessions are stuck .* fewer than 50 /),
      },
    ]);
  });

  it('are not ruled out where nobody counted them, and what was not seen is no finding', () => {
    const unseen = judged(leakedScopes, evidenceWith({ unpopulated: missing, sessions: missing }));

    expect(unseen).toMatchObject({
      result: 'insufficient-evidence',
      needs: ['unpopulated'],
      findings: [],
    });
  });

  it('are told by what is beyond its limit, and by nothing else', () => {
    const { explanation, findings } = judged(
      leakedScopes,
      evidenceWith({ ...directories({ scope: 50 }), sessions: sessions({ closing: 20 }) }),
    );

    expect(findings.map(({ value, speaks }) => [value, speaks])).toEqual([
      [50, 'for'],
      [20, 'against'],
      [0, 'against'],
    ]);
    expect(explanation).toContain('(scope and session directories without a process: 50)');
  });

  it('are surer where the walks of the tree are long as well', () => {
    const confidence = (live: number) =>
      judged(leakedScopes, evidenceWith({ ...directories({ scope: 50 }), cgroups: cgroups(live, 18) }))
        .confidence;

    expect(confidence(thresholds.liveCgroups)).toBeGreaterThan(confidence(thresholds.liveCgroups - 1));
  });

  it('are none below the limit, and none of other kinds', () => {
    expect(answerTo(leaked({ scope: 29, session: 20 })).diagnosis.cause).toBe('healthy');
  });

  describe('with processes in them', () => {
    const left = { scopes: 10, processes: 34, users: ['alice', 'bob'] };
    const abandoned = (change: Record<string, unknown> = {}) =>
      evidenceWith({ sessions: sessions({ abandonedScopes: 60, abandonedLeft: left, ...change }) });

    it('are ended only with an approval that says whose they are', () => {
      const { diagnosis, plan, ladder } = answerTo(abandoned());

      expect(diagnosis.cause).toBe('leaked-scopes');
      expect(ladder).toEqual(['stop-scopes approval', 'notify auto']);
      expect(plan[0]).toMatchObject({
        risk: 'medium',
        disrupts: true,
        arguments: { endProcesses: 'true', processesOf: 'alice bob' },
        expects: { signal: 'abandonedScopes', atMost: 49 },
      });
      expect(plan[0]?.reason).toContain('In the 10 that were looked at: 34 processes, of alice, bob.');
    });

    it.each<[string, Evidence]>([
      ['nobody has looked into them', abandoned({ abandonedLeft: null })],
      ['nothing runs in them', abandoned({ abandonedLeft: { ...left, processes: 0 } })],
      ['nobody knows whose they are', abandoned({ abandonedLeft: { ...left, users: [] } })],
      ['their user has no plain name', abandoned({ abandonedLeft: { ...left, users: ['x; reboot'] } })],
      ['they are few', abandoned({ abandonedScopes: 49, closing: 20 })],
    ])('are left where %s', (_, evidence) => {
      const rung = answerTo(evidence).plan[0];

      expect(rung).toMatchObject({ risk: 'low', disrupts: false, arguments: { endProcesses: 'false' } });
      expect(rung?.arguments).not.toHaveProperty('processesOf');
    });

    it('are left until the directories without one are gone', () => {
      const beside = (unpopulated: unknown) =>
        answerTo(
          evidenceWith({ sessions: sessions({ abandonedScopes: 60, abandonedLeft: left }), unpopulated }),
        );
      const both = beside(leaked({ scope: 60 }).probes.unpopulated);

      expect(both.plan[0]).toMatchObject({
        risk: 'low',
        disrupts: false,
        arguments: { endProcesses: 'false' },
      });
      expect(beside(missing).ladder).not.toContain('stop-scopes approval');
    });
  });

  it('restart logind where sessions are stuck', () => {
    const stuck = evidenceWith({ sessions: sessions({ closing: 60 }) });

    expect(answerTo(stuck).ladder).toContain('restart-logind auto');
  });
});
