import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Pause } from '../domain/gates/pause.ts';
import type { PausesRead } from '../domain/gates/pause-gate.ts';
import { itemsOf } from './partition.ts';

/** Where the pauses of a cluster are kept: an item each, by name. */
export function pausesOf(cluster: string): string {
  return `PAUSE#${cluster}`;
}

/** All pauses of a cluster that there is an item of, those that are over as well, as of now. @throws where the table does not answer */
export async function readPauses(
  client: DynamoDBClient,
  table: string,
  cluster: string,
): Promise<PausesRead> {
  const pauses: Pause[] = [];
  const unreadable: string[] = [];
  for (const { sk, pause } of await itemsOf(client, table, pausesOf(cluster))) {
    const parsed = Pause.safeParse(jsonOf(pause));
    if (parsed.success && parsed.data.name === sk) pauses.push(parsed.data);
    else unreadable.push(String(sk));
  }
  return { pauses, unreadable };
}

function jsonOf(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
