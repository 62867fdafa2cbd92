import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  censusFunctionNames,
  doorFunctionNames,
  functionNames,
  intakeFunctionNames,
} from '../../cdk/function-names.ts';
import { documentNames, loadDocument } from '../../ssm-documents/load.ts';
import { onlyResource, type Resource, render, resourcesOf, synthesize, type Template } from './template.ts';

let template: Template;
beforeAll(() => {
  template = synthesize();
});

/** The only resource whose logical id begins like this. */
function named(start: string): Resource {
  const [found, ...more] = Object.entries(template.Resources).filter(
    ([id]) => id.replace(/[0-9A-F]{8}$/, '') === start,
  );
  if (found === undefined || more.length > 0) throw new Error(`expected exactly one resource ${start}`);
  return found[1];
}

const all = () => resourcesOf(template, 'AWS::Lambda::Function').map(({ Properties }) => Properties);
/** Those of incidents. Of the census: census.test.ts, of the intake: intake.test.ts, of the console: decide-runbook.test.ts. */
const functions = () =>
  all().filter(
    ({ FunctionName }) => !/-(census-.*|intake|webhook|decide-at-console)$/.test(String(FunctionName)),
  );

describe('the functions', () => {
  it('are the known ones, each under a name that people can type', () => {
    expect(all().map(({ FunctionName }) => FunctionName)).toEqual(
      [...functionNames, ...intakeFunctionNames, ...censusFunctionNames, ...doorFunctionNames].map(
        (name) => `CgroupMedic-${name}`,
      ),
    );
  });

  it('run Node 24 on arm64 with a timeout and memory of their own choice', () => {
    for (const properties of functions()) {
      const name = String(properties.FunctionName).replace('CgroupMedic-', '');
      expect(properties, name).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        MemorySize: 256,
        Timeout:
          { close: 120, janitor: 300, 'hold-node': 120, 'replace-step': 60, 'send-undo': 120 }[name] ?? 30,
      });
    }
  });

  it('write to a log group of their own that forgets after three months', () => {
    const logGroups = functions().map(({ LoggingConfig }) => render(template, LoggingConfig ?? null));
    expect(new Set(logGroups.map((group) => JSON.stringify(group))).size).toBe(functionNames.length);
    for (const name of functionNames) {
      const id = `Functions${name.replaceAll('-', '')}Log`;
      expect(logGroups).toContainEqual({ LogFormat: 'JSON', LogGroup: `<${id}>` });
      expect(named(id).Properties.RetentionInDays).toBe(90);
    }
  });

  it('know the resources and documents from their environment', () => {
    const documents = Object.fromEntries(
      documentNames.map((name) => [
        name,
        { name: `<Documents${name.replaceAll('-', '')}>`, contentDigest: loadDocument(name).contentDigest },
      ]),
    );
    for (const { Environment } of functions()) {
      const { DOCUMENTS, ...rest } = (
        render(template, Environment ?? null) as { Variables: Record<string, string> }
      ).Variables;
      expect(JSON.parse(DOCUMENTS ?? '')).toEqual(documents);
      expect(rest).toEqual({
        STATE_TABLE: '<StateTable>',
        AUDIT_TABLE: '<AuditTable>',
        AUDIT_LOG_GROUP: '<AuditLog>',
        DECIDE_DOCUMENT: 'CgroupMedic-decide',
        NOTIFY_TOPIC_ARN: '<NotificationsTopic>',
        SIGNING_KEY_ID: '<SigningKey>',
        MODE_PARAMETER_PREFIX: '/cgroup-medic',
        SOFTWARE_VERSION: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        POWERTOOLS_SERVICE_NAME: 'cgroup-medic',
        NODE_OPTIONS: '--enable-source-maps',
      });
    }
  });
});

describe('the documents', () => {
  it.each(documentNames)('%s is a command document whose updates add a version', (name) => {
    expect(named(`Documents${name.replaceAll('-', '')}`)).toMatchObject({
      Type: 'AWS::SSM::Document',
      Properties: {
        DocumentType: 'Command',
        DocumentFormat: 'JSON',
        UpdateMethod: 'NewVersion',
        TargetType: '/AWS::EC2::Instance',
      },
    });
  });

  it.each(documentNames)(
    '%s reaches the template byte by byte: its digest there is the one the functions check',
    (name) => {
      const { Content } = named(`Documents${name.replaceAll('-', '')}`).Properties;
      const digest = createHash('sha256').update(canonical(Content)).digest('hex');
      expect(digest).toBe(loadDocument(name).contentDigest);
    },
  );
});

