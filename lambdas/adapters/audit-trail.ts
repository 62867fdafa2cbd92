import {
  type AttributeValue,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type AuditContext, type AuditDraft, type AuditEntry, nextEntry } from '../domain/audit/entry.ts';
import { SignedHead } from '../domain/audit/signed-head.ts';
import type { AuditLog } from './audit-log.ts';
import { ifHolds } from './dynamo.ts';
import { MedicError } from './medic-error.ts';

/** Somebody else may write the next entry first; more rounds than this mean that something is very wrong. */
const mostRounds = 10;

/** The trail of a closed incident takes no more entries. */
export class TrailClosedError extends MedicError {
  override readonly name = 'TrailClosedError';
}

type Line = { seq: number; key: string; delivered: boolean; content: AuditEntry | SignedHead };

/**
 * The audit trail of incidents: first written conditionally into the audit table, where order and completeness are
 * decided, then delivered to the audit log group, where people read.
 */
export class AuditTrail {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #log: AuditLog;

  constructor(client: DynamoDBClient, table: string, log: AuditLog) {
    this.#client = client;
    this.#table = table;
    this.#log = log;
  }

  /** All entries of an incident, in order, without the signed head. */
  async entries(incident: string): Promise<AuditEntry[]> {
    return entriesOf(await this.#lines(incident));
  }

  /**
   * Writes one entry and delivers it. An entry with the same key is written once, however often this is called.
   *
   * @param onUndelivered for those that clean up: they go on when the log group is down, and get the reason here. The
   *   table has the entry, and `close` delivers what is missing. Without it a failed delivery is thrown.
   * @returns the entry, and whether it was there before
   * @throws TrailClosedError when the incident is closed
   */
  async append(
    draft: AuditDraft,
    context: AuditContext,
    onUndelivered?: (error: unknown) => void,
  ): Promise<{ entry: AuditEntry; existed: boolean }> {
    const deliver = async (line: Line): Promise<void> => {
      await this.#deliver(line).catch((error: unknown) => {
        if (onUndelivered === undefined) throw error;
        onUndelivered(error);
      });
    };
    for (let round = 0; round < mostRounds; round += 1) {
      const lines = await this.#lines(context.incident);
      const existing = lines.find((line) => line.key === context.key);
      if (existing !== undefined && !isHead(existing.content)) {
        await deliver(existing);
        return { entry: existing.content, existed: true };
      }
      if (isClosed(lines)) {
        throw new TrailClosedError(
          `incident ${context.incident} is closed; "${draft.step}" was not recorded`,
        );
      }
      const entry = nextEntry(entriesOf(lines).at(-1), draft, context);
      const line = { seq: entry.seq, key: entry.key, delivered: false, content: entry };
      if (await this.#put(context.incident, line)) {
        await deliver(line);
        return { entry, existed: false };
      }
    }
    throw new MedicError(`the audit entry "${draft.step}" could not be written: others kept writing first`, {
      context: { incident: context.incident, rounds: mostRounds },
    });
  }

  /**
   * Closes the trail with a signature over its last entry, after everything has reached the log group.
   * Does nothing where it is closed already.
   */
  async close(incident: string, sign: (last: AuditEntry) => Promise<SignedHead>): Promise<void> {
    for (let round = 0; round < mostRounds; round += 1) {
      const lines = await this.#lines(incident);
      for (const line of lines) await this.#deliver(line);
      const last = entriesOf(lines).at(-1);
      if (isClosed(lines) || last === undefined) return;
      const head = { seq: last.seq + 1, key: 'signed-head', delivered: false, content: await sign(last) };
      if (await this.#put(incident, head)) return this.#deliver(head);
    }
    throw new MedicError(`the audit trail of ${incident} could not be closed: others kept writing`);
  }

  async #lines(incident: string): Promise<Line[]> {
    const lines: Line[] = [];
    let start: Record<string, AttributeValue> | undefined;
    do {
      const page = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          ConsistentRead: true,
          KeyConditionExpression: 'incident = :incident',
          ExpressionAttributeValues: marshall({ ':incident': incident }),
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
      );
      for (const item of page.Items ?? []) {
        const { seq, key, delivered, content } = unmarshall(item);
        lines.push({ seq, key, delivered: delivered === true, content: JSON.parse(content) });
      }
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    return lines;
  }

  async #put(incident: string, line: Line): Promise<boolean> {
    const item = { incident, ...line, content: JSON.stringify(line.content) };
    const put = this.#client.send(
      new PutItemCommand({
        TableName: this.#table,
        Item: marshall(item),
        ConditionExpression: 'attribute_not_exists(incident)',
      }),
    );
    return (await ifHolds(put)) !== undefined;
  }

  async #deliver(line: Line): Promise<void> {
    if (line.delivered) return;
    const { incident } = line.content;
    await this.#log.write(incident, line.content);
    await this.#client.send(
      new UpdateItemCommand({
        TableName: this.#table,
        Key: marshall({ incident, seq: line.seq }),
        UpdateExpression: 'SET delivered = :yes',
        ExpressionAttributeValues: marshall({ ':yes': true }),
      }),
    );
  }
}

function isHead(content: AuditEntry | SignedHead): content is SignedHead {
  return SignedHead.safeParse(content).success;
}

function isClosed(lines: Line[]): boolean {
  return lines.some((line) => isHead(line.content));
}

function entriesOf(lines: Line[]): AuditEntry[] {
  return lines.flatMap(({ content }) => (isHead(content) ? [] : [content]));
}
