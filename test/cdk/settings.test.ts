import { describe, expect, it } from 'vitest';
import { readSettings, SettingsError } from '../../cdk/settings.ts';
import cdkJson from '../../cdk.json' with { type: 'json' };

/** What reading these settings complains about, one line per problem. */
function problemsOf(context: unknown): readonly string[] {
  try {
    readSettings(context);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

describe('readSettings', () => {
  it('takes the example in cdk.json', () => {
    const settings = readSettings(cdkJson.context['cgroup-medic']);
    expect(Object.keys(settings.clusters)).toEqual(['example']);
  });

  it('starts a cluster without settings of its own in observe mode', () => {
    const settings = readSettings({ clusters: { prod: {} } });
    expect(settings.clusters.prod?.initialMode).toBe('observe');
  });

  it.each([
    {
      name: 'no settings at all',
      context: undefined,
      problem:
        'cgroup-medic is missing: add it to the context, for example "cgroup-medic": { "clusters": { "my-cluster": {} } }',
    },
    {
      name: 'settings given as text on the command line',
      context: '{}',
      problem: 'cgroup-medic = "{}": change it; it must be an object, as in { … }',
    },
    {
      name: 'a missing key',
      context: {},
      problem: 'cgroup-medic.clusters is missing: add it; it must be an object, as in { … }',
    },
    {
      name: 'no cluster',
      context: { clusters: {} },
      problem: 'cgroup-medic.clusters = {}: change it; it must name at least one cluster',
    },
    {
      name: 'a name that no cluster can have',
      context: { clusters: { 'my cluster': {} } },
      problem: 'cgroup-medic.clusters.my cluster = {}: change it; it must be an EKS cluster name',
    },
    {
      name: 'an unknown key of a cluster',
      context: { clusters: { prod: { reclaim: { cpuPrecent: 5 } } } },
      problem:
        'cgroup-medic.clusters.prod.reclaim.cpuPrecent = 5: there is no such setting; remove it, or use one of: slices, cpuPercent, maxSeconds, psiFullLimit, ioFullLimit',
    },
    {
      name: 'a way into a VPC without the VPC',
      context: { clusters: { prod: { api: { access: 'vpc' } } } },
      problem:
        'cgroup-medic.clusters.prod.api = {"access":"vpc"}: change it; it must name at least one subnet and one security group under vpc, because access is vpc',
    },
    {
      name: 'a VPC that nothing would use',
      context: { clusters: { prod: { api: { vpc: { subnetIds: ['subnet-0123456789abcdef0'] } } } } },
      problem:
        'cgroup-medic.clusters.prod.api = {"vpc":{"subnetIds":["subnet-0123456789abcdef0"]}}: change it; it must name no subnet and no security group, because access is not vpc',
    },
    {
      name: 'a subnet that is none',
      context: {
        clusters: {
          prod: { api: { access: 'vpc', vpc: { subnetIds: ['prod-a'], securityGroupIds: ['sg-01234567'] } } },
        },
      },
      problem:
        'cgroup-medic.clusters.prod.api.vpc.subnetIds.0 = "prod-a": change it; it must be the id of one, such as subnet-0123456789abcdef0',
    },
    {
      name: 'a value that is not in a closed list of texts',
      context: { clusters: { prod: { initialMode: 'watch' } } },
      problem:
        'cgroup-medic.clusters.prod.initialMode = "watch": change it; it must be one of "observe", "approve", "auto"',
    },
    {
      name: 'a value that is not in a closed list of numbers',
      context: { clusters: { prod: { reclaim: { cpuPercent: 3 } } } },
      problem:
        'cgroup-medic.clusters.prod.reclaim.cpuPercent = 3: change it; it must be one of 1, 2, 5, 10, 20, 50',
    },
    {
      name: 'a number that is too small',
      context: { clusters: { prod: { thresholds: { dyingCount: 1 } } } },
      problem: 'cgroup-medic.clusters.prod.thresholds.dyingCount = 1: change it; it must be at least 50',
    },
    {
      name: 'a number that is too big',
      context: { clusters: { prod: { verification: { windowSeconds: 4000 } } } },
      problem:
        'cgroup-medic.clusters.prod.verification.windowSeconds = 4000: change it; it must be at most 3600',
    },
    {
      name: 'replacement without a way to the API server',
      context: { clusters: { prod: { replacement: { enabled: true } } } },
      problem:
        'cgroup-medic.clusters.prod.replacement.enabled = true: change it; it must be false unless api.access is public or vpc: nobody could ask the API server of this cluster',
    },
    {
      name: 'a fraction where only whole numbers make sense',
      context: { clusters: { prod: {} }, lease: { seconds: 90.5 } },
      problem: 'cgroup-medic.lease.seconds = 90.5: change it; it must be a whole number',
    },
    {
      name: 'a number given as text',
      context: { clusters: { prod: {} }, lease: { seconds: '90' } },
      problem: 'cgroup-medic.lease.seconds = "90": change it; it must be a number',
    },
    {
      name: 'a slice that is not a cgroup path',
      context: { clusters: { prod: { reclaim: { slices: ['user.slice'] } } } },
      problem:
        'cgroup-medic.clusters.prod.reclaim.slices.0 = "user.slice": change it; it must be a cgroup path such as /user.slice: absolute, no spaces, no trailing slash',
    },
  ])('names key, value and remedy of $name', ({ context, problem }) => {
    expect(problemsOf(context)).toEqual([problem]);
  });

  it('names the settings that exist beside an unknown one at the top', () => {
    expect(problemsOf({ clusters: { prod: {} }, claster: { prod: {} } })).toEqual([
      expect.stringMatching(
        /^cgroup-medic\.claster = \{"prod":\{\}\}: there is no such setting; remove it, or use one of: clusters, nodeRoles, people, trustedSessionRoles, slack, lease,/,
      ),
    ]);
  });

  it('lists everything that is wrong in one error', () => {
    const context = { clusters: { prod: { initialMode: 'x', extra: 1 } }, audit: { retentionDays: 7 } };
    expect(() => readSettings(context)).toThrow(
      [
        'the settings under "cgroup-medic" in the context of cdk.json are not right:',
        '  - cgroup-medic.clusters.prod.initialMode = "x": change it; it must be one of "observe", "approve", "auto"',
        '  - cgroup-medic.clusters.prod.extra = 1: there is no such setting; remove it, or use one of: initialMode, policy, reclaim, sessions, scopes, agents, thresholds, diagnosis, examination, census, api, alarms, verification, gates, approval, slack, replacement, standing',
        '  - cgroup-medic.audit.retentionDays = 7: change it; it must be one of 90, 180, 365, 400, 545, 731, 1827, 3653',
      ].join('\n'),
    );
  });
});
