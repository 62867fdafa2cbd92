import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readPauses } from '../../lambdas/adapters/pause-reader.ts';
import { type Cloud, startCloud } from '../../local/cloud/cloud.ts';
import { ServiceError } from '../../local/cloud/wire.ts';
import { stackWithState } from './cloud/test-stack.ts';
import { runCommand } from './run-command.ts';

// A process each, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000 });

const table = 'state';
const hourMs = 3_600_000;

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ stack: stackWithState(table, ['prod', 'race', 'odd', 'quiet']) });
});
afterAll(() => cloud?.close());

const pause = (args: string[], person = 'ANA', env: Record<string, string> = {}) =>
  runCommand('pause.ts', args, cloud, { AWS_ACCESS_KEY_ID: person, ...env });
const ana = 'arn:aws:iam::000000000000:user/ana';
const bob = 'arn:aws:iam::000000000000:user/bob';
const read = (cluster: string) => readPauses(cloud.dynamo, table, cluster);

describe('npm run pause', () => {
  it('pauses a cluster as whoever runs it, lists it, keeps it from others, and is ended with a reason by them', async () => {
    const began = Date.now();
    const made = await pause(['prod', '--reason', 'the release', '--until', '2h', '--json']);
    expect({ stderr: made.stderr, code: made.code }).toEqual({ stderr: '', code: 0 });
    const { pause: first } = JSON.parse(made.stdout);
    expect(first).toMatchObject({ name: 'ana', reason: 'the release', by: ana, arn: ana });
    const lasts = Date.parse(first.until) - Date.parse(first.at);
    expect(lasts).toBe(2 * hourMs);
    expect(Date.parse(first.at)).toBeGreaterThanOrEqual(began);
    expect(await read('prod')).toEqual({ pauses: [first], unreadable: [] });

    // Ana's own is replaced, and she is told what it was.
    const longer = await pause(['prod', '--reason', 'it takes longer', '--until', '3h']);
    expect(longer.stdout).toContain(`in place of yours until ${first.until}: the release`);

    const others = await pause(['prod', '--reason', 'x', '--until', '1h', '--name', 'ana'], 'BOB');
    expect(others).toMatchObject({ stdout: '', code: 3 });
    expect(others.stderr).toMatch(
      /^refused: the pause ana of prod is that of arn:aws:iam::000000000000:user\/ana until .*: it takes longer\. Give yours another --name\n$/,
    );
    // Nor does it help to say that one is somebody else.
    expect(
      await pause(['prod', '--reason', 'x', '--until', '1h', '--name', 'ana', '--by', ana], 'BOB'),
    ).toMatchObject({ code: 3 });

    const listed = await pause(['prod', '--list']);
    expect(listed.stdout).toMatch(/^ana {2}until \S+, by arn:\S+\/ana since \S+: it takes longer\n$/);

    expect(await pause(['prod', '--end', 'ana'], 'BOB')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('To end it all the same, say why with --reason'),
    });
    const ended = await pause(['prod', '--end', 'ana', '--reason', 'ana sleeps', '--by', 'bob'], 'BOB');
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('ended: the pause ana of prod') });
    expect((await read('prod')).pauses[0]?.ended).toMatchObject({
      by: 'bob',
      arn: bob,
      reason: 'ana sleeps',
    });
    expect((await pause(['prod', '--list'])).stdout).toBe('prod is not paused\n');
    const { stdout } = await pause(['prod', '--list', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ cluster: 'prod', pauses: [{ name: 'ana', active: false }] });

    // One that is over is nobody's.
    expect(await pause(['prod', '--end', 'ana'])).toMatchObject({ code: 3 });
    expect(
      await pause(['prod', '--reason', 'mine now', '--until', '1h', '--name', 'ana'], 'BOB'),
    ).toMatchObject({
      code: 0,
    });
  });

  it('that meets another at the same moment leaves one of both, whole', async () => {
    const people = ['ANA', 'BOB', 'CYD'];
    const all = await Promise.all(
      people.map((person) => pause(['race', '--reason', person, '--until', '1h', '--name', 'one'], person)),
    );
    expect(all.map(({ code }) => code).sort()).toEqual([0, 3, 3]);
    const winner = people[all.findIndex(({ code }) => code === 0)];
    expect(await read('race')).toMatchObject({
      pauses: [{ reason: winner, arn: `arn:aws:iam::000000000000:user/${winner?.toLowerCase()}` }],
    });
  });

  it('is refused by the condition of the write where somebody was faster', async () => {
    let stolen: Promise<unknown> | undefined;
    let done = false;
    const steal = ({ service, call, body }: { service: string; call: string; body: Buffer }) => {
      if (service !== 'dynamodb' || call !== 'PutItem' || body.includes('of another')) return undefined;
      const Item = marshall({ pk: 'PAUSE#quiet', sk: 'slow', pause: 'of another' });
      stolen ??= cloud.dynamo.send(new PutItemCommand({ TableName: table, Item })).then(() => {
        done = true;
      });
      if (!done) throw new ServiceError('ThrottlingException', 'again');
      return undefined;
    };
    cloud.disturbances.add(steal);
    const lost = await pause(['quiet', '--reason', 'slow', '--until', '1h', '--name', 'slow']);
    cloud.disturbances.delete(steal);
    await stolen;
    expect(lost).toMatchObject({ code: 3, stderr: expect.stringContaining('at this very moment') });
    expect(await read('quiet')).toEqual({ pauses: [], unreadable: ['slow'] });
  });

  it('shows what cannot be read, and does not write over it', async () => {
    const Item = marshall({ pk: 'PAUSE#odd', sk: 'odd', pause: '{"version":7}' });
    await cloud.dynamo.send(new PutItemCommand({ TableName: table, Item }));
    expect((await pause(['odd', '--list'])).stdout).toContain(
      'odd  cannot be read, so that everything is refused',
    );
    const over = await pause(['odd', '--reason', 'x', '--until', '1h', '--name', 'odd']);
    expect(over).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('cannot be read, and is not changed'),
    });
  });

  it.each([
    ['no cluster', [], 'one cluster is needed, and none was given'],
    ['what is no cluster', ['../x', '--list'], 'CLUSTER is "../x": must be an EKS cluster name'],
    ['no reason', ['prod', '--until', '1h'], '--reason is needed'],
    ['no end', ['prod', '--reason', 'x'], '--until is needed: no pause is for ever'],
    ['an end that is over', ['prod', '--reason', 'x', '--until', '2026-01-01T00:00Z'], 'that is over'],
    ['too long an end', ['prod', '--reason', 'x', '--until', '31d'], 'must be 30 days from now at most'],
    [
      'a time of nowhere',
      ['prod', '--reason', 'x', '--until', '2026-12-01T10:00'],
      'must be a time with its offset',
    ],
    ['a day that is none', ['prod', '--reason', 'x', '--until', '2027-02-30T10:00Z'], 'must be a time with'],
    ['a name with spaces', ['prod', '--reason', 'x', '--until', '1h', '--name', 'a b'], '--name is "a b"'],
    ['a reason of two lines', ['prod', '--reason', 'x\ny', '--until', '1h'], 'must be one line of text'],
    ['a list with an end', ['prod', '--list', '--until', '1h'], '--until says nothing beside --list'],
  ])('refuses %s, says which value is wrong, and how it is used', async (_, args, message) => {
    const before = cloud.calls.length;
    const { stdout, stderr, code } = await pause(args);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain(message);
    expect(stderr).toContain('usage: npm run pause -- CLUSTER');
    expect(cloud.calls).toHaveLength(before);
  });

  it.each<[string, string[], Record<string, string>, string]>([
    [
      'a cluster that there is not',
      ['prdo', '--reason', 'x', '--until', '1h'],
      {},
      'is the name right, and the region?',
    ],
    [
      'a stack that there is not',
      ['prod', '--list', '--stack', 'Other'],
      {},
      'the outputs of the stack Other cannot be read',
    ],
    [
      'a table that there is not',
      ['prod', '--list', '--table', 'other'],
      {},
      'the pauses of prod cannot be read: ResourceNotFoundException',
    ],
    [
      'nobody who is logged in',
      ['prod', '--list', '--table', table],
      { AWS_ACCESS_KEY_ID: '' },
      '(log in first ("aws sso login"), or give --profile)',
    ],
  ])('says in one sentence what to do about %s', async (_, args, env, message) => {
    const { stdout, stderr, code } = await pause(args, 'ANA', env);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
