import { beforeAll, describe, expect, it } from 'vitest';
import { functionNames } from '../../cdk/function-names.ts';
import { list, rightsOf, statementsOf } from './rights-of.ts';
import { functionNamed, onlyResource, render, resourcesOf, synthesize, type Template } from './template.ts';

let template: Template;
beforeAll(() => {
  template = synthesize();
});

const ownLog = (name: string) => `<Functions${name.replaceAll('-', '')}Log.Arn>`;
const onNodes =
  'ssm:SendCommand on arn:aws:ec2:us-east-1:000000000000:instance/* if {"StringEquals":{"ssm:resourceTag/eks:cluster-name":["example"]}}';
const send = (...documents: string[]) => [
  onNodes,
  ...documents.flatMap((document) =>
    ['SendCommand', 'GetDocument', 'DescribeDocument'].map(
      (action) =>
        `ssm:${action} on arn:aws:ssm:us-east-1:000000000000:document/<Documents${document.replaceAll('-', '')}>`,
    ),
  ),
];
const inverses = ['reclaim-restore', 'disable-linger', 'release-sessions', 'release-unit', 'enable-agent'];
const follow = ['ssm:GetCommandInvocation on *', 'ssm:CancelCommand on *'];
// The name of the parameter begins with the slash.
const readMode = ['ssm:GetParameter on arn:aws:ssm:us-east-1:000000000000:parameter<Modesexample>'];
const askGates = [
  ...readMode,
  'dynamodb:Query on <StateTable.Arn> if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["PAUSE#*"]}}',
  'ec2:DescribeTags on *',
  // The machine image of the node, where the opening could not learn it.
  'ec2:DescribeInstances on *',
];
const publish = ['sns:Publish on <NotificationsTopic>'];
const approvals = ['dynamodb:PutItem on <StateTable.Arn>'];
const sign = ['kms:Sign on <SigningKey.Arn>'];

/** What each function may do beyond the state table, the audit trail and its own log. */
const ownRights: Record<string, string[]> = {
  open: ['ec2:DescribeInstances on *', 'ec2:DescribeTags on *'],
  'examine-around': [
    'cloudwatch:GetMetricData on *',
    'ec2:GetConsoleOutput on arn:aws:ec2:us-east-1:000000000000:instance/* if {"StringEquals":{"aws:ResourceTag/eks:cluster-name":["example"]}}',
  ],
  'send-evidence': send('collect-evidence', 'collect-services'),
  'send-treatment': send(
    'reclaim',
    'stop-scopes',
    'enable-linger',
    'restart-logind',
    'contain-sessions',
    'contain-unit',
    'disable-agent',
    'drop-caches',
    'prune-containers',
    'restart-kubelet',
  ),
  'send-undo': [...send(...inverses), 'ssm:CancelCommand on *'],
  'poll-command': follow,
  gate: askGates,
  recheck: askGates,
  diagnose: publish,
  'request-approval': [...publish, ...approvals],
  'settle-approval': [...publish, ...approvals],
  'record-treatment': publish,
  'replace-step': publish,
  verify: publish,
  notify: publish,
  'next-rung': publish,
  close: [
    ...publish,
    ...sign,
    'cloudwatch:PutMetricData on * if {"StringEquals":{"cloudwatch:namespace":"CgroupMedic"}}',
  ],
  decide: ['states:SendTaskSuccess on <IncidentStateMachine>', ...approvals],
  janitor: [
    ...send(...inverses),
    ...follow,
    ...publish,
    ...sign,
    ...approvals,
    ...['SendMessage', 'GetQueueAttributes', 'GetQueueUrl'].map(
      (action) => `sqs:${action} on <JanitorDeadLetters.Arn>`,
    ),
  ],
};

describe('the rights of a function', () => {
  it.each(functionNames)('%s may do exactly what it needs', (name) => {
    const expected = [
      ...['GetItem', 'UpdateItem'].map((action) => `dynamodb:${action} on <StateTable.Arn>`),
      ...['Query', 'PutItem', 'UpdateItem'].map((action) => `dynamodb:${action} on <AuditTable.Arn>`),
      ...['CreateLogStream', 'PutLogEvents'].flatMap((action) => [
        `logs:${action} on <AuditLog.Arn>`,
        `logs:${action} on ${ownLog(name)}`,
      ]),
      ...(ownRights[name] ?? []),
    ];
    expect(rightsOf(template, functionNamed(template, name).Properties.Role ?? null)).toEqual(
      expected.sort(),
    );
  });

  it('is held by a role of its own, which only Lambda can assume', () => {
    const roles = functionNames.map((name) =>
      String(render(template, functionNamed(template, name).Properties.Role ?? null)),
    );
    expect(new Set(roles).size).toBe(functionNames.length);
    for (const { Properties } of resourcesOf(template, 'AWS::IAM::Role')) {
      const [statement, ...more] = statementsOf(template, Properties.AssumeRolePolicyDocument);
      expect(more).toEqual([]);
      expect(JSON.stringify(statement?.Principal)).toMatch(
        /^\{"Service":"(lambda|states|scheduler)\.amazonaws\.com"\}$/,
      );
      expect(Properties.ManagedPolicyArns).toBeUndefined();
      expect(Properties.Policies).toBeUndefined();
    }
  });
});

describe('the rights of the state machine', () => {
  it('are to invoke the functions of its states, to log and to trace', () => {
    const { Properties } = onlyResource(template, 'AWS::StepFunctions::StateMachine');
    const invoked = functionNames
      .filter((name) => name !== 'decide' && name !== 'janitor')
      .map(
        (name) =>
          `lambda:InvokeFunction on arn:aws:lambda:us-east-1:000000000000:function:CgroupMedic-${name}`,
      );
    const logging = [
      'CreateLogDelivery',
      'GetLogDelivery',
      'UpdateLogDelivery',
      'DeleteLogDelivery',
      'ListLogDeliveries',
      'PutResourcePolicy',
      'DescribeResourcePolicies',
      'DescribeLogGroups',
    ].map((action) => `logs:${action} on *`);
    const tracing = ['PutTraceSegments', 'PutTelemetryRecords', 'GetSamplingRules', 'GetSamplingTargets'].map(
      (action) => `xray:${action} on *`,
    );
    expect(rightsOf(template, Properties.RoleArn ?? null)).toEqual(
      [...invoked, ...logging, ...tracing].sort(),
    );
  });
});

describe('no policy in the template', () => {
  it('has a wildcard in an action', () => {
    const actions = resourcesOf(template, 'AWS::IAM::Policy')
      .flatMap(({ Properties }) => statementsOf(template, Properties.PolicyDocument))
      .flatMap(({ Action }) => list(Action).map(String));
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });
});

describe('from outside', () => {
  it('only EventBridge may invoke a function, and only the janitor; and everybody the webhook, by its URL', () => {
    const permissions = resourcesOf(template, 'AWS::Lambda::Permission').map(({ Properties }) =>
      render(template, Properties),
    );
    const webhook = {
      FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:CgroupMedic-webhook',
      Principal: '*',
    };
    expect(permissions).toHaveLength(3);
    expect(permissions).toEqual(
      expect.arrayContaining([
        {
          Action: 'lambda:InvokeFunction',
          FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:CgroupMedic-janitor',
          Principal: 'events.amazonaws.com',
          SourceArn: '<JanitorRule.Arn>',
        },
        { ...webhook, Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'NONE' },
        { ...webhook, Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true },
      ]),
    );
  });
});
