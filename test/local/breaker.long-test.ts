import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BreakerState } from '../../lambdas/domain/gates/breaker.ts';
import { clusters, startTestEngine, stateTable, type TestEngine, type TestIncident } from './test-engine.ts';

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());

const key = marshall({ pk: `BREAKER#${clusters.breaking}`, sk: 'BREAKER' });

async function breaker(): Promise<BreakerState> {
  const { Item } = await test.engine.cloud.dynamo.send(
    new GetItemCommand({ TableName: stateTable(test.engine), Key: key, ConsistentRead: true }),
  );
  return BreakerState.parse(JSON.parse(unmarshall(Item ?? {}).state));
}

async function setBreaker(state: unknown): Promise<void> {
  await test.engine.cloud.dynamo.send(
    new PutItemCommand({
      TableName: stateTable(test.engine),
      Item: { ...key, ...marshall({ state: JSON.stringify(state), revision: 1000 }) },
    }),
  );
}

const run = (node: string) =>
  test.run({ node, cluster: clusters.breaking }, async (incident) => incident as TestIncident);
const steps = ({ auditLines }: TestIncident) => auditLines.map((line) => JSON.parse(line));
const lastFigure = () =>
  test.engine.cloud.metrics.findLast(
    ({ name, dimensions }) => name === 'BreakerOpen' && dimensions.Cluster === clusters.breaking,
  )?.value;

describe('a cluster in which treatments do not help', () => {
  it('is put back to observe, and tried again by one incident after the cool-down', async () => {
    const [one, two] = await Promise.all([run('v2-nothing'), run('v2-nothing')]);
    expect([one.record.outcome, two.record.outcome]).toEqual(['unresolved', 'unresolved']);
    const changes = [one, two].flatMap(steps).filter(({ step }) => step === 'breaker.changed');
    expect(changes).toMatchObject([{ outcome: 'open', details: { failures: [{}, {}] } }]);
    expect(lastFigure()).toBe(1);

    const third = await run('v2-zombies');
    expect(third.record).toMatchObject({
      outcome: 'observed',
      rungs: [{ treatment: 'reclaim', status: 'not-started' }],
    });
    expect(third.record.reason).toContain('the breaker of this cluster opened at');
    expect(third.record.reason).toContain(one.id);
    expect(steps(third).some(({ step }) => step === 'treatment.intended')).toBe(false);
    expect(third.messages.map(({ kind }) => kind)).toEqual(['incident-closed']);

    // As after the cool-down.
    const state = await breaker();
    await setBreaker({ ...state, openedAt: '2026-01-01T00:00:00.000Z' });
    const canary = await run('v2-zombies');
    expect(canary.record.outcome).toBe('cured');
    expect(steps(canary).find(({ step }) => step === 'breaker.changed')).toMatchObject({ outcome: 'closed' });
    expect(await breaker()).toMatchObject({ openedAt: null, failures: [], canary: null });
    expect(lastFigure()).toBe(0);
  }, 180_000);

  it('counts a treatment whose execution died, and no execution that died before one', async () => {
    await setBreaker({ version: 1, failures: [], openedAt: null, canary: null });
    const props = { node: 'v2-zombies', cluster: clusters.breaking };
    await test.run({ ...props, stopAt: 'Diagnose' }, () => {});
    expect((await breaker()).failures).toEqual([]);
    const dead = await test.run({ ...props, stopAt: 'PollTreatment' }, (incident) => incident);
    expect(dead.execution.status).toBe('ABORTED');
    expect((await breaker()).failures).toMatchObject([
      { incident: dead.id, treatment: 'reclaim', why: 'its execution died' },
    ]);
  });

  it('takes the place of a canary away whose execution died, so that another may try', async () => {
    const failure = { incident: 'a', instanceId: 'i-0', treatment: 'reclaim', why: '', harmed: false };
    const openedAt = '2026-01-01T00:00:00.000Z';
    await setBreaker({ version: 1, failures: [{ ...failure, at: openedAt }], openedAt, canary: null });
    let held: unknown;
    await test.run(
      {
        node: 'v2-zombies',
        cluster: clusters.breaking,
        stopAt: 'SendTreatment',
        async onEvent({ type, state }) {
          if (type === 'StateExited' && state?.name === 'Gate') held = breaker();
        },
      },
      async ({ id }) => {
        expect((await (held as Promise<BreakerState>)).canary?.incident).toBe(id);
        expect((await breaker()).canary).toBeNull();
      },
    );
  });

  it('whose breaker cannot be read refuses, and a person is told', async () => {
    await setBreaker({ version: 7 });
    const incident = await run('v2-zombies');

    expect(incident.record.outcome).toBe('refused');
    expect(incident.record.reason).toContain('the breaker of the cluster could not be read');
    expect(steps(incident).some(({ step }) => step === 'treatment.intended')).toBe(false);
  });
});
