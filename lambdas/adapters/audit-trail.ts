import { setTimeout as sleep } from 'node:timers/promises';
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
import { OpeningChain } from './opening-chain.ts';

/** Somebody else may write the next entry first; more rounds than this mean that something is very wrong. */
const mostRounds = 10;
/** All incidents of a cluster queue for one place after the other, and the functions that open them have 30 s. */
const openMs = 15_000;
/** The longest wait before another try to take a place. */
const longestWaitMs = 400;

/** The trail of a closed incident takes no more entries. */
export class TrailClosedError extends MedicError {
  override readonly name = 'TrailClosedError';
}

/** So many incidents were opened in a cluster at once that this one found no place among them; later it will. */
export class OpeningsBusyError extends MedicError {
  override readonly name = 'OpeningsBusyError';
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
  readonly #openings: OpeningChain;

  constructor(client: DynamoDBClient, table: string, log: AuditLog) {
    this.#client = client;
    this.#table = table;
    this.#log = log;
    this.#openings = new OpeningChain(client, table);
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
    let opened: AuditEntry | undefined;
    for (let round = 0; round < mostRounds; round += 1) {
      const lines = await this.#lines(context.incident);
      const existing = lines.find((line) => line.key === context.key);
      if (existing !== undefined && !isHead(existing.content)) {
        await deliver(existing);
        return { entry: existing.content, existed: existing.content.hash !== opened?.hash };
      }
      if (isClosed(lines)) {
        throw new TrailClosedError(
          `incident ${context.incident} is closed; "${draft.step}" was not recorded`,
        );
      }
      if (lines.length === 0) {
        opened = await this.#open(draft, context);
        continue;
      }
      const entry = nextEntry(entriesOf(lines).at(-1), draft, context);
      const line = lineOf(entry);
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

  /**
   * Sees to it that an incident has its first entry, and with it a place in the chain of its cluster. `OpeningChain` says why
   * this cannot leave a hole.
   *
   * @returns the entry, or `undefined` where an attempt before this one, dead or alive, had taken the place
   */
  async #open(draft: AuditDraft, context: AuditContext): Promise<AuditEntry | undefined> {
    const { cluster, incident } = context;
    const deadline = Date.now() + openMs;
    for (let wait = 20; ; wait = Math.min(longestWaitMs, wait * 2)) {
      const tail = await this.#openings.tail(cluster);
      // Only after that was read: an entry that was written before is seen here.
      const [lines] = await Promise.all([
        this.#lines(incident),
        tail === undefined ? undefined : this.#complete(tail.entry),
      ]);
      if (lines.length > 0 || tail?.entry.incident === incident) return undefined;
      const previous = tail === undefined ? null : { incident: tail.entry.incident, hash: tail.entry.hash };
      const number = (tail?.number ?? 0) + 1;
      const entry = nextEntry(undefined, draft, context, { number, previous });
      if (await this.#openings.take(cluster, tail, entry)) {
        await this.#put(incident, lineOf(entry));
        return entry;
      }
      if (Date.now() > deadline) {
        throw new OpeningsBusyError(
          `incident ${incident} found no place among the openings of ${cluster} in ${openMs / 1000} s: too many at once`,
        );
      }
      await sleep(Math.random() * wait);
    }
  }

  /** Writes the first entry of an incident whose process may have died between taking its place and writing it. */
  async #complete(entry: AuditEntry): Promise<void> {
    const line = lineOf(entry);
    // Its own retry or its janitor delivers it as well; until then the log would have a hole.
    if (await this.#put(entry.incident, line)) await this.#deliver(line).catch(() => {});
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

function lineOf(entry: AuditEntry): Line {
  return { seq: entry.seq, key: entry.key, delivered: false, content: entry };
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
