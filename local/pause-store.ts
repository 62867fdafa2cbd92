import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { ifHolds } from '../lambdas/adapters/dynamo.ts';
import { pausesOf, readPauses } from '../lambdas/adapters/pause-reader.ts';
import { canonicalJson } from '../lambdas/domain/canonical-json.ts';
import { isActive, type Pause, whoPaused } from '../lambdas/domain/gates/pause.ts';
import type { PausesRead } from '../lambdas/domain/gates/pause-gate.ts';
import { type Caller, whoRuns } from './caller-identity.ts';
import { type ClientOptions, DeploymentError, explained } from './deployment.ts';

/** What was asked for would undo what somebody else has said; the message says who, and what to do. */
export class RefusedPause extends Error {
  override readonly name = 'RefusedPause';
}

/** How long a pause that is over can still be seen. */
const keptDays = 90;
const dayMs = 86_400_000;

/**
 * The pauses of one cluster of a deployed stack, with the rights of whoever runs this. Each write says what it takes the place
 * of, and is refused where that is not what is there: nobody undoes unseen what somebody else has said.
 */
export class PauseStore {
  readonly #dynamo: DynamoDBClient;
  readonly #table: string;
  readonly #cluster: string;

  constructor(client: ClientOptions, table: string, cluster: string) {
    this.#dynamo = new DynamoDBClient(client);
    this.#table = table;
    this.#cluster = cluster;
  }

  close(): void {
    this.#dynamo.destroy();
  }

  /** Who runs this, as AWS says. @throws DeploymentError */
  caller(): Promise<Caller> {
    return whoRuns(this.#dynamo);
  }

  /** @throws DeploymentError */
  async read(): Promise<PausesRead> {
    try {
      return await readPauses(this.#dynamo, this.#table, this.#cluster);
    } catch (error) {
      throw explained(error, `the pauses of ${this.#cluster} cannot be read`, remedies);
    }
  }

  /**
   * Makes a pause, or puts it in the place of one of the same person or of one that is over.
   *
   * @returns the pause of the same person that it took the place of
   * @throws RefusedPause, DeploymentError
   */
  async set(pause: Pause): Promise<Pause | undefined> {
    const before = await this.#named(pause.name);
    const active = before !== undefined && isActive(before, new Date(pause.at)) ? before : undefined;
    if (active !== undefined && active.arn !== pause.arn) {
      throw new RefusedPause(
        `refused: the pause ${pause.name} of ${this.#cluster} is that of ${whoPaused(active)} until ${active.until}: ${active.reason}. Give yours another --name`,
      );
    }
    await this.#put(pause, before);
    return active;
  }

  /**
   * Ends a pause. That of somebody else needs a reason.
   *
   * @throws RefusedPause, DeploymentError
   */
  async end(
    name: string,
    { by, arn, at, reason }: { by: string; arn: string; at: string; reason?: string },
  ): Promise<Pause> {
    const pause = await this.#named(name);
    if (pause === undefined || !isActive(pause, new Date(at))) {
      const over = pause === undefined ? 'there is none' : `it was over at ${pause.ended?.at ?? pause.until}`;
      throw new RefusedPause(`refused: ${this.#cluster} has no pause ${name} now: ${over}`);
    }
    if (pause.arn !== arn && reason === undefined) {
      throw new RefusedPause(
        `refused: the pause ${name} of ${this.#cluster} is that of ${whoPaused(pause)} until ${pause.until}: ${pause.reason}. To end it all the same, say why with --reason`,
      );
    }
    const ended = { ...pause, ended: { at, by, arn, ...(reason === undefined ? {} : { reason }) } };
    await this.#put(ended, pause);
    return ended;
  }

  async #named(name: string): Promise<Pause | undefined> {
    const { pauses, unreadable } = await this.read();
    if (unreadable.includes(name)) {
      throw new DeploymentError(
        `the pause ${name} of ${this.#cluster} cannot be read, and is not changed: docs/gates.md says how to look at it`,
      );
    }
    return pauses.find((pause) => pause.name === name);
  }

  async #put(pause: Pause, seen: Pause | undefined): Promise<void> {
    const item = {
      pk: pausesOf(this.#cluster),
      sk: pause.name,
      pause: canonicalJson(pause),
      ttl: Math.ceil((Date.parse(pause.until) + keptDays * dayMs) / 1000),
    };
    const put = new PutItemCommand({
      TableName: this.#table,
      Item: marshall(item),
      ...(seen === undefined
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : {
            ConditionExpression: 'pause = :seen',
            ExpressionAttributeValues: marshall({ ':seen': canonicalJson(seen) }),
          }),
    });
    let written: unknown;
    try {
      written = await ifHolds(this.#dynamo.send(put));
    } catch (error) {
      throw explained(error, `nothing was changed: the state table does not take it`, remedies);
    }
    if (written === undefined) {
      throw new RefusedPause(
        `refused: somebody has changed the pause ${pause.name} of ${this.#cluster} at this very moment; look at it with --list`,
      );
    }
  }
}

const remedies = {
  ResourceNotFound: 'is the region that of the stack? Give it with --region',
  AccessDenied: 'attach the managed policy to yourself that the output PausePolicyArn names',
};
