import { beforeAll, describe, expect, it } from 'vitest';
import { Request } from '../../lambdas/domain/intake/by-hand.ts';
import { isJsonObject, type Json, type JsonObject } from '../../local/engine/json.ts';
import { type Resource, render, resourcesOf, synthesize, type Template } from './template.ts';

let template: Template;
beforeAll(() => {
  template = synthesize();
});

function named(start: string, from = template): Resource {
  const [found, ...more] = Object.entries(from.Resources).filter(
    ([id]) => id.replace(/[0-9A-F]{8}$/, '') === start,
  );
  if (found === undefined || more.length > 0) throw new Error(`expected exactly one resource ${start}`);
  return found[1];
}

const propertiesOf = (start: string): Json => render(template, named(start).Properties);

function list(value: Json | undefined): Json[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function statementsOf(policy: Json | undefined): JsonObject[] {
  const rendered = render(template, policy ?? null);
  return isJsonObject(rendered) ? list(rendered.Statement).filter(isJsonObject) : [];
}

/** `ACTION on RESOURCE [if CONDITION]`, of every statement of one role. */
function rightsOf(role: string): string[] {
  return resourcesOf(template, 'AWS::IAM::Policy')
    .filter(({ Properties }) => list(render(template, Properties.Roles ?? [])).includes(`<${role}>`))
    .flatMap(({ Properties }) => statementsOf(Properties.PolicyDocument))
    .flatMap((statement) => {
      expect(statement.Effect).toBe('Allow');
      const condition = statement.Condition === undefined ? '' : ` if ${JSON.stringify(statement.Condition)}`;
      return list(statement.Action).flatMap((action) =>
        list(statement.Resource).map((resource) => `${String(action)} on ${String(resource)}${condition}`),
      );
    })
    .sort();
}

const ownLog = (id: string) =>
  ['CreateLogStream', 'PutLogEvents'].map((action) => `logs:${action} on <${id}Log.Arn>`);

describe('the rights', () => {
  it('of the intake are to read its queues, to find a node, to start an incident, and to write down what it refuses', () => {
    expect(rightsOf('IntakeFunctionRole')).toEqual(
      [
        ...ownLog('IntakeFunction'),
        ...['IntakeAlarms', 'IntakeByHand'].flatMap((queue) =>
          ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map(
            (action) => `sqs:${action} on <${queue}.Arn>`,
          ),
        ),
        'ec2:DescribeInstances on *',
        'cloudwatch:DescribeAlarms on arn:aws:cloudwatch:us-east-1:000000000000:alarm:*',
        'states:StartExecution on <IncidentStateMachine>',
        ...['CreateLogStream', 'PutLogEvents'].map((action) => `logs:${action} on <AuditLog.Arn>`),
      ].sort(),
    );
  });

  it('of the webhook are to read its token, and to write to the queue', () => {
    expect(rightsOf('IntakeWebhookFunctionRole')).toEqual(
      [
        ...ownLog('IntakeWebhookFunction'),
        'secretsmanager:GetSecretValue on <IntakeWebhookToken>',
        'sqs:SendMessage on <IntakeAlarms.Arn>',
      ].sort(),
    );
  });
});

describe('the queue of alarms', () => {
  it('takes messages of the rule and the topic, and of the functions that send; from everybody else it does not', () => {
    const statements = statementsOf(named('IntakeAlarmsPolicy').Properties.PolicyDocument);
    const [overTls, others, ...allowed] = statements;
    expect(JSON.stringify(overTls)).toContain('"aws:SecureTransport":"false"');
    expect(others).toEqual({
      Effect: 'Deny',
      Principal: '*',
      Action: 'sqs:SendMessage',
      Resource: '<IntakeAlarms.Arn>',
      Condition: {
        BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' },
        ArnNotEqualsIfExists: {
          'aws:PrincipalArn': ['<IntakeWebhookFunctionRole.Arn>', '<CensuscensuscloseRole.Arn>'],
        },
      },
    });
    expect(allowed.map(({ Principal, Condition }) => ({ Principal, Condition }))).toEqual([
      {
        Principal: { Service: 'events.amazonaws.com' },
        Condition: { ArnEquals: { 'aws:SourceArn': '<IntakeCloudWatch.Arn>' } },
      },
      {
        Principal: { Service: 'sns.amazonaws.com' },
        Condition: { ArnEquals: { 'aws:SourceArn': '<IntakePrometheus>' } },
      },
    ]);
  });
});

describe.each(['IntakeAlarms', 'IntakeByHand'])('the queue %s', (queue) => {
  it('is encrypted, waits six times as long as the function may take, and keeps what failed five times for two weeks', () => {
    const { Timeout } = named('IntakeFunction').Properties;
    expect(propertiesOf(queue)).toEqual({
      SqsManagedSseEnabled: true,
      VisibilityTimeout: 6 * Number(Timeout),
      RedrivePolicy: { deadLetterTargetArn: '<IntakeDeadLetters.Arn>', maxReceiveCount: 5 },
    });
    expect(propertiesOf('IntakeDeadLetters')).toEqual({
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 14 * 24 * 60 * 60,
    });
  });

  it('is read by the intake, which says message by message what has to stay', () => {
    const mappings = resourcesOf(template, 'AWS::Lambda::EventSourceMapping').map(({ Properties }) =>
      render(template, Properties),
    );
    expect(mappings).toContainEqual({
      EventSourceArn: `<${queue}.Arn>`,
      FunctionName: '<IntakeFunction>',
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 2 },
    });
  });
});

