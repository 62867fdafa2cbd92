import { describe, expect, it } from 'vitest';
import { agentLeak } from '../../../../lambdas/domain/causes/agent-leak.ts';
import { diagnose } from '../../../../lambdas/domain/diagnosis.ts';
import { planFor } from '../../../../lambdas/domain/plan.ts';
import {
  cgroups,
  clusterWith,
  evidenceWith,
  loopingAgent,
  missing,
  slices,
  trend,
} from '../sample-evidence.ts';
import { judged } from './judged.ts';

const mb = 1024;
const ok = (value: unknown) => ({ status: 'ok', value });
const verdictWith = (probes: Parameters<typeof evidenceWith>[0]) => judged(agentLeak, evidenceWith(probes));
const answerTo = (probes: Parameters<typeof evidenceWith>[0]) => {
  const cluster = clusterWith();
  const evidence = evidenceWith(probes);
  const diagnosis = diagnose(evidence, cluster.thresholds);
  return { diagnosis, ...planFor(diagnosis, evidence, cluster) };
};

const running = { active: 'active', sub: 'running', restarts: 0 };
const host = (change: Record<string, unknown>) =>
  loopingAgent({ ...running, unit: 'collector.service', ...change });
const pods = (change: Record<string, unknown>, oomKilled: unknown[] = []) =>
  ok({
    coveredSeconds: 3600,
    started: 1,
    ended: 1,
    evicted: 0,
    oomKilled,
    agents: [
      {
        pod: 'observability/collector-x7k2p',
        container: 'collector',
        owner: { kind: 'DaemonSet', name: 'collector' },
        daemonSet: true,
        restarts: 0,
        waiting: null,
        memoryKb: null,
        ...change,
      },
    ],
  });
const workload = (change: Record<string, unknown>) =>
  ok({
    pods: 12,
    unread: 0,
    top: [{ pod: 'observability/collector-x7k2p', uid: 'u', workingSetKb: 0, limitKb: null, ...change }],
  });

describe('agent-leak by memory, of a host agent', () => {
  it('is far more than any agent needs, and growth', () => {
    const verdict = verdictWith({
      agents: host({ rssKb: 1100 * mb }),
      trend: trend({ workingSetKb: [500 * mb, 600 * mb] }, { workload: 'collector.service' }),
    });

    expect(verdict).toMatchObject({ result: 'matches', variant: 'memory', confidence: 0.67 });
    expect(verdict.explanation).toContain('collector.service holds 1100 MB, and grows by 600 MB a day');
    expect(verdict.explanation).toContain('neither stopped nor disabled');
  });

  it('is none where it does not grow, and open where nobody watched it', () => {
    const flat = trend({ workingSetKb: [1100 * mb, 10] }, { workload: 'collector.service' });
    const others = trend({ workingSetKb: [1100 * mb, 600 * mb] }, { workload: 'shop/web' });
    const agents = host({ rssKb: 1100 * mb });

    expect(verdictWith({ agents, trend: flat }).result).toBe('excluded');
    expect(verdictWith({ agents, trend: others })).toMatchObject({ needs: ['trend.workingSetKb'] });
    expect(verdictWith({ agents: host({ rssKb: 1023 * mb }), trend: others }).result).toBe('excluded');
  });

  it('is memory beyond all measure, also where nobody watched it', () => {
    expect(verdictWith({ agents: host({ rssKb: 4096 * mb }) })).toMatchObject({
      result: 'matches',
      confidence: 0.57,
    });
    expect(verdictWith({ agents: host({ rssKb: 4095 * mb }) }).result).toBe('insufficient-evidence');
  });

  it('trusts the memory of its cgroup less: page cache is in it, and the containers that it manages', () => {
    expect(verdictWith({ agents: host({ memoryKb: 15_000 * mb }) })).toMatchObject({
      result: 'insufficient-evidence',
      needs: ['agents.rssKb', 'trend.workingSetKb'],
    });
    const observations = ok({ tried: [{ what: 'restart-agent', helped: true }] });
    expect(verdictWith({ agents: host({ memoryKb: 15_000 * mb }), observations })).toMatchObject({
      result: 'matches',
      confidence: 0.7,
    });
    expect(verdictWith({ agents: host({ memoryKb: 15_000 * mb, containers: 3 }) })).toMatchObject({
      result: 'insufficient-evidence',
      needs: ['agents.rssKb'],
    });
    expect(verdictWith({ agents: host({ memoryKb: 15_000 * mb, rssKb: 80 * mb }) }).result).toBe('excluded');
  });

  it('is surer where restarting it has helped', () => {
    const observations = ok({ tried: [{ what: 'restart-agent', helped: true }] });

    expect(verdictWith({ agents: host({ rssKb: 1100 * mb }), observations })).toMatchObject({
      result: 'matches',
      confidence: 0.61,
    });
  });

  it('has no treatment but a person, also where dying cgroups lie about or another agent loops', () => {
    const { diagnosis, plan } = answerTo({
      agents: host({ rssKb: 9000 * mb }),
      cgroups: cgroups(100, 290),
      slices: slices({ path: '/system.slice', dying: 200 }),
    });

    expect(diagnosis).toMatchObject({ cause: 'agent-leak', variant: 'memory' });
    expect(plan.map(({ treatment }) => treatment)).toEqual(['notify']);
    expect(diagnosis.prevention[0]?.what).toBe('a version of collector.service in which this is fixed');
  });

  it('names the way to a newer SSM agent, and never calls that one unneeded however often it restarts', () => {
    const unit = 'amazon-ssm-agent.service';
    const verdict = verdictWith({ agents: host({ unit, rssKb: 9000 * mb }) });
    const looping = answerTo({
      cgroups: cgroups(240, 20_500),
      slices: slices({ path: '/system.slice', dying: 20_000 }),
      agents: loopingAgent({ unit }),
    });

    expect(verdict.prevention[0]?.what).toContain('AWS-UpdateSSMAgent');
    expect(verdict.explanation).toContain(`${unit} belongs to what a node cannot do without`);
    expect(looping.diagnosis).toMatchObject({ cause: 'agent-leak', variant: 'crash-loop' });
    expect(looping.plan.map(({ treatment }) => treatment)).not.toContain('contain-unit');
    expect(looping.plan.map(({ treatment }) => treatment)).not.toContain('disable-agent');
  });
});

