import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyRoll, keyOf, type Roll } from '../../lambdas/domain/roll/roll.ts';
import { clusters, startTestEngine, stateTable, type TestEngine, type TestIncident } from './test-engine.ts';

let test: TestEngine;
beforeAll(async () => {
  test = await startTestEngine();
});
afterAll(() => test?.close());

const cluster = clusters.cautious;
async function setRoll(cause: string, state: unknown): Promise<void> {
  const Item = marshall({
    pk: `ROLL#${cluster}#${cause}`,
    sk: 'ROLL',
    state: JSON.stringify(state),
    revision: 1,
  });
  await test.engine.cloud.dynamo.send(new PutItemCommand({ TableName: stateTable(test.engine), Item }));
}

/** A roll in which as many were told of by themselves as the settings allow, and one more is open. */
function fullRoll(closings: number): Roll {
  const at = new Date().toISOString();
  const keys = Array.from({ length: 100 }, (_, index) => keyOf(`before-${index}`));
  return {
    ...emptyRoll,
    since: at,
    movedAt: at,
    open: [keyOf('another')],
    closings,
    outcomes: { cured: closings },
    singly: { progress: keys, call: keys, closing: keys },
    summary: { by: keyOf('before-63'), closings: 64, at },
  };
}

const notified = ({ auditLines }: TestIncident): unknown =>
  auditLines.map((line) => JSON.parse(line)).find(({ step }) => step === 'incident.closed')?.details.notified;
// All that can be done for it is to call a person.
const run = () => test.run({ node: 'garbage', cluster }, (incident) => incident);

describe('an incident that is one of many', () => {
  it('calls nobody by itself, and neither does its end; the summary that is due names its node', async () => {
    await setRoll('inconclusive', fullRoll(126));
    const quiet = await run();
    expect(quiet.record).toMatchObject({ outcome: 'unresolved' });
    expect(quiet.messages).toEqual([]);
    expect(notified(quiet)).toBe('in a later summary');
    expect(quiet.record.rungs.at(-1)?.reason).toContain('people are told of this one in a summary');

    const loud = await run();
    expect(loud.messages.map(({ kind, title }) => ({ kind, title }))).toEqual([
      {
        kind: 'call-a-person',
        title: `${cluster}: 128 incidents of inconclusive closed, 2 need a person, 1 open`,
      },
    ]);
    expect(loud.messages[0]?.text).toContain(
      `${loud.instanceId} (unresolved), ${quiet.instanceId} (unresolved)`,
    );
    expect(notified(loud)).toBe('done, in a summary');
  }, 120_000);

  it('tells of those that ended before their diagnosis when it is the last that gets one', async () => {
    await setRoll('inconclusive', fullRoll(120));
    const needy = [{ instanceId: 'i-0123456789abcdef0', outcome: 'failed' }];
    const waiting = { open: [], needed: 1, needy, untold: 1, untoldNeedy: true };
    await setRoll('undiagnosed', { ...fullRoll(5), ...waiting });
    const { messages } = await run();
    expect(messages.map(({ kind, title }) => ({ kind, title }))).toEqual([
      {
        kind: 'call-a-person',
        title: `${cluster}: 5 incidents of undiagnosed closed, 1 need a person, 0 open`,
      },
    ]);
    expect(messages[0]?.text).toContain('i-0123456789abcdef0 (failed)');
  }, 120_000);

  it('tells of itself, with the reason, where its roll cannot be read', async () => {
    await setRoll('inconclusive', { version: 7 });
    const incident = await run();
    expect(incident.messages.map(({ kind }) => kind)).toEqual(['call-a-person', 'call-a-person']);
    for (const { text } of incident.messages) {
      expect(text).toContain('Told by itself, for the roll of its cause could not be asked: ZodError');
    }
  }, 120_000);

  it('that dies is told of by the janitor in the same way', async () => {
    await setRoll('dying-memcgs', fullRoll(255));
    const dead = await test.run(
      { node: 'v2-zombies', cluster, stopAt: 'PollTreatment' },
      (incident) => incident,
    );
    expect(dead.messages).toMatchObject([
      {
        kind: 'call-a-person',
        title: expect.stringContaining('256 incidents of dying-memcgs closed, 1 need'),
      },
    ]);
    expect(dead.messages[0]?.text).toContain(`${dead.instanceId} (failed)`);
  }, 120_000);
});