describe('alarms of CloudWatch', () => {
  it('come by name, whether they go off or end, and series by series', () => {
    expect(propertiesOf('IntakeCloudWatch')).toMatchObject({
      State: 'ENABLED',
      EventPattern: {
        source: ['aws.cloudwatch'],
        'detail-type': ['CloudWatch Alarm State Change', 'CloudWatch Alarm Contributor State Change'],
        detail: { alarmName: [{ prefix: 'cgroup-medic-' }], state: { value: ['ALARM', 'OK'] } },
      },
      Targets: [
        { Arn: '<IntakeAlarms.Arn>', DeadLetterConfig: { Arn: '<IntakeDeadLetters.Arn>' }, Id: 'Target0' },
      ],
    });
  });

  it('may be called otherwise, if the settings say so', () => {
    const other = synthesize({ clusters: { example: {} }, intake: { alarmPrefixes: ['node-', 'sick-'] } });
    expect(JSON.stringify(named('IntakeCloudWatch', other).Properties.EventPattern)).toContain(
      '"alarmName":[{"prefix":"node-"},{"prefix":"sick-"}]',
    );
    expect(() => synthesize({ clusters: { example: {} }, intake: { alarmPrefixes: [''] } })).toThrow(
      /alarmPrefixes.*at least three characters/,
    );
  });
});

describe('the topic of Amazon Managed Prometheus', () => {
  it('is written to by that service, for workspaces of this account and region, and hands on whole notifications', () => {
    const [, allowed, ...more] = statementsOf(named('IntakePrometheusPolicy').Properties.PolicyDocument);
    expect(more).toEqual([]);
    expect(allowed).toMatchObject({
      Principal: { Service: 'aps.amazonaws.com' },
      Action: ['sns:GetTopicAttributes', 'sns:Publish'],
      Condition: {
        StringEquals: { 'aws:SourceAccount': '000000000000' },
        ArnLike: { 'aws:SourceArn': 'arn:aws:aps:us-east-1:000000000000:workspace/*' },
      },
    });
    const [subscription] = resourcesOf(template, 'AWS::SNS::Subscription').map(({ Properties }) =>
      render(template, Properties),
    );
    expect(subscription).toMatchObject({
      TopicArn: '<IntakePrometheus>',
      Protocol: 'sqs',
      Endpoint: '<IntakeAlarms.Arn>',
      RawMessageDelivery: false,
      RedrivePolicy: { deadLetterTargetArn: '<IntakeDeadLetters.Arn>' },
    });
  });
});

describe('the webhook', () => {
  it('is the only public address, and takes no more than five requests at once', () => {
    const urls = resourcesOf(template, 'AWS::Lambda::Url').map(({ Properties }) =>
      render(template, Properties),
    );
    expect(urls).toEqual([
      {
        AuthType: 'NONE',
        TargetFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:CgroupMedic-webhook',
      },
    ]);
    expect(named('IntakeWebhookFunction').Properties.ReservedConcurrentExecutions).toBe(5);
  });

  it('has a token that nobody chose, of letters and digits only', () => {
    expect(propertiesOf('IntakeWebhookToken')).toMatchObject({
      GenerateSecretString: { PasswordLength: 48, ExcludePunctuation: true, IncludeSpace: false },
    });
  });

  it('is not there where the settings switch it off, and reserves nothing where they say so', () => {
    const off = synthesize({ clusters: { example: {} }, intake: { webhook: { enabled: false } } });
    for (const word of [
      'AWS::Lambda::Url',
      'AWS::SecretsManager::Secret',
      'CgroupMedic-webhook',
      '"Principal":"*","Action":"lambda',
    ])
      expect(JSON.stringify(off), word).not.toContain(word);
    const unreserved = synthesize({
      clusters: { example: {} },
      intake: { webhook: { reservedConcurrency: 0 } },
    });
    expect(named('IntakeWebhookFunction', unreserved).Properties).not.toHaveProperty(
      'ReservedConcurrentExecutions',
    );
  });
});

