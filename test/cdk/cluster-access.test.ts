import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, type Json, type JsonObject } from '../../local/engine/json.ts';
import { functionNamed, type Resource, render, resourcesOf, synthesize, type Template } from './template.ts';

const vpc = { subnetIds: ['subnet-0123456789abcdef0'], securityGroupIds: ['sg-0123456789abcdef0'] };
const readerActions = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

let template: Template;
beforeAll(() => {
  template = synthesize({
    clusters: {
      closed: {},
      open: { api: { access: 'public' } },
      inside: { api: { access: 'vpc', vpc } },
      // Its labels are no veto.
      unlabelled: { api: { access: 'public' }, gates: { veto: { nodeLabel: false } } },
    },
  });
});

/** The statements of the policy whose logical id begins like this. */
function statements(id: string): JsonObject[] {
  const [, policy] =
    Object.entries(template.Resources).find(
      ([name, { Type }]) => Type === 'AWS::IAM::Policy' && name.startsWith(id),
    ) ?? [];
  const document = render(template, policy?.Properties.PolicyDocument ?? null);
  const all = isJsonObject(document) ? document.Statement : [];
  return Array.isArray(all) ? all.filter(isJsonObject) : [];
}

function actionsOn(id: string, service: string): Json[] {
  return statements(id).filter(({ Action }) => JSON.stringify(Action).includes(`"${service}:`));
}

const reader = (): Resource | undefined =>
  resourcesOf(template, 'AWS::Lambda::Function').find(({ Properties }) => Properties.VpcConfig !== undefined);

describe('a cluster whose API server is asked', () => {
  it('has an access entry for the role that asks, in a group and without any policy of EKS', () => {
    const entries = resourcesOf(template, 'AWS::EKS::AccessEntry').map(({ Properties }) =>
      render(template, Properties),
    );
    const entry = (ClusterName: string, role: string) => ({
      ClusterName,
      KubernetesGroups: ['cgroup-medic:readers'],
      PrincipalArn: `<${role}.Arn>`,
      Type: 'STANDARD',
    });
    expect(entries).toHaveLength(9);
    expect(entries).toEqual(
      expect.arrayContaining([
        entry('inside', 'ClustersReaderinsideRole'),
        entry('open', 'FunctionsexaminearoundRole'),
        entry('open', 'IntakeFunctionRole'),
        entry('open', 'FunctionsgateRole'),
        entry('open', 'FunctionsrecheckRole'),
        entry('unlabelled', 'FunctionsexaminearoundRole'),
        entry('unlabelled', 'IntakeFunctionRole'),
        // Whoever switches the label off still has nodes that somebody else takes away.
        entry('unlabelled', 'FunctionsgateRole'),
        entry('unlabelled', 'FunctionsrecheckRole'),
      ]),
    );
  });

  it.each(['Functionsexaminearound', 'IntakeFunction'])(
    'can be described by %s, which asks, and no other cluster can',
    (asker) => {
      expect(actionsOn(asker, 'eks')).toEqual([
        {
          Action: 'eks:DescribeCluster',
          Effect: 'Allow',
          Resource: [
            'arn:aws:eks:us-east-1:000000000000:cluster/inside',
            'arn:aws:eks:us-east-1:000000000000:cluster/open',
            'arn:aws:eks:us-east-1:000000000000:cluster/unlabelled',
          ],
        },
      ]);
    },
  );

  it.each(['Functionsgate', 'Functionsrecheck'])(
    'can be described by %s, which looks for the marks of the node, whether labels count or not',
    (gatekeeper) => {
      expect(
        statements(gatekeeper).flatMap(({ Action, Resource = null }) =>
          Action === 'eks:DescribeCluster' ? [Resource] : [],
        ),
      ).toEqual([
        [
          'arn:aws:eks:us-east-1:000000000000:cluster/inside',
          'arn:aws:eks:us-east-1:000000000000:cluster/open',
          'arn:aws:eks:us-east-1:000000000000:cluster/unlabelled',
        ],
      ]);
    },
  );
});

describe('a cluster that is asked from within', () => {
  it('has a function in its VPC that may call nothing: what the service needs is denied to its code', () => {
    expect(render(template, reader()?.Properties.VpcConfig ?? null)).toEqual({
      SubnetIds: vpc.subnetIds,
      SecurityGroupIds: vpc.securityGroupIds,
    });
    const [allowed, denied, ...more] = statements('ClustersReaderinsideRole').filter(
      ({ Action }) => !JSON.stringify(Action).includes('logs:'),
    );
    expect(more).toEqual([]);
    expect(allowed).toEqual({ Action: readerActions, Effect: 'Allow', Resource: '*' });
    expect(denied).toEqual({
      Action: readerActions,
      Condition: {
        ArnLike: { 'lambda:SourceFunctionArn': 'arn:aws:lambda:us-east-1:000000000000:function:*' },
      },
      Effect: 'Deny',
      Resource: '*',
    });
  });

  it('is asked by nobody but the examination, the intake and the gates, which know the function by the name of the cluster', () => {
    const invoking = resourcesOf(template, 'AWS::IAM::Policy').filter(({ Properties }) =>
      /ClustersReaderinside[0-9A-F]{8}/.test(JSON.stringify(Properties.PolicyDocument)),
    );
    expect(invoking.map(({ Properties }) => render(template, Properties.Roles ?? []))).toEqual([
      ['<FunctionsexaminearoundRole>'],
      ['<FunctionsgateRole>'],
      ['<FunctionsrecheckRole>'],
      ['<IntakeFunctionRole>'],
    ]);
    for (const name of ['examine-around', 'intake', 'gate', 'recheck']) {
      const { Properties } = functionNamed(template, name);
      const environment = render(template, Properties.Environment ?? null);
      expect(JSON.stringify(environment), name).toContain(
        JSON.stringify('{"inside":"<ClustersReaderinside>"}').slice(1, -1),
      );
    }
  });
});

