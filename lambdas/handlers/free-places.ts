import type { Logger } from '@aws-lambda-powertools/logger';
import { BudgetStore } from '../adapters/budget-store.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { environment } from '../adapters/environment.ts';
import { holdersAt, withoutIncident } from '../domain/gates/budget.ts';
import { auditTrail } from './phase.ts';

/**
 * Gives back the places that were held on to because the cordon of an incident stayed when it ended, once its node has none of ours any
 * more. What cannot be read or written is logged: the place expires.
 *
 * @param cordoned instances with a cordon of ours, all of the cluster
 */
export async function freePlaces(
  cluster: string,
  cordoned: ReadonlySet<string>,
  logger: Pick<Logger, 'error' | 'info'>,
): Promise<void> {
  try {
    const budgets = new BudgetStore(dynamo(), environment().STATE_TABLE);
    for (const { incident, instanceId } of holdersAt(await budgets.read(cluster), new Date())) {
      if (cordoned.has(instanceId)) continue;
      const isOver = (await auditTrail().entries(incident)).some(({ step }) => step === 'incident.closed');
      if (!isOver) continue;
      await budgets.change(cluster, (budget) => withoutIncident(budget, incident));
      logger.info('the place of a node that is not cordoned any more was given back', {
        incident,
        instanceId,
      });
    }
  } catch (error) {
    logger.error('places of nodes that are not cordoned any more could not be given back', {
      error,
      cluster,
    });
  }
}
