import type { Logger } from '@aws-lambda-powertools/logger';
import { censusEnvironment } from '../adapters/census-environment.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { listStandings } from '../adapters/standing-list.ts';
import { type Standing, type StandingRead, whyOver } from '../domain/standing/standing.ts';

/** The standing treatments of a cluster that hold now, and how many there are in all. */
export async function liveStandings(
  cluster: string,
  logger: Logger,
): Promise<{ live: Standing[]; known: readonly StandingRead[] }> {
  const { standings, unreadable } = await listStandings(dynamo(), censusEnvironment().STATE_TABLE, cluster);
  if (unreadable.length > 0)
    logger.error('standing treatments cannot be read, and none of them holds', { unreadable });
  const now = new Date();
  const live = standings.filter((read) => whyOver(read, now) === undefined);
  return { live: live.map(({ standing }) => standing), known: standings };
}
