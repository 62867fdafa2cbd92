import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { Message } from '../domain/message.ts';

/**
 * What goes on while an incident goes on: for the thread of its card. Mail is for what people have to know, such as that what
 * they have approved is not done; any other end of an approval is in the message about what came of it.
 */
function isForThread({ kind, settled }: Omit<Message, 'version'>): boolean {
  return kind === 'progress' || (kind === 'approval-settled' && settled?.status !== 'void');
}

/**
 * Publishes one message for people: JSON in the body, the title as the subject (mail shows nothing else), and its kind as an
 * attribute that subscriptions can filter by.
 */
export async function publish(
  client: SNSClient,
  topicArn: string,
  message: Omit<Message, 'version'>,
): Promise<void> {
  await client.send(
    new PublishCommand({
      TopicArn: topicArn,
      // The service takes printable ASCII only, and fewer than 100 characters.
      Subject: message.title.replace(/[^\x20-\x7e]/g, '?').slice(0, 99),
      Message: JSON.stringify({ version: 1, ...message }),
      MessageAttributes: {
        kind: { DataType: 'String', StringValue: message.kind },
        ...(isForThread(message) ? { quiet: { DataType: 'String', StringValue: 'yes' } } : {}),
      },
    }),
  );
}
