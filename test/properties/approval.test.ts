import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { check, commands, decided, goOn, ways } from './approval/commands.ts';
import { Model } from './approval/model.ts';
import { byHand, whoIs } from './approval/people.ts';
import { Execution, expirySeconds, type Rules, Wire } from './approval/world.ts';
import { runs } from './runs.ts';

vi.mock('../../lambdas/adapters/settings-file.ts', async () => {
  const { present } = await import('./approval/world.ts');
  return {
    settings: () => present.settings,
    clusterSettings: (all: typeof present.settings, name: string) => all.clusters[name],
  };
});

let wire: Wire;
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const print = (chunk: unknown): boolean => {
    wire?.printed.push(String(chunk));
    return true;
  };
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockImplementation(print);
  wire = await Wire.start();
});
afterAll(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await wire?.close();
});

const rules: fc.Arbitrary<Rules> = fc.record({
  quorum: fc.constantFrom(1, 2, 3),
  groups: fc.boolean(),
  remindAtPercent: fc.constantFrom(0, 25),
  escalateAtPercent: fc.constantFrom(0, 50),
  byAna: fc.boolean(),
  onePersonTeam: fc.boolean(),
});

it('an approval comes to one end, by people who may, whatever happens to whom and when', async () => {
  const seen: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(rules, ways, commands, async (under, first, all) => {
      const execution = await Execution.start(wire, under, under.byAna ? byHand('ana') : undefined);
      const model = new Model(under);
      await goOn(model, execution, first);
      await fc.asyncModelRun(() => ({ model, real: execution }), all);
      await toItsEnd(model, execution);
      seen[model.status] = (seen[model.status] ?? 0) + 1;
    }),
    runs(40),
  );
  // A property that only ever sees one of them proves nothing of the others.
  expect(Object.keys(seen)).toEqual(expect.arrayContaining(['approved', 'denied', 'expired']));
}, 1_200_000);

it('of many who decide while it expires, or its execution is stopped, whose write is first is who decided', async () => {
  const seen: Record<string, number> = {};
  const dynamo = (await import('../../lambdas/adapters/dynamo.ts')).dynamo();
  const race = fc.record({
    deciders: fc.array(decided, { minLength: 2, maxLength: 4 }),
    from: fc.constantFrom(0, expirySeconds / 2),
    end: fc.constantFrom('its time' as const, 'the janitor' as const, 'nothing' as const),
  });
  await fc.assert(
    fc.asyncProperty(rules, race, fc.scheduler(), async (under, { deciders, from, end }, scheduler) => {
      const execution = await Execution.start(wire, under, under.byAna ? byHand('ana') : undefined);
      const model = new Model(under);
      await goOn(model, execution, smoothly);
      pass(model, from);
      const send = dynamo.send.bind(dynamo);
      // One call after the other, in an order of its own; a refused one is no concern of who keeps the order.
      const inTurn = scheduler.scheduleFunction((command: never) =>
        send(command).then(
          (answer) => ({ answer }),
          (error: unknown) => ({ error }),
        ),
      );
      const spy = vi.spyOn(dynamo, 'send').mockImplementation((async (command: never) => {
        const ended = await inTurn(command);
        if ('error' in ended) throw ended.error;
        return ended.answer;
      }) as never);
      const ends = async (): Promise<void> => {
        if (end === 'nothing') return;
        await scheduler.schedule(Promise.resolve(), end);
        if (end === 'the janitor') return execution.cleanUp(undefined);
        pass(model, expirySeconds - from);
        execution.look();
        await execution.settle(1, undefined, true);
      };
      const all = Promise.all([Promise.all(deciders.map((what) => execution.decide(what))), ends()]);
      const [answers] = await scheduler.waitFor(all).finally(() => spy.mockRestore());

      const record = await execution.record();
      for (const [index, answer] of answers.entries()) {
        if (answer.status === 'refused') continue;
        const { decision, who } = deciders[index] ?? {};
        const own = { person: whoIs[who ?? 'ana'].id, decision };
        expect(record?.decisions).toContainEqual(expect.objectContaining(own));
        if (answer.approval.status !== 'pending') expect(record?.status).toBe(answer.approval.status);
      }
      model.follow(record);
      await check(model, execution);
      await toItsEnd(model, execution);
      seen[model.status] = (seen[model.status] ?? 0) + 1;
    }),
    runs(30),
  );
  expect(Object.keys(seen)).toEqual(expect.arrayContaining(['approved', 'denied', 'expired']));
}, 1_200_000);

const smoothly = { deliveries: 1, crash: undefined, retried: true };

function pass(model: Model, seconds: number): void {
  model.now += seconds;
  vi.setSystemTime(Date.now() + seconds * 1000);
}

/** Nothing more happens but that time passes: the wait ends, and what was decided is what came of it. */
async function toItsEnd(model: Model, execution: Execution): Promise<void> {
  for (let step = 0; step < 12 && execution.at !== 'ended' && execution.at !== 'dead'; step += 1) {
    if (execution.at === 'waiting') pass(model, expirySeconds / 4);
    await goOn(model, execution, smoothly);
    await check(model, execution);
  }
  if (execution.at === 'dead') {
    await execution.cleanUp(undefined);
    model.follow(await execution.record());
    await check(model, execution);
  }
  expect(['ended', 'dead']).toContain(execution.at);
  // A wait for each stage, and one more for each that broke.
  expect(execution.waits).toBeLessThanOrEqual(6);
  const entries = await execution.entries();
  const outcomes = entries.flatMap(({ step, outcome = '' }) =>
    step === 'approval.settled' ? [outcome] : [],
  );
  expect(new Set(outcomes).size).toBeLessThanOrEqual(1);
  if (execution.at === 'ended') expect(outcomes).toContain(model.status);
  if (entries.some(({ step }) => step === 'approval.requested')) {
    expect(model.status).not.toBe('pending');
    expect(execution.told().at(-1)).toBe(model.status);
  }
  expect(wire.printed.join('')).not.toContain('TASK-TOKEN');
  wire.printed.length = 0;
}