/** Written again here on purpose: the digest of the template is checked without the code that made it. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

describe('data', () => {
  it('of the audit trail outlives the stack and cannot be deleted by accident', () => {
    expect(named('AuditTable')).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        KeySchema: [
          { AttributeName: 'incident', KeyType: 'HASH' },
          { AttributeName: 'seq', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'incident', AttributeType: 'S' },
          { AttributeName: 'seq', AttributeType: 'N' },
        ],
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    });
    expect(named('AuditLog')).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { RetentionInDays: 400 },
    });
    expect(named('SigningKey')).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
    });
  });

  it('of running incidents expires, and can be restored meanwhile', () => {
    expect(named('StateTable').Properties).toMatchObject({
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      BillingMode: 'PAY_PER_REQUEST',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
  });

  it('about incidents stays out of the log of the state machine', () => {
    expect(onlyResource(template, 'AWS::StepFunctions::StateMachine').Properties).toMatchObject({
      StateMachineType: 'STANDARD',
      LoggingConfiguration: { IncludeExecutionData: false, Level: 'ALL' },
      TracingConfiguration: { Enabled: true },
    });
  });
});

describe('the mode of a cluster', () => {
  it('is a parameter that begins with the mode of the settings and takes no other words', () => {
    const { Properties } = onlyResource(template, 'AWS::SSM::Parameter');
    expect(Properties).toMatchObject({
      Name: '/cgroup-medic/example/mode',
      Type: 'String',
      Value: 'observe',
    });
    const allowed = new RegExp(String(Properties.AllowedPattern));
    for (const mode of ['observe', 'approve', 'auto']) expect(mode).toMatch(allowed);
    for (const word of ['', 'Observe', 'auto ', 'autopilot', 'off', 'xauto'])
      expect(word).not.toMatch(allowed);
  });
});

describe('the people', () => {
  it('are told by mail where the settings name addresses', () => {
    const told = synthesize({ clusters: { example: {} }, notify: { emails: ['sre@example.com'] } });
    const toPeople = resourcesOf(told, 'AWS::SNS::Subscription')
      .map(({ Properties }) => render(told, Properties))
      .filter((one) => JSON.stringify(one).includes('NotificationsTopic'));

    expect(toPeople).toEqual([
      {
        Endpoint: 'sre@example.com',
        Protocol: 'email',
        TopicArn: '<NotificationsTopic>',
        // Alarms of CloudWatch come without any attribute, and are for people as well.
        FilterPolicy: { quiet: [{ exists: false }] },
      },
    ]);
  });
});

describe('the janitor', () => {
  it('calls people when it has failed itself', () => {
    const { Properties } = named('JanitorFailed');
    expect(render(template, Properties)).toMatchObject({
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: '<JanitorDeadLetters.QueueName>' }],
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      AlarmActions: ['<NotificationsTopic>'],
    });
    const { PolicyDocument } = named('NotificationsTopicPolicy').Properties;
    expect(JSON.stringify(render(template, PolicyDocument ?? null))).toContain(
      '"Principal":{"Service":"cloudwatch.amazonaws.com"}',
    );
  });

  it('is called for executions of this state machine that were stopped, timed out or failed', () => {
    const { EventPattern, Targets } = named('JanitorRule').Properties;
    expect(render(template, EventPattern ?? null)).toEqual({
      source: ['aws.states'],
      'detail-type': ['Step Functions Execution Status Change'],
      detail: {
        status: ['ABORTED', 'TIMED_OUT', 'FAILED'],
        stateMachineArn: ['<IncidentStateMachine>'],
      },
    });
    expect(render(template, Targets ?? null)).toEqual([
      {
        Id: 'Target0',
        Arn: 'arn:aws:lambda:us-east-1:000000000000:function:CgroupMedic-janitor',
        DeadLetterConfig: { Arn: '<JanitorDeadLetters.Arn>' },
      },
    ]);
  });

  it('is tried again twice, and what it cannot do is kept for two weeks', () => {
    const { Properties } = named('FunctionsjanitorEventInvokeConfig');
    expect(render(template, Properties)).toMatchObject({
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: '<JanitorDeadLetters.Arn>' } },
    });
    expect(named('JanitorDeadLetters').Properties).toMatchObject({
      MessageRetentionPeriod: 14 * 24 * 60 * 60,
      SqsManagedSseEnabled: true,
    });
  });
});

describe('the stack', () => {
  it('names no account and no region', () => {
    expect(JSON.stringify(template)).not.toMatch(/\b\d{12}\b|\b(us|eu|ap|sa|ca|me|af|il)-[a-z]+-\d\b/);
  });

  it('takes messages over TLS only', () => {
    for (const type of ['SNS::Topic', 'SQS::Queue']) {
      const policies = resourcesOf(template, `AWS::${type}Policy`);
      expect(policies).toHaveLength(resourcesOf(template, `AWS::${type}`).length);
      for (const { Properties } of policies) {
        expect(JSON.stringify(Properties.PolicyDocument), type).toContain(
          '"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"',
        );
      }
    }
  });
});
