import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LeaseStore } from '../../../lambdas/adapters/lease-store.ts';
import { type LocalDynamo, startDynamo } from './local-dynamo.ts';

const t0 = new Date('2026-11-21T06:00:00.000Z');
const later = (seconds: number): Date => new Date(t0.getTime() + seconds * 1000);

let dynamo: LocalDynamo;
let leases: LeaseStore;
let node = 0;
function freshNode(): string {
  node += 1;
  return `i-${String(node).padStart(17, '0')}`;
}

beforeAll(async () => {
  dynamo = await startDynamo();
  leases = new LeaseStore(dynamo.client, 'state');
});
afterAll(() => dynamo.stop());

describe('LeaseStore', () => {
  it('gives a node to one incident, and tells the other who has it', async () => {
    const instance = freshNode();

    expect(await leases.take(instance, 'one', 60, t0)).toMatchObject({ status: 'ours', fencing: 1 });
    expect(await leases.take(instance, 'two', 60, later(1))).toEqual({
      status: 'held',
      holder: 'one',
      until: later(60).toISOString(),
    });
  });

  it('lets exactly one of many win', async () => {
    const instance = freshNode();

    const taken = await Promise.all(
      Array.from({ length: 20 }, (_, index) => leases.take(instance, `inc-${index}`, 60, t0)),
    );

    expect(taken.filter(({ status }) => status === 'ours')).toHaveLength(1);
  });

  it('holds a lease up to its very last moment', async () => {
    const instance = freshNode();
    await leases.take(instance, 'one', 60, t0);

    expect(await leases.take(instance, 'two', 60, later(60))).toMatchObject({ status: 'held' });
    const after = new Date(later(60).getTime() + 1);
    expect(await leases.take(instance, 'two', 60, after)).toMatchObject({ status: 'ours' });
  });

  it('does not take a broken table for a lease that somebody else has', async () => {
    const nowhere = new LeaseStore(dynamo.client, 'no-such-table');

    await expect(nowhere.take('i-1', 'one', 60, t0)).rejects.toThrow(/not found/);
    await expect(nowhere.renew('i-1', 'one', 1, 60, t0)).rejects.toThrow(/not found/);
    await expect(nowhere.release('i-1', 'one')).rejects.toThrow(/not found/);
  });

  it('passes an expired lease on, and the old holder can neither renew nor release it', async () => {
    const instance = freshNode();
    await leases.take(instance, 'one', 60, t0);

    expect(await leases.take(instance, 'two', 60, later(61))).toMatchObject({ status: 'ours', fencing: 2 });
    expect(await leases.renew(instance, 'one', 1, 60, later(62))).toEqual({ status: 'lost', holder: 'two' });
    expect(await leases.release(instance, 'one')).toBe(false);
    expect(await leases.take(instance, 'three', 60, later(63))).toMatchObject({
      status: 'held',
      holder: 'two',
    });
  });

  it('renews for its holder under its fencing number only', async () => {
    const instance = freshNode();
    await leases.take(instance, 'one', 60, t0);

    expect(await leases.renew(instance, 'one', 1, 60, later(30))).toMatchObject({ status: 'ours' });
    expect(await leases.take(instance, 'two', 60, later(61))).toMatchObject({ status: 'held' });
    expect(await leases.renew(instance, 'one', 7, 60, later(62))).toMatchObject({ status: 'lost' });
  });

  it('moves the fencing number when its own holder takes it over, so that what still runs of it is stopped', async () => {
    const instance = freshNode();
    await leases.take(instance, 'one', 60, t0);

    expect(await leases.take(instance, 'one', 60, later(1))).toMatchObject({ status: 'ours', fencing: 2 });
    expect(await leases.renew(instance, 'one', 1, 60, later(2))).toMatchObject({ status: 'lost' });
  });

  it('is free after release, with a fencing number that never starts again', async () => {
    const instance = freshNode();
    await leases.take(instance, 'one', 60, t0);

    expect(await leases.release(instance, 'one')).toBe(true);
    expect(await leases.take(instance, 'two', 60, later(1))).toMatchObject({ status: 'ours', fencing: 2 });
  });
});
