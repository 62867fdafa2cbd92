import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';

export type Message = {
  kind: 'approval-requested' | 'call-a-person' | 'incident-closed' | 'fleet-report';
  /** Of a report, the run of the census that made it. */
  incident: string;
  title: string;
  text: string;
  approvalId?: string;
  expiresAt?: string;
};

/** Publishes one message for people: JSON in the body, the title as the subject (mail shows nothing else). */
export async function publish(client: SNSClient, topicArn: string, message: Message): Promise<void> {
  await client.send(
    new PublishCommand({
      TopicArn: topicArn,
      // The service takes printable ASCII only, and fewer than 100 characters.
      Subject: message.title.replace(/[^\x20-\x7e]/g, '?').slice(0, 99),
      Message: JSON.stringify({ version: 1, ...message }),
    }),
  );
}
