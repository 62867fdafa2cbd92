import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Message } from '../../lambdas/domain/message.ts';
import { clusters, startTestEngine, stateTable, type TestEngine, type TestIncident } from './test-engine.ts';

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());

const [returning, unreadable, dying] = ['i-00000000000000001', 'i-00000000000000002', 'i-00000000000000003'];
const run = (instanceId: string, approve: 'yes' | 'no', stopAt?: string) =>
  test.run(
    {
      node: 'v2-zombies',
      cluster: clusters.returning,
      approve,
      ...(stopAt === undefined ? {} : { stopAt }),
      change: (node) => ({ ...node, managed: { ...node.managed, instanceId } }),
    },
    async (incident) => incident as TestIncident,
  );
const gated = ({ auditLines }: TestIncident) =>
  auditLines.map((line) => JSON.parse(line)).find(({ step }) => step === 'gated');

describe('a node that was treated as often as the settings allow', () => {
  it('is treated once more only after a person was asked, who is told what was done before', async () => {
    const first = await run(returning, 'no');
    expect(first.record.outcome).toBe('cured');

    const cards: Message['card'][] = [];
    const stop = test.engine.onPublished(({ message }) => {
      const { kind, cluster, card } = Message.parse(JSON.parse(message));
      if (kind === 'approval-requested' && cluster === clusters.returning) cards.push(card);
    });
    const second = await run(returning, 'yes');
    stop();
    expect(gated(second)).toMatchObject({ outcome: 'ask', actor: { id: 'gate:recurrence' } });
    expect(second.record.outcome).toBe('cured');
    expect(cards).toHaveLength(1);
    const [card] = cards;
    expect(card?.asks).toBe(
      'this node was treated once in the last 7 days (reclaim): what leaks here comes back',
    );
    expect(card?.history).toEqual([
      'This node: 1 incident in the last 7 days.',
      expect.stringMatching(/^\S+ dying-memcgs: reclaim \(cured\); ended as cured$/),
      expect.stringContaining('1 incident on 1 node in the last 7 days, which ended as cured 1.'),
    ]);

    const third = await run(returning, 'no');
    expect(third.record.outcome).toBe('denied');
  }, 240_000);

  it('is not treated at all where what was done before cannot be read', async () => {
    const { id } = await run(unreadable, 'no');
    const Item = marshall({
      pk: `HISTORY#${clusters.returning}#${unreadable}`,
      sk: new Date().toISOString().slice(0, 10),
      [`incident#${id}`]: 'nonsense',
    });
    await test.engine.cloud.dynamo.send(new PutItemCommand({ TableName: stateTable(test.engine), Item }));

    const refused = await run(unreadable, 'yes');
    expect(refused.record.outcome).toBe('refused');
    expect(refused.record.reason).toContain('what was done before could not be read');
    expect(refused.messages.map(({ kind }) => kind)).not.toContain('approval-requested');
  }, 240_000);

  it('counts a treatment whose execution died, for what it did nobody has seen', async () => {
    expect((await run(dying, 'no', 'PollTreatment')).execution.status).toBe('ABORTED');

    const next = await run(dying, 'no');
    expect(next.record.outcome).toBe('denied');
    expect(gated(next)).toMatchObject({ outcome: 'ask', actor: { id: 'gate:recurrence' } });
  }, 240_000);
});
