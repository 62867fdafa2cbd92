import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BudgetState, nobodyDisrupted } from '../domain/gates/budget.ts';
import { RevisedItem } from './revised-item.ts';

/** Who holds places in the budget of each cluster, and who waits for one. */
export class BudgetStore extends RevisedItem<BudgetState> {
  constructor(client: DynamoDBClient, table: string) {
    super(client, table, {
      kind: 'BUDGET',
      name: 'the budget',
      schema: BudgetState,
      absent: nobodyDisrupted,
    });
  }
}
