import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

/** One client per function, made on first use. */
let client: SQSClient | undefined;
export function sqs(): SQSClient {
  // By default the URL of the queue is the endpoint, whatever endpoint was configured.
  client ??= new SQSClient({ useQueueUrlAsEndpoint: false });
  return client;
}

/** Puts one JSON message into a queue; it becomes visible after so many seconds, at most 900. Gives the id of the message. */
export async function putInQueue(
  sender: SQSClient,
  queueUrl: string,
  message: unknown,
  delaySeconds = 0,
): Promise<string | undefined> {
  const { MessageId } = await sender.send(
    new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: JSON.stringify(message),
      DelaySeconds: delaySeconds,
    }),
  );
  return MessageId;
}
