import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { BudgetStore } from '../../../lambdas/adapters/budget-store.ts';
import { withPlace } from '../../../lambdas/domain/gates/budget.ts';
import { Gates } from '../../../lambdas/domain/settings/gates.ts';
import { type LocalDynamo, startDynamo } from '../adapters/local-dynamo.ts';
import { trailOf } from '../domain/audit-sample.ts';
import { restoreHandlers, stubHandlers } from './handler-environment.ts';

let local: LocalDynamo;
beforeAll(async () => {
  local = await startDynamo();
  stubHandlers(() => local.client);
});
afterAll(async () => {
  restoreHandlers();
  await local.stop();
});

it('keeps the place of an incident while its cordon stands, whatever is refused or looked at anew, and gives it back after', async () => {
  const { leaveBudgetUncordoned } = await import('../../../lambdas/handlers/budget.ts');
  const store = new BudgetStore(local.client, 'state');
  const now = new Date();
  const me = {
    incident: 'inc',
    instanceId: 'i-0123456789abcdef0',
    nodeGroup: 'web',
    zone: 'z',
    nodes: { cluster: 3, nodeGroup: 3 },
    treatment: 'cordon',
  };
  const until = new Date(now.getTime() + 3_600_000);
  await store.change('prod', (budget) => withPlace(budget, me, Gates.parse({}).budget, now, until));
  const cordoned = {
    step: 'cordon.intended',
    rung: 0,
    details: { undo: { uncordon: { node: 'n' } } },
  } as const;
  const leave = (...drafts: Parameters<typeof trailOf>) =>
    leaveBudgetUncordoned(
      { id: 'inc', cluster: 'prod' },
      { trail: { entries: async () => trailOf(...drafts) }, logger: { error: vi.fn() } },
    );

  await leave(cordoned);
  expect((await store.read('prod')).holders).toMatchObject([{ incident: 'inc' }]);
  await leave(cordoned, { step: 'cordon.finished', rung: 0, outcome: 'done' });
  expect((await store.read('prod')).holders).toEqual([]);
});
