import { beforeAll, describe, expect, it } from 'vitest';
import { render, resourcesOf, synthesize, type Template } from './template.ts';

const slack = (more: object = {}) => ({
  clusters: { example: {} },
  slack: { enabled: true, teamId: 'T012AB3CD', ...more },
});
let template: Template;
beforeAll(() => {
  template = synthesize(slack());
});

const propertiesOf = (type: string, of = template) =>
  resourcesOf(of, type).map(({ Properties }) => render(of, Properties));
const door = (of: Template) =>
  propertiesOf('AWS::Lambda::Function', of).filter((one) =>
    JSON.stringify(one).includes('"CgroupMedic-slack"'),
  );

describe('the door in Slack', () => {
  it('is not there unless the settings ask for it', () => {
    expect(JSON.stringify(synthesize())).not.toContain('CgroupMedic-slack');
  });

  it('is with the webhook the only public address, and takes no more than five requests at once', () => {
    const called = 'arn:aws:lambda:us-east-1:000000000000:function:CgroupMedic-';
    expect(propertiesOf('AWS::Lambda::Url')).toHaveLength(2);
    expect(propertiesOf('AWS::Lambda::Url')).toEqual(
      expect.arrayContaining([
        { AuthType: 'NONE', TargetFunctionArn: `${called}webhook` },
        { AuthType: 'NONE', TargetFunctionArn: expect.stringMatching(/slack/i) },
      ]),
    );
    expect(door(template)).toMatchObject([{ ReservedConcurrentExecutions: 5 }]);
    expect(door(synthesize(slack({ reservedConcurrency: 0 })))[0]).not.toHaveProperty(
      'ReservedConcurrentExecutions',
    );
  });

  it('gets its messages by a queue of its own, whose dead letters and failures tell people', () => {
    const alarms = propertiesOf('AWS::CloudWatch::Alarm').filter((one) =>
      /SlackFailed|SlackRefused|SlackDeadLetters/.test(JSON.stringify(one)),
    );
    expect(alarms.map((alarm) => (alarm as { MetricName?: string }).MetricName).sort()).toEqual([
      'ApproximateNumberOfMessagesVisible',
      'SlackFailed',
      'SlackRefused',
    ]);
    for (const alarm of alarms) expect(alarm).toMatchObject({ AlarmActions: [expect.any(String)] });
    expect(
      propertiesOf('AWS::SNS::Subscription').filter((one) => /SlackPosts/.test(JSON.stringify(one))),
    ).toMatchObject([{ Protocol: 'sqs', RedrivePolicy: { deadLetterTargetArn: '<SlackDeadLetters.Arn>' } }]);
  });
});
