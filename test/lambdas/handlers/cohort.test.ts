import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { BreakerStore } from '../../../lambdas/adapters/breaker-store.ts';
import { BudgetStore } from '../../../lambdas/adapters/budget-store.ts';
import { CohortStore } from '../../../lambdas/adapters/cohort-store.ts';
import { askedBy, begins, decided, leaves } from '../../../lambdas/domain/cohort/steps.ts';
import { diagnoseWithoutEvidence } from '../../../lambdas/domain/diagnosis.ts';
import { closedBreaker } from '../../../lambdas/domain/gates/breaker.ts';
import type { GateResult } from '../../../lambdas/domain/gates/gate.ts';
import type { IncidentState } from '../../../lambdas/domain/incident-state.ts';
import { Settings } from '../../../lambdas/domain/settings.ts';
import type { Rung } from '../../../lambdas/domain/treatments/treatment.ts';
import { failingClient, somebodyWasFaster } from '../adapters/failing-client.ts';
import { type LocalDynamo, startDynamo } from '../adapters/local-dynamo.ts';
import { openedState } from '../domain/sample-state.ts';
import { restoreHandlers, stubHandlers } from './handler-environment.ts';

let local: LocalDynamo;
let client: DynamoDBClient;
beforeAll(async () => {
  local = await startDynamo();
  stubHandlers(() => client);
});
beforeEach(() => {
  client = local.client;
});
afterAll(async () => {
  restoreHandlers();
  await local.stop();
});

const rung: Rung = {
  treatment: 'restart-kubelet',
  kind: 'document',
  arguments: {},
  risk: 'medium',
  needs: 'approval',
  reason: '',
  standing: false,
  onceStopped: false,
  namesItsApproval: false,
  onlyWhenCalm: false,
  disrupts: true,
  expects: { text: 'few are left', signal: 'dying', level: 'falls' },
};
const nodes = { cluster: 30, nodeGroup: 30 };

/** An incident that has waited before, so that nobody asks EC2 where its node stands. */
function incident(cluster: string, id: string, change: Partial<IncidentState> = {}): IncidentState {
  const opened = openedState({ plan: [rung], rung, ...change });
  return {
    ...opened,
    incident: { ...opened.incident, id, cluster, instanceId: `i-${id}` },
    diagnosis: diagnoseWithoutEvidence({ probe: 'evidence', reason: 'nothing was asked' }),
    whereabouts: { nodeGroup: 'web', zone: 'us-east-1a', nodes },
    gate: { decision: 'wait', gate: 'pauses', reason: '', waitSeconds: 60 },
  };
}

function contextOf(name: string, change: object = {}) {
  const settings = Settings.parse({ clusters: { [name]: change } });
  const cluster = settings.clusters[name];
  if (cluster === undefined) throw new Error(`there is no cluster ${name}`);
  return { cluster, settings, now: () => new Date(), logger: { error: vi.fn(), warn: vi.fn() } as never };
}

const answer = (decision: GateResult['decision'], gate = 'mode'): GateResult => ({
  gate,
  decision,
  reason: '',
});
const handlers = () => import('../../../lambdas/handlers/cohort.ts');
const store = () => new CohortStore(local.client, 'state');
const far = new Date(Date.now() + 3_600_000);
const present = (context: ReturnType<typeof contextOf>) => ({
  now: new Date(),
  settings: context.cluster.gates.cohort,
  until: far,
});

/** Two incidents that people are asked about together. */
async function two(name: string) {
  const { askCohort } = await handlers();
  const context = contextOf(name);
  const states: IncidentState[] = [];
  for (const id of ['a', 'b']) {
    const state = incident(name, id);
    const { cohort } = await askCohort(state, rung, context, { answer: answer('ask'), asks: ['mode'] });
    states.push({ ...state, ...(cohort === undefined ? {} : { cohort }) });
  }
  const [a, b] = states;
  const key = a?.cohort?.key;
  if (a === undefined || b === undefined || key === undefined) throw new Error('they formed no cohort');
  const members = async () =>
    (await store().read(name, key)).members.map((one) => `${one.incident} ${one.is}`);
  return { a, b, key, context, members };
}

/** The same, approved, and the first of them helped: it is the turn of the second. */
async function turned(name: string) {
  const made = await two(name);
  const { key, context } = made;
  await store().change(
    name,
    (cohort) => {
      const at = present(context);
      const asks = askedBy(cohort, 'a', 'a-r0', far, context.cluster.gates.cohort) ?? cohort;
      const goes = decided(asks, { approvalId: 'a-r0', status: 'approved', by: 'ana' }, at);
      return leaves(begins(goes, 'a', far) ?? goes, 'a', { came: 'helped', why: '' }, at);
    },
    key,
  );
  return made;
}

