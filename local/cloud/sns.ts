import { randomUUID } from 'node:crypto';
import { queryService, type Service, ServiceError } from './wire.ts';

export type Published = { topicArn: string; subject: string | undefined; message: string; at: Date };

/** SNS: takes messages to the topics of the template and hands each one on. */
export function snsService(topics: readonly string[], onPublished: (message: Published) => void): Service {
  return queryService(
    { name: 'sns', file: 'local/cloud/sns.ts' },
    {
      Publish({ TopicArn, Subject, Message }) {
        if (typeof TopicArn !== 'string' || !topics.includes(TopicArn)) {
          throw new ServiceError('NotFound', 'Topic does not exist', 404);
        }
        const message = String(Message ?? '');
        if (message === '' || Buffer.byteLength(message) > 256 * 1024) {
          throw new ServiceError(
            'InvalidParameter',
            'Invalid parameter: Message is empty or longer than 256 KiB',
          );
        }
        const subject = Subject === undefined ? undefined : String(Subject);
        if (subject !== undefined && !/^[\x21-\x7e][\x20-\x7e]{0,99}$/.test(subject)) {
          throw new ServiceError(
            'InvalidParameter',
            'Invalid parameter: Subject must be printable ASCII, at most 100 characters, and not start with a space',
          );
        }
        onPublished({ topicArn: TopicArn, subject, message, at: new Date() });
        return { MessageId: randomUUID() };
      },
    },
  );
}
