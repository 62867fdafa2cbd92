import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, it } from 'vitest';
import { publish } from '../../../lambdas/adapters/notifier.ts';

const sns = mockClient(SNSClient);

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
