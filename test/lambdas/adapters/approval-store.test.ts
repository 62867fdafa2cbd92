import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ApprovalStore } from '../../../lambdas/adapters/approval-store.ts';
import type { Approval } from '../../../lambdas/domain/approval/approval.ts';
import { sampleApproval } from '../domain/approval/sample-approval.ts';
import { type LocalDynamo, startDynamo } from './local-dynamo.ts';

let dynamo: LocalDynamo;
let store: ApprovalStore;
beforeAll(async () => {
  dynamo = await startDynamo();
  store = new ApprovalStore(dynamo.client, 'state');
});
afterAll(() => dynamo.stop());

function approvalWith(id: string, change: Partial<Approval> = {}): Approval {
  return sampleApproval({ id, ...change });
}

describe('ApprovalStore', () => {
  it('keeps the token beside the record and never in it', async () => {
    await store.request(approvalWith('a'), 'secret-token');

    expect(JSON.stringify(await store.get('a'))).not.toContain('secret-token');
    expect(await store.token('a')).toBe('secret-token');
  });

  it.each(['APPROVAL', 'TOKEN'])(
    'keeps the %s for thirty days after the approval has expired',
    async (sk) => {
      await store.request(approvalWith(`ttl-${sk}`), 't');

      const key = marshall({ pk: `APPROVAL#ttl-${sk}`, sk });
      const { Item } = await dynamo.client.send(new GetItemCommand({ TableName: 'state', Key: key }));
      const days = (unmarshall(Item ?? {}).ttl - Date.parse('2026-11-21T07:00:00Z') / 1000) / 86_400;
      expect(days).toBe(30);
    },
  );

  it('does not take a broken table for a race that was lost', async () => {
    const nowhere = new ApprovalStore(dynamo.client, 'no-such-table');

    await expect(nowhere.request(approvalWith('a'), 't')).rejects.toThrow(/not found/);
    await expect(nowhere.settle(approvalWith('a'), approvalWith('a'))).rejects.toThrow(/not found/);
  });

  it('never decides on what a replica of the table remembers', async () => {
    const send = vi.spyOn(dynamo.client, 'send');
    await store.get('a');
    await store.token('a');
    const inputs = send.mock.calls.map(([{ input }]) => input);
    send.mockRestore();

    expect(inputs).toMatchObject([{ ConsistentRead: true }, { ConsistentRead: true }]);
  });

  it('knows nothing of an approval that was never asked for', async () => {
    expect(await store.get('nobody')).toBeUndefined();
    expect(await store.token('nobody')).toBeUndefined();
    expect(await store.settle(approvalWith('nobody', { status: 'approved' }), approvalWith('nobody'))).toBe(
      false,
    );
  });

  it('lets one of many decide', async () => {
    await store.request(approvalWith('race'), 't');

    const won = await Promise.all(
      (['approved', 'denied', 'expired', 'void'] as const).map((status) =>
        store.settle(approvalWith('race', { status }), approvalWith('race')),
      ),
    );

    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await store.get('race'))?.status).toBe(
      (['approved', 'denied', 'expired', 'void'] as const)[won.indexOf(true)],
    );
  });

  it('does not let a repeated request reopen what was decided', async () => {
    await store.request(approvalWith('again'), 'first');
    await store.settle(approvalWith('again', { status: 'denied' }), approvalWith('again'));

    await store.request(approvalWith('again'), 'second');

    expect((await store.get('again'))?.status).toBe('denied');
    expect(await store.token('again')).toBe('second');
  });
});
