import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, it } from 'vitest';
import { publish } from '../../../lambdas/adapters/notifier.ts';

const sns = mockClient(SNSClient);
beforeEach(() => void sns.reset());

it('publishes a subject that the service takes, and the whole title in the body', async () => {
  sns.on(PublishCommand).resolves({});
  const title = `prüfen\n${'x'.repeat(200)}`;
  const message = { kind: 'call-a-person', incident: 'inc', title, text: 'look' } as const;

  await publish(new SNSClient({ region: 'us-east-1' }), 'arn:topic', message);

  const input = sns.commandCalls(PublishCommand)[0]?.args[0].input;
  expect(input?.TopicArn).toBe('arn:topic');
  expect(input?.Subject).toBe(`pr?fen?${'x'.repeat(92)}`);
  expect(JSON.parse(input?.Message ?? '')).toEqual({ version: 1, ...message });
});

it.each([
  ['approved', true],
  ['denied', true],
  ['expired', true],
  // Nothing else says that what somebody has approved is not done.
  ['void', false],
] as const)('an approval that is %s is for the thread of its card only: %s', async (status, quiet) => {
  sns.on(PublishCommand).resolves({});
  const settled = { status, by: [] as string[], at: '2026-11-21T06:10:00.000Z' };
  const message = { kind: 'approval-settled', incident: 'inc', title: 't', text: 't', settled } as const;

  await publish(new SNSClient({ region: 'us-east-1' }), 'arn:topic', message);

  const attributes = sns.commandCalls(PublishCommand)[0]?.args[0].input.MessageAttributes ?? {};
  expect('quiet' in attributes).toBe(quiet);
});
