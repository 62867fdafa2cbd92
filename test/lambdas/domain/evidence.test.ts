import { describe, expect, it } from 'vitest';
import { type Agent, needOf } from '../../../lambdas/domain/evidence/agents.ts';
import { Evidence } from '../../../lambdas/domain/evidence/evidence.ts';
import { gapsOf } from '../../../lambdas/domain/evidence/gaps.ts';
import { readEvidence } from '../../../lambdas/domain/evidence/read-evidence.ts';
import { perHour, Sessions, zombiesPerLogin } from '../../../lambdas/domain/evidence/sessions.ts';
import { kubelet } from './causes/judge.ts';
import { evidenceWith, missing } from './sample-evidence.ts';

const names = Object.keys(Evidence.shape.probes.shape);

describe('evidence of an older document', () => {
  it('is read, and every probe it did not know is a gap', () => {
    const { host, cgroups } = evidenceWith().probes;
    if (host.status !== 'ok') throw new Error('no host');
    const { systemdVersion: _, instanceId: __, ...old } = host.value;
    const read = readEvidence(
      JSON.stringify({ ...evidenceWith(), probes: { host: { status: 'ok', value: old }, cgroups } }),
    );

    if (!read.ok) throw new Error(read.error);
    expect(read.evidence.probes.host).toMatchObject({ value: { systemdVersion: null, instanceId: null } });
    expect(gapsOf(read.evidence)).toEqual(
      names
        .filter((name) => !['host', 'cgroups', 'observations'].includes(name))
        .map((probe) => ({ probe, reason: 'not collected' })),
    );
  });
});

describe('what both documents print, a line each', () => {
  const evidence = JSON.stringify(evidenceWith());
  const services = JSON.stringify({
    version: 1,
    document: 'collect-services',
    probes: { kubelet: missing },
  });

  it.each([
    ['the evidence first', [evidence, services]],
    ['the services first', [services, evidence]],
  ])('is read in either order: %s', (_, lines) => {
    expect(readEvidence(lines.join('\n'))).toMatchObject({
      ok: true,
      evidence: { probes: { cgroups: { status: 'ok' }, kubelet: missing } },
    });
  });

  it.each([
    ['the services alone', [services]],
    ['the services twice', [services, services]],
  ])('is no evidence where there is none: %s', (_, lines) => {
    expect(readEvidence(lines.join('\n'))).toMatchObject({
      ok: false,
      error: expect.stringContaining('not what collect-evidence prints'),
    });
  });
});

describe('a part of a probe that was not read', () => {
  it('is a gap by its own name', () => {
    const partly = evidenceWith({ kubelet: kubelet({ notRead: { healthz: 'no answer' } }) });

    expect(gapsOf(evidenceWith())).toEqual([]);
    expect(gapsOf(partly)).toEqual([{ probe: 'kubelet.healthz', reason: 'no answer' }]);
  });
});

describe('needOf', () => {
  const orphan: Agent = {
    unit: 'ecs.service',
    active: 'activating',
    sub: 'auto-restart',
    unitFile: 'enabled',
    restarts: 812,
    memoryKb: null,
    rssKb: null,
    cpuSeconds: null,
    requiredBy: [],
    wantedBy: [],
    containers: 0,
  };

  it.each<[string, Partial<Agent>, boolean | undefined, RegExp]>([
    ['is protected', { protected: true }, true, /no treatment touches it$/],
    ['is required', { requiredBy: ['a.service'] }, true, /^a\.service requires ecs\.service$/],
    ['manages containers', { containers: 2 }, true, /manages 2 containers/],
    ['is wanted', { wantedBy: ['b.service'] }, undefined, /b\.service wants it/],
    ['may manage containers', { containers: null }, undefined, /was not seen/],
    ['runs', { active: 'active', restarts: 4 }, undefined, /may serve what a node cannot see/],
    ['runs at the moment', { active: 'active', restarts: 5 }, false, /does not keep running/],
    ['never ran long', {}, false, /auto-restart, 812 restarts/],
    ['fails, uncounted', { active: 'failed', restarts: null }, false, /uncounted restarts/],
  ])('an agent that %s', (_, change, needed, why) => {
    const need = needOf({ ...orphan, ...change });

    expect(need.needed).toBe(needed);
    expect(need.why).toMatch(why);
  });
});

describe('what logins leave', () => {
  const sessions = (change: Partial<Sessions>) =>
    Sessions.parse({ open: 0, abandonedSample: [], users: [], ...change });

  it.each([
    [{ loginsSinceSample: 10, dyingThen: 5, dyingNow: 25 }, 2],
    [{ loginsSinceSample: 10, dyingThen: 25, dyingNow: 5 }, 0],
    [{ loginsSinceSample: 2, dyingThen: 5, dyingNow: 25 }, undefined],
    [{ loginsSinceSample: 10, dyingThen: null, dyingNow: 25 }, undefined],
    [{ loginsSinceSample: null, dyingThen: 5, dyingNow: 25 }, undefined],
    [{ loginsSinceSample: 10, dyingThen: 5, dyingNow: null }, undefined],
  ])('%j is %s a login', (change, expected) => {
    expect(zombiesPerLogin(sessions(change))).toBe(expected);
  });

  it('is a rate only where both were read', () => {
    expect(perHour(10, 1800)).toBe(20);
    expect(perHour(null, 1800)).toBeUndefined();
    expect(perHour(10, null)).toBeUndefined();
  });
});
