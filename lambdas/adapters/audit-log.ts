import {
  type CloudWatchLogsClient,
  CreateLogStreamCommand,
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
   * Writes one line and waits for the acknowledgement.
   *
   * @throws MedicError when the service took the call and rejected the line
   */
  async write(incident: string, line: AuditEntry | SignedHead | IntakeEntry): Promise<void> {
    const timestamp = 'at' in line ? Date.parse(line.at) : this.#now().getTime();
    const message = JSON.stringify(line);
    try {
      await this.#put(incident, timestamp, message);
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      await this.#createStream(incident);
      await this.#put(incident, timestamp, message);
    }
  }

  async #put(stream: string, timestamp: number, message: string): Promise<void> {
    const { rejectedLogEventsInfo } = await this.#client.send(
      new PutLogEventsCommand({
        logGroupName: this.#group,
        logStreamName: stream,
        logEvents: [{ timestamp, message }],
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
