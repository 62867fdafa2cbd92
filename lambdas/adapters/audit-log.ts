import {
  type CloudWatchLogsClient,
  CreateLogStreamCommand,
  type InputLogEvent,
  PutLogEventsCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import type { AuditEntry } from '../domain/audit/entry.ts';
import type { SignedHead } from '../domain/audit/signed-head.ts';
import type { IntakeEntry } from '../domain/intake/entry.ts';
import { MedicError } from './medic-error.ts';

/** The audit log group: one stream per incident, one JSON line per entry; and one a day for alarms that came to none. */
export class AuditLog {
  readonly #client: CloudWatchLogsClient;
  readonly #group: string;
  readonly #now: () => Date;

  constructor(client: CloudWatchLogsClient, group: string, now: () => Date = () => new Date()) {
    this.#client = client;
    this.#group = group;
    this.#now = now;
  }

  /**
   * Writes lines, in one call, and waits for the acknowledgement.
   *
   * @param lines at least one, in the order of their times; together less than 1 MiB, which is what one call takes
   * @throws MedicError when the service took the call and rejected a line
   */
  async write(stream: string, ...lines: (AuditEntry | SignedHead | IntakeEntry)[]): Promise<void> {
    const events = lines.map((line) => ({
      timestamp: 'at' in line ? Date.parse(line.at) : this.#now().getTime(),
      message: JSON.stringify(line),
    }));
    try {
      await this.#put(stream, events);
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      await this.#createStream(stream);
      await this.#put(stream, events);
    }
  }

  async #put(stream: string, logEvents: InputLogEvent[]): Promise<void> {
    const { rejectedLogEventsInfo } = await this.#client.send(
      new PutLogEventsCommand({
        logGroupName: this.#group,
        logStreamName: stream,
        logEvents,
      }),
    );
    if (rejectedLogEventsInfo !== undefined) {
      throw new MedicError('the audit log group rejected an entry', {
        context: { stream, ...rejectedLogEventsInfo },
      });
    }
  }

  async #createStream(stream: string): Promise<void> {
    try {
      await this.#client.send(
        new CreateLogStreamCommand({ logGroupName: this.#group, logStreamName: stream }),
      );
    } catch (error) {
      if (!(error instanceof ResourceAlreadyExistsException)) throw error;
    }
  }
}
