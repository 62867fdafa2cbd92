import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import {
  Standing,
  StandingEnd,
  type StandingRead,
  type StandingTreatment,
} from '../domain/standing/standing.ts';
import { MedicError } from './medic-error.ts';

/** Where the standing treatments of a cluster are kept: an item for each group and treatment, the last that there was. */
export function standingsOf(cluster: string): string {
  return `STANDING#${cluster}`;
}

/**
 * Where it is kept that some ended before their date, an item each by their id. Apart from them, so that who may end one can
 * make none, and lengthen none.
 */
export function standingEndsOf(cluster: string): string {
  return `STANDING-END#${cluster}`;
}

export function standingKey(treatment: StandingTreatment, nodeGroup: string): string {
  return `${treatment}#${nodeGroup}`;
}

/**
 * The standing treatment of a group, as of now; `undefined` where there never was one.
 *
 * @throws for one that nobody can read, and for an end that nobody can: it may have been ended
 */
export async function readStanding(
  client: DynamoDBClient,
  table: string,
  { cluster, nodeGroup, treatment }: Pick<Standing, 'cluster' | 'nodeGroup' | 'treatment'>,
): Promise<StandingRead | undefined> {
  const item = async (pk: string, sk: string) => {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: table, Key: marshall({ pk, sk }), ConsistentRead: true }),
    );
    return Item === undefined ? undefined : unmarshall(Item);
  };
  const found = await item(standingsOf(cluster), standingKey(treatment, nodeGroup));
  if (found === undefined) return undefined;
  const standing = standingIn(found.standing);
  if (standing?.nodeGroup !== nodeGroup || standing.cluster !== cluster || standing.treatment !== treatment) {
    throw new MedicError(`what the state table has of ${treatment} of group ${nodeGroup} cannot be read`);
  }
  const ended = await item(standingEndsOf(cluster), standing.id);
  if (ended === undefined) return { standing };
  const end = endIn(ended.end);
  if (end?.id !== standing.id) throw new MedicError(`the end of ${standing.id} cannot be read`);
  return { standing, end };
}

/** What an item has of it; `undefined` where nobody can read that. */
export function standingIn(text: unknown): Standing | undefined {
  return Standing.safeParse(jsonOf(text)).data;
}

export function endIn(text: unknown): StandingEnd | undefined {
  return StandingEnd.safeParse(jsonOf(text)).data;
}

function jsonOf(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