describe('a cluster whose nodes may be replaced', () => {
  let replacing: Template;
  beforeAll(() => {
    replacing = synthesize({
      clusters: {
        closed: {},
        reading: { api: { access: 'public' } },
        open: { api: { access: 'public' }, replacement: { enabled: true } },
        inside: { api: { access: 'vpc', vpc }, replacement: { enabled: true } },
      },
    });
  });
  const changers = () =>
    Object.entries(replacing.Resources).filter(
      ([id, { Type }]) => Type === 'AWS::Lambda::Function' && id.startsWith('ClustersChanger'),
    );

  it('has a function of its own for that, whose role is in a group of its own, and no other cluster has', () => {
    const entries = resourcesOf(replacing, 'AWS::EKS::AccessEntry').map(
      ({ Properties }) => render(replacing, Properties) as JsonObject,
    );
    expect(
      entries
        .filter(({ KubernetesGroups }) => JSON.stringify(KubernetesGroups) !== '["cgroup-medic:readers"]')
        .map(({ ClusterName, KubernetesGroups, PrincipalArn }) => [
          ClusterName,
          KubernetesGroups,
          PrincipalArn,
        ]),
    ).toEqual([
      ['open', ['cgroup-medic:replacers'], '<ClustersChangeropenRole.Arn>'],
      ['inside', ['cgroup-medic:replacers'], '<ClustersChangerinsideRole.Arn>'],
    ]);
    expect(changers()).toHaveLength(2);
  });

  it('keeps that apart from what reads: nobody is in both groups', () => {
    const principals = resourcesOf(replacing, 'AWS::EKS::AccessEntry').map(({ Properties }) =>
      JSON.stringify([Properties.ClusterName, render(replacing, Properties.PrincipalArn ?? null)]),
    );
    expect(new Set(principals).size).toBe(principals.length);
  });

  it('is changed by the functions that docs/replacing.md names, and by no other', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/replacing.md'), 'utf8');
    const [, sentence = ''] = /^- Whoever may invoke it: (.*?)\. /m.exec(page) ?? [];
    const named = [...sentence.matchAll(/`([a-z-]+)`|the (janitor)/g)].map(
      ([, name, other]) => name ?? other,
    );
    // As they stand in the template: functions of which there are several have no name there.
    const policies = resourcesOf(replacing, 'AWS::IAM::Policy').filter(({ Properties }) => {
      const text = JSON.stringify(Properties.PolicyDocument);
      return text.includes('lambda:InvokeFunction') && text.includes('"ClustersChanger');
    });
    const mayInvoke = resourcesOf(replacing, 'AWS::Lambda::Function').filter(({ Properties }) => {
      const [, role] = /\["(\w+)","Arn"\]/.exec(JSON.stringify(Properties.Role)) ?? [];
      return policies.some(({ Properties: { Roles } }) => JSON.stringify(Roles).includes(`"${role}"`));
    });
    expect(mayInvoke.map(({ Properties }) => String(Properties.FunctionName)).sort()).toEqual(
      named.map((name) => `CgroupMedic-${name}`).sort(),
    );
  });

  it('is changed from within its VPC where it is asked from there, and else from outside', () => {
    expect(
      changers().map(([id, { Properties }]) => [
        id.replace(/[0-9A-F]{8}$/, ''),
        Properties.VpcConfig !== undefined,
      ]),
    ).toEqual([
      ['ClustersChangeropen', false],
      ['ClustersChangerinside', true],
    ]);
  });

  it('is looked at by the clock for cordons that were forgotten, in each such cluster, and people hear of it', () => {
    const schedules = resourcesOf(replacing, 'AWS::Scheduler::Schedule').map(
      ({ Properties }) => render(replacing, Properties) as JsonObject,
    );
    const sweeps = schedules.filter(({ Target }) => JSON.stringify(Target).includes('sweep-cordons'));
    expect(
      sweeps.map(({ ScheduleExpression, Target }) => [ScheduleExpression, (Target as JsonObject).Input]),
    ).toEqual(['open', 'inside'].map((cluster) => ['rate(15 minutes)', JSON.stringify({ cluster })]));
    const alarms = Object.entries(replacing.Resources).filter(
      ([id, { Type }]) => Type === 'AWS::CloudWatch::Alarm' && /Forgotten|Lostsweeper/.test(id),
    );
    expect(alarms.map(([id]) => id.replace(/[0-9A-F]{8}$/, '')).sort()).toEqual([
      'PipelineAlarmsForgotteninside',
      'PipelineAlarmsForgottenopen',
      'PipelineAlarmsLostsweeper',
    ]);
  });
});

describe('with the shipped settings', () => {
  it('no API server is asked: no function in a VPC, no access entry, no right on EKS', () => {
    const shipped = JSON.stringify(synthesize({ clusters: { closed: {} } }));
    for (const word of [
      'VpcConfig',
      'AWS::EKS::AccessEntry',
      'eks:DescribeCluster',
      'ClustersChanger',
      'sweep-cordons',
    ])
      expect(shipped, word).not.toContain(word);
  });
});
