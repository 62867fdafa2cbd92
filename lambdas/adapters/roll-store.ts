import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { emptyRoll, Roll } from '../domain/roll/roll.ts';
import { RevisedItem, surelyMs } from './revised-item.ts';

/** What people were told of the incidents of one cause in one cluster. */
export class RollStore {
  readonly #items: RevisedItem<Roll>;

  constructor(client: DynamoDBClient, table: string) {
    this.#items = new RevisedItem(client, table, {
      kind: 'ROLL',
      name: 'the roll',
      schema: Roll,
      absent: emptyRoll,
    });
  }

  /** As `RevisedItem.change`. The name of a cluster has no "#". */
  change(
    cluster: string,
    cause: string,
    by: (roll: Roll) => Roll,
    patience = surelyMs,
  ): Promise<{ before: Roll; after: Roll }> {
    return this.#items.change(`${cluster}#${cause}`, by, undefined, patience);
  }
}
