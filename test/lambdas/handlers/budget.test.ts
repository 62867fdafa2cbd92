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

const cordoned = {
  step: 'cordon.intended',
  rung: 0,
  details: { undo: { uncordon: { node: 'n' } } },
} as const;
const me = {
  incident: 'inc',
  instanceId: 'i-0123456789abcdef0',
  nodeGroup: 'web',
  zone: 'z',
  nodes: { cluster: 3, nodeGroup: 3 },
  treatment: 'cordon',
};
const logger = { error: vi.fn(), info: vi.fn() };
async function holding(cluster: string): Promise<BudgetStore> {
  const store = new BudgetStore(local.client, 'state');
  const now = new Date();
  const until = new Date(now.getTime() + 3_600_000);
  await store.change(cluster, (budget) => withPlace(budget, me, Gates.parse({}).budget, now, until));
  return store;
}

it('ends with the place of an incident held for a day where a cordon stays, and gives it back where none does', async () => {
  const { endPlace } = await import('../../../lambdas/handlers/budget.ts');
  const lifted = { step: 'cordon.finished', rung: 0, outcome: 'done' } as const;
  const failed = { step: 'undo.finished', rung: 0, outcome: 'failed' } as const;
  const kept = { step: 'treatment.finished', rung: 0, details: { cordonKept: true } } as const;
  for (const [cluster, drafts, stays] of [
    ['lifted', [cordoned, lifted], false],
    ['failed', [cordoned, failed], true],
    ['kept', [cordoned, kept], true],
  ] as const) {
    const store = await holding(cluster);
    await endPlace({ id: 'inc', cluster }, trailOf(...drafts), logger);
    const day = Date.now() + 86_400_000 - 60_000;
    const { holders } = await store.read(cluster);
    expect([cluster, holders.map(({ until }) => Date.parse(until) > day)]).toEqual([
      cluster,
      stays ? [true] : [],
    ]);
  }
});

it('keeps the place of an incident while its cordon stands, whatever is refused or looked at anew, and gives it back after', async () => {
  const { leaveBudgetUncordoned } = await import('../../../lambdas/handlers/budget.ts');
  const store = await holding('prod');
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