describe('agent-leak in a pod', () => {
  it('names the object that owns it, and leaves the node alone', () => {
    const { diagnosis, plan } = answerTo({
      podStatus: pods({}),
      workloads: workload({ workingSetKb: 5000 * mb }),
      cgroups: cgroups(100, 290),
      slices: slices({ path: '/system.slice', dying: 200 }),
    });

    expect(diagnosis).toMatchObject({ cause: 'agent-leak', variant: 'pod' });
    expect(diagnosis.explanation).toContain('It belongs to DaemonSet observability/collector');
    expect(plan).toHaveLength(1);
    expect(plan[0]).toMatchObject({
      treatment: 'notify',
      arguments: { object: 'DaemonSet observability/collector' },
      reason: expect.stringContaining('whoever owns that has to mend it'),
    });
    expect(diagnosis.prevention[0]?.where).toContain('DaemonSet observability/collector');
  });

  it('is none where the pod has a limit of its own, or was killed at one: that is a workload', () => {
    const podStatus = pods({ memoryKb: 5000 * mb });
    const killed = pods({ memoryKb: 5000 * mb }, [
      {
        pod: 'observability/collector-x7k2p',
        container: 'collector',
        owner: null,
        restarts: 3,
        limitKb: 5100 * mb,
        secondsAgo: 9,
      },
    ]);

    expect(verdictWith({ podStatus }).result).toBe('matches');
    expect(verdictWith({ podStatus, workloads: workload({ limitKb: 6000 * mb }) }).result).toBe('excluded');
    expect(verdictWith({ podStatus: killed }).result).toBe('excluded');
  });

  it('follows its course by the name of the pod or of its owner', () => {
    const growing = (name: string) =>
      verdictWith({
        podStatus: pods({ memoryKb: 1100 * mb }),
        trend: trend({ workingSetKb: [500 * mb, 600 * mb] }, { workload: name }),
      }).result;

    expect(growing('observability/collector-x7k2p')).toBe('matches');
    expect(growing('observability/collector')).toBe('matches');
    expect(growing('observability/other')).toBe('insufficient-evidence');
  });

  it('that starts again and again fills the node with dying cgroups', () => {
    const looping = (restarts: number, dying: number) => ({
      podStatus: pods({ restarts, waiting: 'CrashLoopBackOff' }),
      cgroups: cgroups(300, 6000),
      slices: slices({ path: '/kubepods.slice', dying }, { path: '/system.slice', dying: 900 }),
    });
    const { diagnosis, plan } = answerTo(looping(2500, 5000));

    expect(diagnosis).toMatchObject({ cause: 'agent-leak', variant: 'pod' });
    expect(diagnosis.explanation).toContain(
      'observability/collector-x7k2p, container collector was started 2500 times',
    );
    expect(diagnosis.alsoPossible).toContainEqual(expect.objectContaining({ cause: 'dying-memcgs' }));
    expect(plan.map(({ treatment }) => treatment)).toEqual(['notify']);
    expect(verdictWith(looping(2499, 5000)).result).toBe('excluded');
    expect(judged(agentLeak, evidenceWith(looping(4, 5)), { dyingFloor: 5 }).result).toBe('excluded');
    expect(judged(agentLeak, evidenceWith(looping(5, 5)), { dyingFloor: 5 }).result).toBe('matches');
    expect(verdictWith(looping(200, 299)).result).toBe('excluded');
  });

  it('has a bare pod for its object where nothing owns it', () => {
    const verdict = verdictWith({ podStatus: pods({ memoryKb: 5000 * mb, owner: null }) });

    expect(verdict.explanation).toContain('It belongs to Pod observability/collector-x7k2p');
  });

  it('is open where nobody asked the API server', () => {
    expect(verdictWith({ podStatus: missing }).needs).toEqual(['podStatus']);
    expect(verdictWith({ agents: missing }).needs).toEqual(['agents']);
  });
});
