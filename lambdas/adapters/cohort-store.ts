import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Cohort, noCohort } from '../domain/cohort/cohort.ts';
import { RevisedItem } from './revised-item.ts';

/** Kept for a week after the last change: no incident waits as long. */
const keptSeconds = 7 * 86_400;

/** Which incidents of a cluster are decided and treated together, one item for each cause and act. */
export class CohortStore extends RevisedItem<Cohort> {
  constructor(client: DynamoDBClient, table: string) {
    super(client, table, {
      kind: 'COHORT',
      name: 'the cohort',
      schema: Cohort,
      absent: noCohort,
      keptSeconds,
    });
  }
}