describe('whoever deploys it', () => {
  it('learns where to send what', () => {
    const { Outputs } = template as unknown as { Outputs: Record<string, { Value: Json }> };
    const rendered = Object.fromEntries(
      Object.entries(Outputs).map(([name, { Value }]) => [name, render(template, Value)]),
    );
    expect(rendered).toMatchObject({
      ByHandQueueUrl: '<IntakeByHand>',
      PrometheusTopicArn: '<IntakePrometheus>',
      WebhookUrl: '<IntakeWebhookFunctionFunctionUrl.FunctionUrl>',
      WebhookSecretArn: '<IntakeWebhookToken>',
      IntakeDeadLettersUrl: '<IntakeDeadLetters>',
    });
  });
});

describe('the runbook of the console', () => {
  type Parameter = { allowedPattern?: string; allowedValues?: string[]; default?: string };
  const content = () =>
    (propertiesOf('IntakeRunbookDocument') as JsonObject).Content as unknown as {
      assumeRole?: string;
      parameters: Record<string, Parameter>;
      mainSteps: { action: string; inputs: Record<string, string> }[];
    };

  it('sends one message, to the queue of people, as whoever starts it', () => {
    const { assumeRole, mainSteps } = content();
    expect(propertiesOf('IntakeRunbookDocument')).toMatchObject({
      Name: 'CgroupMedic-remediate',
      DocumentType: 'Automation',
    });
    expect(assumeRole).toBeUndefined();
    expect(mainSteps).toMatchObject([
      {
        action: 'aws:executeAwsApi',
        inputs: { Service: 'sqs', Api: 'SendMessage', QueueUrl: '<IntakeByHand>' },
      },
    ]);
  });

  /** What the message is, once Automation has pasted the parameters. */
  function pasted(values: Record<string, string>): unknown {
    const { mainSteps, parameters } = content();
    const body = Object.keys(parameters).reduce(
      (text, name) => text.replaceAll(`{{ ${name} }}`, values[name] ?? parameters[name]?.default ?? ''),
      mainSteps[0]?.inputs.MessageBody ?? '',
    );
    expect(body).not.toContain('{{');
    return JSON.parse(body);
  }

  it('pastes a request that the intake takes', () => {
    const given = {
      InstanceId: 'i-0123456789abcdef0',
      ClusterName: 'example',
      Reason: 'slow since noon (see #12)'.replace('#', ''),
    };
    const message = pasted(given) as { source: string; payload: unknown };
    expect(message.source).toBe('by-hand');
    expect(Request.parse(message.payload)).toEqual({
      instanceId: 'i-0123456789abcdef0',
      cluster: 'example',
      reason: 'slow since noon (see 12)',
    });
    expect(
      Request.safeParse((pasted({ ...given, Reason: '' }) as { payload: unknown }).payload).success,
    ).toBe(true);
  });

  it.each([
    [
      'InstanceId',
      ['i-0123456789abcdef0', 'i-01234567'],
      ['', 'i-', 'i-0123456789abcdef0"', 'mi-0123456789abcdef0', 'i-0123456789abcdef0\n'],
    ],
    [
      'Reason',
      ['', 'slow since noon', 'PSI 40, 12/s: (see wiki)'],
      ['"', '\\', 'a\nb', '","cluster":"other', '{{ x }}', '\u0000', 'ü', 'x'.repeat(201)],
    ],
  ])('takes for %s only what cannot end a text in JSON', (name, good, bad) => {
    const pattern = new RegExp(content().parameters[name]?.allowedPattern ?? '');
    for (const value of good) expect(value).toMatch(pattern);
    for (const value of bad) expect(value).not.toMatch(pattern);
  });

  it('offers the configured clusters, and no other', () => {
    expect(content().parameters.ClusterName).toMatchObject({ allowedValues: ['example'] });
  });
});
