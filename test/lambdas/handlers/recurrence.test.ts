import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { HistoryStore } from '../../../lambdas/adapters/history-store.ts';
import { Settings } from '../../../lambdas/domain/settings.ts';
import { type LocalDynamo, startDynamo } from '../adapters/local-dynamo.ts';
import { sampleApproval } from '../domain/approval/sample-approval.ts';
import { openedState } from '../domain/sample-state.ts';
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

const settings = Settings.parse({ clusters: { prod: {} } });
const cluster = settings.clusters.prod;

it('what was done to a node before is asked by both gates: whether it recurs, and whether it goes anyway', async () => {
  if (cluster === undefined) throw new Error('there is no cluster');
  const { askPast } = await import('../../../lambdas/handlers/recurrence.ts');
  const opened = openedState();
  const context = { cluster, now: () => new Date(), logger: { error: vi.fn(), warn: vi.fn() } as never };
  const state = {
    ...opened,
    incident: { ...opened.incident, cluster: 'prod', imageId: 'ami-0123456789abcdef0' },
  };
  const { rung } = sampleApproval();
  const decisions = async () =>
    (await askPast(state, rung, context, false)).map(({ gate, decision }) => `${gate} ${decision}`);
  expect(await decisions()).toEqual(['recurrence pass', 'supersede pass']);

  await new HistoryStore(local.client, 'state').remember('prod', {
    version: 1,
    incident: 'before',
    instanceId: state.incident.instanceId,
    imageId: state.incident.imageId,
    closedAt: new Date().toISOString(),
    cause: 'memcg-id-exhaustion',
    outcome: 'cured',
    done: [{ treatment: 'replace-node', came: 'cured' }],
  });
  expect(await decisions()).toEqual(['recurrence pass', 'supersede refuse']);
});
