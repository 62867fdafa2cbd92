import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { canonicalJson } from '../domain/canonical-json.ts';
import { type History, inTime, Past } from '../domain/history/past.ts';

const dayMs = 86_400_000;
/** Longer than the longest window that the settings allow. */
const keptDays = 40;

/**
 * What became of the incidents of each node, of each machine image and of each node group: one item for a day, one attribute in it for an
 * incident. So nobody needs the right to query, two incidents that end at once do not meet, and a second write of the same
 * one takes the place of the first. An item holds about a thousand incidents of one image and day.
 */
export class HistoryStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async remember(cluster: string, past: Past): Promise<void> {
    const subjects = [
      past.instanceId,
      ...(past.imageId === null ? [] : [past.imageId]),
      ...(past.nodeGroup === undefined ? [] : [groupSubject(past.nodeGroup)]),
    ];
    await Promise.all(
      subjects.map((subject) =>
        this.#client.send(
          new UpdateItemCommand({
            TableName: this.#table,
            Key: keyOf(cluster, subject, past.closedAt.slice(0, 10)),
            UpdateExpression: 'SET #incident = :past, #ttl = :ttl',
            ExpressionAttributeNames: { '#incident': `incident#${past.incident}`, '#ttl': 'ttl' },
            ExpressionAttributeValues: marshall({
              ':past': canonicalJson(past),
              ':ttl': Math.floor(Date.parse(past.closedAt) / 1000) + keptDays * 86_400,
            }),
          }),
        ),
      ),
    );
  }

  /** @throws for an item that nobody can read: whoever asks must not take that for a node that was never ill */
  async read(
    cluster: string,
    { instanceId, imageId }: { instanceId: string; imageId: string | null },
    days: number,
    now: Date,
  ): Promise<History> {
    const [node, image] = await Promise.all([
      this.#of(cluster, instanceId, days, now),
      imageId === null ? null : this.#of(cluster, imageId, days, now),
    ]);
    return { days, node, image: imageId === null || image === null ? null : { id: imageId, pasts: image } };
  }

  /** What is known of all nodes of a group, the oldest first. @throws as `read` */
  ofGroup(cluster: string, nodeGroup: string, days: number, now: Date): Promise<Past[]> {
    return this.#of(cluster, groupSubject(nodeGroup), days, now);
  }

  async #of(cluster: string, subject: string, days: number, now: Date): Promise<Past[]> {
    const since = now.getTime() - days * dayMs;
    // The day on which the window begins, and today, are both in it.
    const dates = Array.from({ length: days + 1 }, (_, index) =>
      new Date(since + index * dayMs).toISOString().slice(0, 10),
    );
    const items = await Promise.all(
      dates.map((date) =>
        this.#client.send(
          new GetItemCommand({
            TableName: this.#table,
            Key: keyOf(cluster, subject, date),
            ConsistentRead: true,
          }),
        ),
      ),
    );
    const pasts = items.flatMap(({ Item }) =>
      Object.entries(Item === undefined ? {} : unmarshall(Item))
        .filter(([name]) => name.startsWith('incident#'))
        .map(([, text]) => Past.parse(JSON.parse(String(text)))),
    );
    return inTime(pasts.filter(({ closedAt }) => Date.parse(closedAt) >= since));
  }
}

/** No instance and no image is called so. */
function groupSubject(nodeGroup: string): string {
  return `group/${nodeGroup}`;
}

function keyOf(cluster: string, subject: string, date: string) {
  return marshall({ pk: `HISTORY#${cluster}#${subject}`, sk: date });
}
