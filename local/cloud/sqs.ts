import { createHash, randomUUID } from 'node:crypto';
import { jsonService, type Service, ServiceError } from './wire.ts';

export type QueuedMessage = {
  id: string;
  queueUrl: string;
  body: string;
  delaySeconds: number;
  /** Milliseconds since the epoch. */
  sentAt: number;
  /** Unique id of the principal that has sent it. */
  senderId: string;
  /** How often it has been taken out. */
  receives: number;
};

/** What a message may hold: 1 MiB since August 2025; we keep to the 256 KiB that every account has known before. */
const mostBytes = 256 * 1024;

/** SQS: takes messages into the queues of the template. */
export class LocalQueues {
  readonly #urls: readonly string[];
  readonly #messages: QueuedMessage[] = [];

  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  /** Takes all messages out of one queue, oldest first, whatever their delay. */
  take(queueUrl: string): QueuedMessage[] {
    const taken = this.#messages.filter((message) => message.queueUrl === queueUrl);
    const rest = this.#messages.filter((message) => message.queueUrl !== queueUrl);
    this.#messages.splice(0, this.#messages.length, ...rest);
    return taken.map((message) => ({ ...message, receives: message.receives + 1 }));
  }

  /** Puts a message into a queue, as a service would, or puts one back. */
  put({
    queueUrl,
    body,
    ...message
  }: Pick<QueuedMessage, 'queueUrl' | 'body'> & Partial<QueuedMessage>): string {
    if (!this.#urls.includes(queueUrl))
      throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.');
    const id = message.id ?? randomUUID();
    this.#messages.push({
      delaySeconds: 0,
      sentAt: Date.now(),
      senderId: 'AIDALOCALSERVICE',
      receives: 0,
      ...message,
      id,
      queueUrl,
      body,
    });
    return id;
  }

  service(): Service {
    return jsonService(
      { name: 'sqs', file: 'local/cloud/sqs.ts' },
      {
        SendMessage: ({ QueueUrl, MessageBody, DelaySeconds }) => {
          const body = String(MessageBody ?? '');
          const delaySeconds = Number(DelaySeconds ?? 0);
          if (body === '' || Buffer.byteLength(body) > mostBytes)
            throw new ServiceError('InvalidParameterValue', 'The message is empty or longer than 256 KiB.');
          if (!(delaySeconds >= 0 && delaySeconds <= 900))
            throw new ServiceError('InvalidParameterValue', 'DelaySeconds must be between 0 and 900.');
          // Whoever has credentials here is the same to the local cloud.
          const id = this.put({ queueUrl: String(QueueUrl), body, delaySeconds, senderId: localSender });
          return { MessageId: id, MD5OfMessageBody: createHash('md5').update(body).digest('hex') };
        },
      },
    );
  }
}

/** The unique id that SQS has for whoever calls it here: a role, and the name of its session. */
export const localSender = 'AROALOCALONLY:somebody@example.com';
