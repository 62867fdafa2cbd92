import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../../lambdas/domain/diagnosis.ts';
import { cgroups, evidenceWith, loopingAgent, sessions, slices } from '../sample-evidence.ts';
import { kubelet, ok, thresholds } from './judge.ts';

type Probes = Parameters<typeof evidenceWith>[0];

function prevention(cause: string, probes: Probes) {
  const diagnosis = diagnose(evidenceWith(probes), thresholds);
  expect(diagnosis.cause).toBe(cause);
  return diagnosis.prevention;
}

const zombies = { cgroups: cgroups(240, 68_440), slices: slices({ path: '/system.slice', dying: 68_000 }) };
const scopes = { unpopulated: ok({ pod: 0, scope: 900, session: 0, other: 0, checked: 900, sample: [] }) };
const logins = {
  sessions: sessions({
    logins: 120,
    users: [{ name: 'nagios', logins: 110, linger: false }],
    loginsSinceSample: 100,
    dyingThen: 0,
    dyingNow: 100,
  }),
};
const whats = (cause: string, probes: Probes): string =>
  prevention(cause, probes)
    .map(({ what }) => what)
    .join('\n');

describe('prevention', () => {
  it('asks for cgroup v2 only where memory is on v1', () => {
    const v1 = { hierarchy: ok({ memory: 'v1', layout: 'hybrid' }) };

    expect(whats('dying-memcgs', zombies)).not.toContain('cgroup v2');
    expect(whats('dying-memcgs', { ...zombies, ...v1 })).toContain('an AMI with cgroup v2');
  });

  it('names the timer that runs most often, by its rate, and cron where it does', () => {
    const timers = (runs: number, cronRuns: number) =>
      ok({
        coveredSeconds: 1800,
        cronRuns,
        timers: [
          { unit: 'backup.service', runs: 2 },
          { unit: 'probe.service', runs },
        ],
        shortLived: [],
      });

    expect(prevention('dying-memcgs', { ...zombies, timers: timers(6, 0) })[0]).toMatchObject({
      what: expect.stringContaining('let probe.service run less often'),
      because: expect.stringContaining('12 times an hour'),
    });
    expect(whats('dying-memcgs', { ...zombies, timers: timers(5, 0) })).not.toContain('run less often');
    expect(whats('dying-memcgs', { ...zombies, timers: timers(5, 60) })).toContain('jobs of cron');
  });

  it('asks for one driver on both sides only where they differ', () => {
    const drivers = (ofRuntime: string, cgroupDriver: string) => ({
      ...scopes,
      containers: ok({ running: 1, exited: 0, other: 0, cgroupDriver: ofRuntime }),
      kubelet: kubelet({ config: { flags: { cgroupDriver } } }),
    });

    expect(whats('leaked-scopes', drivers('cgroupfs', 'systemd'))).toContain('SystemdCgroup = true');
    expect(whats('leaked-scopes', drivers('systemd', 'systemd'))).not.toContain('SystemdCgroup');
    expect(whats('leaked-scopes', scopes)).not.toContain('SystemdCgroup');
  });

  it.each([
    [236, true],
    [237, false],
    [null, false],
  ])('asks for a newer systemd than %s: %s', (systemdVersion, asks) => {
    const host = ok({ kernel: '6.1', bootId: 'b', systemdVersion });

    expect(whats('leaked-scopes', { ...scopes, host }).includes('systemd 237 or later')).toBe(asks);
  });

  it('names who logs in most, and where to contain sessions for good', () => {
    const [who, contain] = prevention('session-churn', logins);

    expect(who).toMatchObject({
      what: expect.stringContaining('logs in as nagios'),
      because: expect.stringContaining('110 times in 60 minutes'),
    });
    expect(contain).toMatchObject({
      what: expect.stringContaining('DisableControllers=memory'),
      where: expect.stringContaining('/etc/systemd/system/user.slice.d/'),
    });
  });

  it('takes an agent that nothing needs out of the launch template', () => {
    const [first] = prevention('orphaned-agent', { agents: loopingAgent(), cgroups: cgroups(200, 9000) });

    expect(first).toMatchObject({
      what: expect.stringContaining('systemctl disable --now ecs.service'),
      where: expect.stringContaining('launch template'),
    });
  });

  it.each<[string, Probes]>([
    ['dying-memcgs', zombies],
    ['session-churn', logins],
    ['leaked-scopes', scopes],
    ['orphaned-agent', { agents: loopingAgent(), cgroups: cgroups(200, 9000) }],
  ])('says of %s that new nodes would inherit it', (cause, probes) => {
    expect(whats(cause, probes)).toContain('do not scale out now');
  });
});
