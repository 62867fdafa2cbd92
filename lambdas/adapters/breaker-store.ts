import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BreakerState, closedBreaker } from '../domain/gates/breaker.ts';
import { RevisedItem } from './revised-item.ts';

/** The breaker of each cluster. One that is not there is closed. */
export class BreakerStore extends RevisedItem<BreakerState> {
  constructor(client: DynamoDBClient, table: string) {
    super(client, table, {
      kind: 'BREAKER',
      name: 'the breaker',
      schema: BreakerState,
      absent: closedBreaker,
    });
  }
}
