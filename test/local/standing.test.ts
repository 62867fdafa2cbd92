import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readStanding } from '../../lambdas/adapters/standing-reader.ts';
import { beginStanding } from '../../lambdas/adapters/standing-writer.ts';
import { type Cloud, startCloud } from '../../local/cloud/cloud.ts';
import { sampleStanding } from '../lambdas/domain/standing/sample-standing.ts';
import { stackWithState } from './cloud/test-stack.ts';
import { runCommand } from './run-command.ts';

// A process each, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000 });

const table = 'state';
const now = new Date();
const standing = sampleStanding({
  from: now.toISOString(),
  until: new Date(now.getTime() + 86_400_000).toISOString(),
});

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ stack: stackWithState(table, ['prod']) });
});
afterAll(() => cloud?.close());

const run = (...args: string[]) => runCommand('standing.ts', args, cloud, { AWS_ACCESS_KEY_ID: 'BOB' });

describe('npm run standing', () => {
  it('lists what holds, ends it as whoever runs it, and then has nothing to end', async () => {
    expect((await run('list', 'prod')).stdout).toBe('prod has had no standing treatment lately\n');
    await beginStanding(cloud.dynamo, table, standing, now);
    expect((await run('list', 'prod')).stdout).toMatch(
      /^holds {2}standing-reclaim of group workers until .*, approved by ana \(incident-1-r3-v0\): session-churn, from 2000/,
    );
    const other = await run('end', 'prod', 'others', '--reason', 'x');
    expect(other).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('Groups that have one: workers'),
    });

    const ended = await run('end', 'prod', 'workers', '--reason', 'the cron job is gone');
    expect(ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('ended: standing-reclaim of group workers'),
    });
    const bob = 'arn:aws:iam::000000000000:user/bob';
    expect((await readStanding(cloud.dynamo, table, standing))?.end).toMatchObject({
      id: standing.id,
      by: bob,
      arn: bob,
      reason: 'the cron job is gone',
    });
    const { stdout } = await run('list', 'prod', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      cluster: 'prod',
      standings: [{ standing: { id: standing.id }, over: expect.stringContaining('the cron job is gone') }],
    });
    const again = await run('end', 'prod', 'workers', '--reason', 'x');
    expect(again).toMatchObject({ code: 3, stderr: expect.stringContaining(`${bob} ended it at`) });
  });

  it('asks which of two of a group is to end', async () => {
    const both = ['standing-reclaim', 'standing-restart'] as const;
    for (const treatment of both) {
      const cause = treatment === 'standing-reclaim' ? 'session-churn' : 'kubelet-leak';
      const one = { ...standing, id: treatment, nodeGroup: 'both', treatment, cause } as const;
      await beginStanding(cloud.dynamo, table, one, now);
    }
    expect((await run('list', 'prod')).stdout).toContain('kubelet-leak, before a kubelet holds 2000 MB');
    const end = ['end', 'prod', 'both', '--reason', 'x'];
    expect(await run(...end)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('standing-reclaim and standing-restart: say by --treatment'),
    });
    expect(await run(...end, '--treatment', 'standing-restart')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('ended: standing-restart of group both'),
    });
    // One is left, and needs no name.
    expect(await run(...end)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('ended: standing-reclaim of group both'),
    });
  }, 60_000);

  it.each([['list'], ['end']])(
    '%s says of a cluster that the stack does not know that it cannot be told',
    async (verb) => {
      const { stdout, stderr, code } = await run(
        verb,
        'prd',
        ...(verb === 'end' ? ['workers', '--reason', 'x'] : []),
      );
      expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
      expect(stderr).toContain('whether "prd" is a cluster of this stack cannot be told');
      expect(stderr).toContain('is the name right, and the region?');
    },
  );

  it.each([
    ['nothing', [], 'list or end is needed'],
    [
      'another treatment',
      ['end', 'prod', 'workers', '--reason', 'x', '--treatment', 'y'],
      'use one of standing-reclaim',
    ],
    ['no verb', ['prod'], '"prod" is neither list nor end'],
    ['no cluster', ['list'], 'list needs CLUSTER'],
    ['what is no cluster', ['list', 'a b'], 'CLUSTER is "a b": must be an EKS cluster name'],
    ['no group', ['end', 'prod', '--reason', 'x'], 'end needs GROUP'],
    [
      'what is no group',
      ['end', 'prod', '', '--reason', 'x'],
      'GROUP is "": must be the name of a node group',
    ],
    ['no reason', ['end', 'prod', 'workers'], '--reason is needed'],
    ['an empty reason', ['end', 'prod', 'workers', '--reason', ' '], '--reason is " ": must not be empty'],
  ])('refuses %s', async (_, args, why) => {
    const { stderr, code } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });
});
