import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CourseStore } from '../../../lambdas/adapters/course-store.ts';
import { HistoryStore } from '../../../lambdas/adapters/history-store.ts';
import { endStanding } from '../../../lambdas/adapters/standing-end.ts';
import { listStandings } from '../../../lambdas/adapters/standing-list.ts';
import { readStanding } from '../../../lambdas/adapters/standing-reader.ts';
import { beginStanding } from '../../../lambdas/adapters/standing-writer.ts';
import { hasPlace, placesAt, withoutPlace, withPlace } from '../../../lambdas/domain/standing/course.ts';
import type { Standing, StandingEnd } from '../../../lambdas/domain/standing/standing.ts';
import { samplePast } from '../domain/history/sample-past.ts';
import { inDays, sampleStanding } from '../domain/standing/sample-standing.ts';
import { type LocalDynamo, startDynamo } from './local-dynamo.ts';

let dynamo: LocalDynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

const begin = (standing: Standing, now = inDays(0)) => beginStanding(dynamo.client, 'state', standing, now);
const read = (standing: Standing) => readStanding(dynamo.client, 'state', standing);
const endOf = ({ id }: Standing, by = 'bob'): StandingEnd => ({
  version: 1,
  id,
  at: inDays(1).toISOString(),
  by,
  reason: 'the producer is gone',
});
const put = (item: object) =>
  dynamo.client.send(new PutItemCommand({ TableName: 'state', Item: marshall(item) }));

describe('a standing treatment in the state table', () => {
  it('of many that begin for one group at once, is one', async () => {
    const all = Array.from({ length: 30 }, (_, index) =>
      sampleStanding({ cluster: 'race', id: `inc-${index}-r1`, incident: `inc-${index}` }),
    );
    const answers = await Promise.all(all.map((one) => begin(one)));
    expect(answers.filter((answer) => answer === undefined)).toHaveLength(1);
    const [winner] = all.filter((_, index) => answers[index] === undefined);
    expect((await read(sampleStanding({ cluster: 'race' })))?.standing).toEqual(winner);
    // A retry of the one that has it.
    expect(await begin(winner ?? sampleStanding())).toBeUndefined();
  });

  it('gives its place up once it has ended, or is over, and keeps its first end', async () => {
    const first = sampleStanding({ cluster: 'ends' });
    const second = sampleStanding({ cluster: 'ends', id: 'later-r1' });
    await begin(first);
    expect(await begin(second)).toContain('holds until');
    expect(await endStanding(dynamo.client, 'state', 'ends', endOf(first))).toBe(true);
    expect(await endStanding(dynamo.client, 'state', 'ends', endOf(first, 'max'))).toBe(false);
    expect(await read(first)).toEqual({ standing: first, end: endOf(first) });
    expect(await begin(second, inDays(2))).toBeUndefined();
    // Another one: the end of the first says nothing of it.
    expect(await read(first)).toEqual({ standing: second });
    expect(await begin(sampleStanding({ cluster: 'ends', id: 'third-r1' }), inDays(15))).toBeUndefined();
  });

  it('that nobody can read, or whose end nobody can, is an error and no permission', async () => {
    const [odd, ended] = ['odd', 'ended'].map((nodeGroup) =>
      sampleStanding({ cluster: 'odd', nodeGroup, id: `${nodeGroup}-r1` }),
    ) as [Standing, Standing];
    await put({ pk: 'STANDING#odd', sk: 'standing-reclaim#odd', standing: '{"version":7}' });
    await begin(ended);
    await put({ pk: 'STANDING-END#odd', sk: ended.id, end: 'nonsense' });
    // A right one under the key of another group.
    const moved = JSON.stringify(sampleStanding({ cluster: 'odd', nodeGroup: 'elsewhere' }));
    await put({ pk: 'STANDING#odd', sk: 'standing-reclaim#moved', standing: moved });
    await expect(read(odd)).rejects.toThrow('cannot be read');
    await expect(read(ended)).rejects.toThrow('cannot be read');
    await expect(read({ ...odd, nodeGroup: 'moved' })).rejects.toThrow('cannot be read');
    await expect(begin(odd)).rejects.toThrow('cannot be read');
    const { standings, unreadable } = await listStandings(dynamo.client, 'state', 'odd');
    expect(standings).toEqual([]);
    expect([...unreadable].sort()).toEqual(
      ['ended', 'moved', 'odd'].map((name) => `standing-reclaim#${name}`),
    );
  });

  it('is listed with its end', async () => {
    const [one, two] = ['one', 'two'].map((nodeGroup) =>
      sampleStanding({ cluster: 'listed', nodeGroup, id: `${nodeGroup}-r1` }),
    ) as [Standing, Standing];
    await begin(one);
    await begin(two);
    await endStanding(dynamo.client, 'state', 'listed', endOf(two));
    expect(await listStandings(dynamo.client, 'state', 'listed')).toEqual({
      standings: [{ standing: one }, { standing: two, end: endOf(two) }],
      unreadable: [],
    });
  });
});

it('of many incidents that ask at once, as many have a place as may, and another when one leaves', async () => {
  const store = new CourseStore(dynamo.client, 'state');
  const standing = sampleStanding({ cluster: 'places' });
  const now = new Date();
  const until = new Date(now.getTime() + 60_000).toISOString();
  const ask = async (incident: string) => {
    const place = { incident, instanceId: 'i-0123456789abcdef0', until };
    return hasPlace(
      await store.change(standing, (course) => withPlace(course, place, 2, now)),
      incident,
      now,
    );
  };
  const names = Array.from({ length: 25 }, (_, index) => `inc-${index}`);
  const given = await Promise.all(names.map(ask));
  expect(given.filter(Boolean)).toHaveLength(2);
  expect(placesAt(await store.read(standing), now)).toHaveLength(2);
  const [first = ''] = names.filter((_, index) => given[index]);
  await store.change(standing, (course) => withoutPlace(course, first, true));
  expect(await ask('late')).toBe(true);
  expect(await ask('later')).toBe(false);
  // The next one of the same group begins with nothing.
  expect(await store.read({ ...standing, id: 'next-r1' })).toMatchObject({
    id: 'next-r1',
    places: [],
    days: [],
  });
});

it('what became of the incidents of a group is remembered by it', async () => {
  const store = new HistoryStore(dynamo.client, 'state');
  const now = new Date('2026-11-21T00:00:00Z');
  const past = samplePast({ nodeGroup: 'workers' });
  await store.remember('prod', past);
  await store.remember('prod', samplePast({ incident: 'inc-2' }));
  expect(await store.ofGroup('prod', 'workers', 7, now)).toEqual([past]);
  expect(await store.ofGroup('prod', 'others', 7, now)).toEqual([]);
});
