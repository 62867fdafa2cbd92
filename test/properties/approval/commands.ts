import fc from 'fast-check';
import { expect, vi } from 'vitest';
import type { DecideAnswer } from '../../../lambdas/domain/approval/decide-answer.ts';
import type { Model } from './model.ts';
import { names } from './people.ts';
import type { Crash, Decide, Execution } from './world.ts';

type Command = fc.AsyncCommand<Model, Execution>;

/** What holds after whatever has happened. */
export async function check(model: Model, execution: Execution): Promise<void> {
  execution.look();
  const record = await execution.record();
  expect(execution.wire.leaks).toEqual([]);
  if (record === undefined) return expect(model.asked).toBe(false);
  expect(record.status).toBe(model.status);
  expect(model.wrongIn(record)).toEqual([]);
  const { final } = model;
  if (final !== undefined) expect(JSON.stringify(record)).toBe(final);
  if (record.status !== 'pending') model.final = JSON.stringify(record);
  if (execution.at === 'ended') {
    expect(execution.state.approval?.decision).toBe(record.status);
    expect(new Set(execution.told())).toEqual(new Set([record.status]));
  }
}

class Step implements Command {
  readonly name: string;
  readonly #can: (model: Readonly<Model>) => boolean;
  readonly #act: (model: Model, execution: Execution) => Promise<void>;

  constructor(
    name: string,
    act: (model: Model, execution: Execution) => Promise<void>,
    can: (model: Readonly<Model>) => boolean = () => true,
  ) {
    this.name = name;
    this.#act = act;
    this.#can = can;
  }

  check(model: Readonly<Model>): boolean {
    return this.#can(model);
  }

  async run(model: Model, execution: Execution): Promise<void> {
    await this.#act(model, execution);
    await check(model, execution);
  }

  toString(): string {
    return this.name;
  }
}

/** The execution goes on to its next state, if it can. */
export async function goOn(
  model: Model,
  execution: Execution,
  { deliveries, crash, retried }: Way,
): Promise<void> {
  execution.look();
  if (execution.at === 'ask') {
    const isDecided = model.status !== 'pending';
    await execution.ask(deliveries, crash);
    // Nobody waits for what is decided already.
    if (isDecided && crash === undefined) expect(execution.at).toBe('settle');
  } else if (execution.at === 'settle') await execution.settle(deliveries, crash, retried);
  else return;
  model.follow(await execution.record());
}

export const decided: fc.Arbitrary<Decide> = fc.record({
  // Those who may, more often than those who may not.
  who: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('ana', 'bob', 'cid', 'max') },
    fc.constantFrom(...names),
  ),
  door: fc.constantFrom('slack', 'console'),
  decision: fc.oneof({ weight: 4, arbitrary: fc.constant('approve' as const) }, fc.constant('deny' as const)),
  reason: fc.oneof({ weight: 4, arbitrary: fc.constant('said so') }, fc.constantFrom(undefined, '  ')),
});
const crash: fc.Arbitrary<Crash> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  fc.record({ count: fc.nat(14) }),
);
const tell = (what: Decide) =>
  `${what.who} ${what.decision}s at ${what.door} (${what.reason ?? 'no reason'})`;
const told = (at: Crash) => (at === undefined ? '' : `, dies after ${at.count} calls`);

function expectAnswer(answer: DecideAnswer, taken: boolean, model: Model): void {
  expect(answer.status).toBe(taken ? 'recorded' : 'refused');
  if (answer.status === 'recorded') expect(answer.approval.status).toBe(model.status);
}

const decides = fc.record({ what: decided, at: crash }).map(
  ({ what, at }) =>
    new Step(`${tell(what)}${told(at)}`, async (model, execution) => {
      const takes = model.takes(what);
      const ended = await execution.wire.run(at, () => execution.decide(what));
      if (at === undefined && 'error' in ended) throw ended.error;
      // Recorded before it died, or not at all; in no case something else.
      const record = await execution.record();
      const { length } = record?.decisions ?? [];
      const before = model.approvedBy.length + (model.deniedBy === undefined ? 0 : 1);
      const isThere = 'answer' in ended ? takes : takes && length > before;
      if (isThere) model.taken(what);
      if ('answer' in ended) expectAnswer(ended.answer, takes, model);
    }),
);

const together = fc.array(decided, { minLength: 2, maxLength: 4 }).map(
  (all) =>
    new Step(`at once: ${all.map(tell).join(', ')}`, async (model, execution) => {
      const before = (await execution.record())?.decisions.length ?? 0;
      const could = all.filter((what) => model.takes(what));
      const answers = await Promise.all(all.map((what) => execution.decide(what)));
      const record = await execution.record();
      for (const [index, { status }] of answers.entries()) {
        const what = all[index];
        if (status === 'recorded' && what !== undefined) expect(could).toContainEqual(what);
      }
      expect((record?.decisions.length ?? 0) - before).toBeLessThanOrEqual(could.length);
      model.follow(record);
    }),
);

const passes = fc.constantFrom(1, 5, 20, 24, 25, 26, 50, 99).map(
  (seconds) =>
    new Step(`${seconds} s pass`, async (model, execution) => {
      model.now += seconds;
      vi.setSystemTime(Date.now() + seconds * 1000);
      execution.look();
    }),
);

export const ways = fc.record({ deliveries: fc.constantFrom(1, 1, 1, 2), crash, retried: fc.boolean() });
export type Way = { deliveries: number; crash: Crash; retried: boolean };

const goesOn = ways.map(
  (how) =>
    new Step(
      `the execution goes on${how.deliveries > 1 ? ', delivered twice' : ''}${told(how.crash)}${how.retried ? ', tried again' : ''}`,
      (model, execution) => goOn(model, execution, how),
    ),
);

const again = fc.constantFrom('ask' as const, 'settle' as const).map(
  (which) =>
    new Step(`the event of ${which} comes once more`, async (model, execution) => {
      await execution.deliverAgain(which);
      model.follow(await execution.record());
    }),
);

const stops = crash.map(
  (at) =>
    new Step(`the execution is stopped; the janitor comes${told(at)}`, async (model, execution) => {
      if (execution.at === 'ended') return;
      await execution.cleanUp(at);
      model.follow(await execution.record());
    }),
);

/** Everything that can befall an approval, the ordinary more often. */
export const commands = fc.commands(
  [
    goesOn,
    goesOn,
    decides,
    decides,
    decides,
    decides,
    decides,
    decides,
    together,
    passes,
    passes,
    again,
    stops,
  ],
  { maxCommands: 14, size: 'max' },
);