describe('an incident that goes its own way', () => {
  it('leaves its cohort where only telling people is left for it, or cohorts are switched off, and the next leads', async () => {
    const { askCohort } = await handlers();
    for (const [name, own, context] of [
      ['notify', { ...rung, kind: 'notify' as const }, contextOf('notify')],
      ['off', rung, contextOf('off', { gates: { cohort: { enabled: false } } })],
    ] as const) {
      const { a, members } = await two(name);
      const asked = await askCohort(a, own, context, { answer: answer('ask'), asks: ['mode'] });
      expect(asked).toMatchObject({ role: 'alone', cohort: undefined });
      expect(await members()).toEqual(['b waits']);
    }
  });

  it('remembers its cohort where another gate stops it before people were asked, and so leaves it as it ends', async () => {
    const { askCohort } = await handlers();
    const { a, key, context, members } = await two('stopped');
    // In mode observe, or where the mode cannot be read, no gate asks, and it would be another cohort.
    for (const decision of ['observe', 'refuse', 'wait'] as const) {
      const asked = await askCohort(a, rung, context, { answer: answer(decision), asks: [] });
      expect(asked).toMatchObject({ role: 'alone', result: { decision: 'pass' }, cohort: { key } });
    }
    expect(await members()).toEqual(['a waits', 'b waits']);
  });
});

describe('what was decided for all of a cohort', () => {
  it('is about a node of which recurrence asks as well by now, and about none that somebody has cordoned since', async () => {
    const { askCohort } = await handlers();
    const { b, key, context, members } = await turned('decided');
    const asking = (asks: string[]) => askCohort(b, rung, context, { answer: answer('ask'), asks });
    expect(await asking(['mode', 'recurrence'])).toMatchObject({
      role: 'turn',
      cohort: { key },
      decision: { by: 'ana' },
    });
    expect(await asking(['recurrence'])).toMatchObject({ role: 'turn', cohort: { key } });
    const cordoned = await asking(['mode', 'others']);
    expect(cordoned).toMatchObject({ role: 'waits', decision: null });
    expect(cordoned.cohort?.key).not.toBe(key);
    expect(await members()).toEqual([]);
  });

  it('begins nothing after a stop, also not where a function has said so before, and has died', async () => {
    const { beginsToAct } = await handlers();
    const { b, key, context, members } = await turned('stop');
    expect(await beginsToAct(b, context)).toBeUndefined();
    // The function is run again.
    expect(await beginsToAct(b, context)).toBeUndefined();
    const stop = { phase: 'stopped' as const };
    await store().change('stop', (cohort) => ({ ...cohort, ...stop }), key);
    expect(await members()).toEqual(['b acts']);
    expect(await beginsToAct(b, context)).toMatchObject({ gate: 'cohort', decision: 'refuse' });
  });
});

describe('an item that others keep changing', () => {
  it('is waited for by whoever wants a place, a turn or to be the canary, and refuses nobody for good', async () => {
    const { beginsToAct, askCohort } = await handlers();
    const { askBudget } = await import('../../../lambdas/handlers/budget.ts');
    const { askBreaker } = await import('../../../lambdas/handlers/breaker.ts');
    const { b, context } = await turned('busy');
    await new BreakerStore(local.client, 'state').change('busy', () => ({
      ...closedBreaker,
      openedAt: new Date(0).toISOString(),
    }));
    client = failingClient(local.client, somebodyWasFaster);
    const newcomer = incident('busy', 'c');
    const late = { ...newcomer, waited: { budget: context.cluster.gates.budget.waitMinutes * 60 } };
    const [begun, come, budget, tooLong, breaker] = await Promise.all([
      beginsToAct(b, context),
      askCohort(newcomer, rung, context, { answer: answer('ask'), asks: ['mode'] }),
      askBudget(newcomer, rung, context, answer('pass')),
      askBudget(late, rung, context, answer('pass')),
      askBreaker(newcomer, rung, context, answer('pass')),
    ]);

    const waits = { decision: 'wait', until: expect.any(String) };
    expect(begun).toMatchObject({ gate: 'cohort', ...waits });
    expect(come.result).toMatchObject({ gate: 'cohort', ...waits });
    expect(budget).toMatchObject({ taken: false, result: { gate: 'budget', ...waits } });
    expect(breaker).toMatchObject({ gate: 'breaker', ...waits });
    // Not for ever.
    expect(tooLong).toMatchObject({ taken: false, result: { gate: 'budget', decision: 'skip' } });
    expect((await new BudgetStore(local.client, 'state').read('busy')).holders).toEqual([]);
  }, 30_000);

  it('that cannot be written for another reason still refuses', async () => {
    const { askBudget } = await import('../../../lambdas/handlers/budget.ts');
    const context = contextOf('broken');
    client = failingClient(local.client, () => new Error('the table is away'));
    const { result } = await askBudget(incident('broken', 'a'), rung, context, answer('pass'));
    expect(result).toMatchObject({ gate: 'budget', decision: 'refuse' });
  });
});
