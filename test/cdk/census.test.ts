import { beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, type Json } from '../../local/engine/json.ts';
import { rightsOf as allRightsOf } from './rights-of.ts';
import { functionNamed, render, resourcesOf, synthesize, type Template } from './template.ts';

let template: Template;
beforeAll(() => {
  template = synthesize();
});

/** What one role may do, by the name that `render` gives it. */
function rightsOf(role: string): string[] {
  return allRightsOf(template, `<${role}.Arn>`);
}

const ownLog = (id: string) =>
  ['CreateLogStream', 'PutLogEvents'].map((action) => `logs:${action} on <Census${id}Log.Arn>`);

describe('the rights of the census', () => {
  it('to begin are to send the two documents that only read, to tagged nodes, and to leave word', () => {
    expect(rightsOf('CensuscensusstartRole')).toEqual(
      [
        ...ownLog('censusstart'),
        'ssm:SendCommand on arn:aws:ec2:us-east-1:000000000000:instance/* if {"StringEquals":{"ssm:resourceTag/eks:cluster-name":["example"]}}',
        ...['collectevidence', 'collectservices'].flatMap((document) =>
          ['SendCommand', 'GetDocument', 'DescribeDocument'].map(
            (action) => `ssm:${action} on arn:aws:ssm:us-east-1:000000000000:document/<Documents${document}>`,
          ),
        ),
        'sqs:SendMessage on <CensusLooks.Arn>',
        ...['SendMessage', 'GetQueueAttributes', 'GetQueueUrl'].map(
          (action) => `sqs:${action} on <CensusDeadLetters.Arn>`,
        ),
      ].sort(),
    );
  });

  const publish = 'cloudwatch:PutMetricData on * if {"StringEquals":{"cloudwatch:namespace":"CgroupMedic"}}';
  const take = (queue: string) =>
    ['ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'GetQueueAttributes', 'GetQueueUrl'].map(
      (action) => `sqs:${action} on <${queue}.Arn>`,
    );

  const lists = (...partitions: string[]) =>
    `dynamodb:Query on <StateTable.Arn> if ${JSON.stringify({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions } })}`;

  it('to read are to see what was printed, and to hand the run on', () => {
    expect(rightsOf('CensuscensusreadRole')).toEqual(
      [
        ...ownLog('censusread'),
        ...['ListCommands', 'ListCommandInvocations', 'GetCommandInvocation'].map(
          (action) => `ssm:${action} on *`,
        ),
        ...['GetItem', 'UpdateItem'].map((action) => `dynamodb:${action} on <StateTable.Arn>`),
        lists('STANDING#*', 'STANDING-END#*'),
        // The groups of nodes, where one has a standing treatment.
        'ec2:DescribeInstances on *',
        ...take('CensusLooks'),
        'sqs:SendMessage on <CensusLooks.Arn>',
        'sqs:SendMessage on <CensusEnds.Arn>',
      ].sort(),
    );
  });

  it('to close are to see which nodes there are, to publish, to raise and to remember whom, and to tell people', () => {
    expect(rightsOf('CensuscensuscloseRole')).toEqual(
      [
        ...ownLog('censusclose'),
        'ec2:DescribeInstances on *',
        publish,
        'sns:Publish on <NotificationsTopic>',
        'sqs:SendMessage on <IntakeAlarms.Arn>',
        ...['GetItem', 'PutItem', 'UpdateItem'].map((action) => `dynamodb:${action} on <StateTable.Arn>`),
        lists('PAUSE#*'),
        lists('STANDING#*', 'STANDING-END#*'),
        ...take('CensusEnds'),
      ].sort(),
    );
  });

  it('of the clock are to begin a run, and to keep one that could not begin', () => {
    expect(rightsOf('CensusScheduleRole')).toEqual([
      'lambda:InvokeFunction on arn:aws:lambda:us-east-1:000000000000:function:CgroupMedic-census-start',
      'sqs:SendMessage on <CensusDeadLetters.Arn>',
    ]);
  });
});

/** What a schedule says, by the cluster and profile that it asks for. */
function schedules(from: Template): Record<string, Json> {
  return Object.fromEntries(
    resourcesOf(from, 'AWS::Scheduler::Schedule').map(({ Properties }) => {
      const { Target, ScheduleExpression, FlexibleTimeWindow } = Properties;
      const target = isJsonObject(Target) ? Target : {};
      const { cluster, profile } = JSON.parse(String(target.Input));
      return [`${cluster} ${profile}`, [ScheduleExpression ?? null, FlexibleTimeWindow ?? null]];
    }),
  );
}

describe('the clock of the census', () => {
  it('asks each cluster as often as its settings say, and one that switches it off never', () => {
    const census = (settings: object) => ({ census: settings });

    expect(
      schedules(
        synthesize({
          clusters: {
            usual: {},
            other: census({ everyMinutes: 60, jitterMinutes: 0, weeklyReport: 'SUN' }),
            measured: census({ weeklyReport: 'never' }),
            off: census({ enabled: false }),
          },
        }),
      ),
    ).toEqual({
      'usual quick': ['rate(15 minutes)', { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 5 }],
      'usual full': ['cron(0 6 ? * MON *)', { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 60 }],
      'other quick': ['rate(1 hour)', { Mode: 'OFF' }],
      'other full': ['cron(0 6 ? * SUN *)', { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 60 }],
      'measured quick': ['rate(15 minutes)', { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 5 }],
    });
  });

  it('refuses a look that could begin after the next one', () => {
    expect(() =>
      synthesize({ clusters: { example: { census: { everyMinutes: 5, jitterMinutes: 5 } } } }),
    ).toThrow(/census.*jitterMinutes below everyMinutes/);
  });

  it('keeps what could not begin, and does not begin it late', () => {
    for (const { Properties } of resourcesOf(template, 'AWS::Scheduler::Schedule')) {
      expect(render(template, Properties.Target ?? null)).toMatchObject({
        DeadLetterConfig: { Arn: '<CensusDeadLetters.Arn>' },
        RetryPolicy: { MaximumEventAgeInSeconds: 300, MaximumRetryAttempts: 2 },
      });
    }
  });
});

describe('a look of the census', () => {
  it('that breaks is repeated twice, with the time that the function has, and then kept for people', () => {
    const queues = resourcesOf(template, 'AWS::SQS::Queue').map(({ Properties }) =>
      render(template, Properties),
    );
    const read = functionNamed(template, 'census-read').Properties;
    const mappings = resourcesOf(template, 'AWS::Lambda::EventSourceMapping').map(({ Properties }) =>
      render(template, Properties),
    );

    expect(functionNamed(template, 'census-close').Properties.Timeout).toBe(read.Timeout);
    expect(
      queues.filter(
        (queue) =>
          isJsonObject(queue) && JSON.stringify(queue.RedrivePolicy)?.includes('<CensusDeadLetters.Arn>'),
      ),
    ).toEqual(
      Array(2).fill(
        expect.objectContaining({
          RedrivePolicy: { deadLetterTargetArn: '<CensusDeadLetters.Arn>', maxReceiveCount: 3 },
          SqsManagedSseEnabled: true,
          VisibilityTimeout: Number(read.Timeout) + 60,
        }),
      ),
    );
    for (const queue of ['<CensusLooks.Arn>', '<CensusEnds.Arn>']) {
      expect(mappings).toContainEqual(expect.objectContaining({ EventSourceArn: queue, BatchSize: 1 }));
    }
  });
});
