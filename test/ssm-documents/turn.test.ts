import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { json, reclaimParameters } from './node-folder.ts';
import { actBefore, curedTree, medic, open, state, until } from './reclaim-node.ts';

describe.concurrent('the turn on a node', () => {
  it('is not called busy when its lock cannot be opened', async () => {
    const node = open();
    mkdirSync(join(node.root, medic, 'lock'), { recursive: true });
    const { error } = json(await node.run('reclaim', reclaimParameters));

    expect(error).toMatch(/^cannot open .*\/lock for writing: is the file system read-only/);
  });

  it('leaves no lock behind when it is killed: the next run restores first', async () => {
    const node = open();
    const before = node.lows();
    const killed = await node.run('reclaim', reclaimParameters, actBefore('timed_write*', 'kill -KILL 0'));
    const result = await node.run('reclaim', { ...reclaimParameters, incident: 'next' });

    expect(killed.status).toBe('TimedOut');
    expect(json(result)).toMatchObject({ protection: { raised: 4, restored: 4 }, undo: null });
    expect(node.lows()).toEqual(before);
  });

  it('refuses while another treatment is at work on the node', async () => {
    const node = open();
    const first = node.run('reclaim', { ...reclaimParameters, incident: 'first' });
    await until(() => existsSync(join(node.root, state, 'first/saved')));
    const second = await node.run('reclaim', { ...reclaimParameters, incident: 'second' });
    const dry = await node.run('reclaim', { ...reclaimParameters, incident: 'second', dryRun: 'true' });

    for (const refused of [second, dry]) {
      expect(refused.status).toBe('Failed');
      expect(json(refused).error).toMatch(
        /another treatment is at work on this node \(incident first, pid \d+, reclaim\)/,
      );
    }
    expect((await first).status).toBe('Success');
  });

  it('refuses a fencing number older than one that the node has seen', async () => {
    const node = open();
    mkdirSync(join(node.root, medic), { recursive: true });
    node.write(`${medic}/fencing`, '10 newer\n');

    const late = await node.run('reclaim', { ...reclaimParameters, fencing: '9', dryRun: 'true' });
    const next = await node.run('reclaim', { ...reclaimParameters, fencing: '10', dryRun: 'true' });

    expect(json(late).error).toBe(
      'fencing number 9 is older than 10, which incident newer has used on this node',
    );
    expect(next.status).toBe('Success');
    expect(node.read(`${medic}/fencing`)).toBe('10 newer\n');
  });

  it('counts a fencing number for two hours, whatever happens to the clock', async () => {
    const node = open(curedTree);
    mkdirSync(join(node.root, medic), { recursive: true });
    const runAfter = async (minutes: number) => {
      node.write(`${medic}/fencing`, '10 other\n');
      const then = Date.now() / 1000 - minutes * 60;
      utimesSync(join(node.root, medic, 'fencing'), then, then);
      const { status } = await node.run('reclaim', { ...reclaimParameters, fencing: '1' });
      return [status, node.read(`${medic}/fencing`)];
    };

    expect(await runAfter(119)).toEqual(['Failed', '10 other\n']);
    expect(await runAfter(121)).toEqual(['Success', '1 test-1\n']);
    expect(await runAfter(-121)).toEqual(['Success', '1 test-1\n']);
  });

  it('remembers the fencing number of a run, and refuses an older one', async () => {
    const node = open(curedTree);
    const first = await node.run('reclaim', { ...reclaimParameters, fencing: '7' });
    const late = await node.run('reclaim', { ...reclaimParameters, fencing: '6' });
    const next = await node.run('reclaim', { ...reclaimParameters, fencing: '10' });
    const other = await node.run('reclaim', { ...reclaimParameters, fencing: '9', incident: 'other' });

    expect(first.status).toBe('Success');
    expect(json(late).error).toContain('fencing number 6 is older than 7');
    expect(next.status).toBe('Success');
    expect(json(other).error).toContain('fencing number 9 is older than 10, which incident test-1 has used');
  });
});
