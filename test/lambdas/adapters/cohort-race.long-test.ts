import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CohortStore } from '../../../lambdas/adapters/cohort-store.ts';
import { MedicError } from '../../../lambdas/adapters/medic-error.ts';
import { type Cohort, inFlight, memberOf } from '../../../lambdas/domain/cohort/cohort.ts';
import { askedBy, begins, comeTo, decided, leaves } from '../../../lambdas/domain/cohort/steps.ts';
import { atMoment } from '../../../lambdas/domain/cohort/waves.ts';
import { cohortGate } from '../../../lambdas/domain/gates/cohort-gate.ts';
import { CohortSettings } from '../../../lambdas/domain/settings/cohort.ts';
import { joining } from '../domain/cohort/samples.ts';
import { type LocalDynamo, startDynamo } from './local-dynamo.ts';
import { Died, type Fate, mortalClient } from './mortal-client.ts';

const incidents = 200;
/** As many as the intake starts in a second come at the same moment. */
const atOnce = 20;
const minute = 60_000;
/** Whoever waits and is not heard of for so long is lost; whoever asks or acts, sooner. */
const lost = { waits: 40, acts: 6 };
const settings = CohortSettings.parse({ gatherSeconds: 600, windowMinutes: 120, stopAtFailures: 100 });
const [cluster, key] = ['crowd', 'one-cause'];

let dynamo: LocalDynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

/** One in eight dies, each in the middle of a call: while it waits, as it begins or while it acts; and the call arrives or not. */
const anyFate = fc.oneof(
  { weight: 7, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({
      dies: fc.constantFrom('waiting' as const, 'beginning' as const, 'acting' as const),
      calls: fc.integer({ min: 0, max: 60 }),
      arrives: fc.boolean(),
    }),
  },
);
type AnyFate = typeof anyFate extends fc.Arbitrary<infer T> ? T : never;

/** A store whose user dies in its last call. */
const dyingIn = (fate: Fate) => new CohortStore(mortalClient(dynamo.client, fate), 'state');

/** The incidents of two hundred nodes that go together, each with a store of its own, in time that goes by in minutes. */
class Crowd {
  readonly cards: string[] = [];
  readonly treated: string[] = [];
  /** What a person has said to a card, whether or not the one that asked has lived to hear it. */
  readonly approved = new Set<string>();
  now = new Date('2026-11-28T06:00:00Z');
  readonly all: {
    readonly name: string;
    readonly fate: AnyFate;
    store: CohortStore;
    is: 'comes' | 'asks' | 'acts' | 'helped' | 'out' | 'dead';
  }[];

  constructor(fates: readonly AnyFate[]) {
    this.all = fates.map((fate, index) => ({
      name: `inc-${index}`,
      fate,
      store: fate?.dies === 'waiting' ? dyingIn(fate) : new CohortStore(dynamo.client, 'state'),
      is: 'comes',
    }));
  }

  get alive() {
    return this.all.filter(({ is }) => is === 'comes' || is === 'asks' || is === 'acts');
  }

  at(minutes: number) {
    return { now: this.now, settings, until: new Date(this.now.getTime() + minutes * minute) };
  }

  /** One step of one incident. Others that were faster for too long are no end: it comes again. */
  async turn(one: Crowd['all'][number]): Promise<void> {
    try {
      if (one.is === 'comes') await this.#comes(one);
      else if (one.is === 'asks') await this.#hears(one);
      else {
        const helped = { came: 'helped', why: 'helped' } as const;
        await one.store.change(
          cluster,
          (cohort) => leaves(cohort, one.name, helped, this.at(lost.waits)),
          key,
        );
        one.is = 'helped';
      }
    } catch (error) {
      if (error instanceof Died) one.is = 'dead';
      else if (!(error instanceof MedicError)) throw error;
    }
  }

  async #comes(one: Crowd['all'][number]): Promise<void> {
    const { name, store, fate } = one;
    const me = { ...joining(name), instanceId: `i-${name}` };
    const { after } = await store.change(
      cluster,
      (cohort) => comeTo(this.#withoutLostLeader(cohort), me, this.at(lost.waits)),
      key,
    );
    const { role } = cohortGate(after, { incident: name, settings, now: this.now });
    if (role === 'asks') {
      const { until } = this.at(lost.acts);
      const asked = await store.change(
        cluster,
        (cohort) => askedBy(cohort, name, name, until, settings),
        key,
      );
      if (asked.after.asked?.approvalId !== name) return;
      this.cards.push(name);
      this.approved.add(name);
      one.is = 'asks';
    } else if (role === 'turn') {
      const { until } = this.at(lost.acts);
      // The first call reads, the second writes.
      const { arrives = false } = fate ?? {};
      const beginning = fate?.dies === 'beginning' ? dyingIn({ calls: 1, arrives }) : store;
      if (fate?.dies === 'acting') one.store = dyingIn({ calls: 1, arrives });
      const begun = await beginning.change(cluster, (cohort) => begins(cohort, name, until), key);
      if (memberOf(begun.after, name)?.is !== 'acts') return;
      expect(inFlight(begun.after).length).toBeLessThanOrEqual(begun.after.wave.size);
      this.treated.push(name);
      one.is = 'acts';
    } else if (role !== 'waits' && role !== 'busy') one.is = 'out';
  }

  async #hears(one: Crowd['all'][number]): Promise<void> {
    await one.store.change(cluster, (cohort) => this.#decided(cohort, one.name), key);
    one.is = 'comes';
  }

  #decided(cohort: Cohort, approvalId: string): Cohort {
    const status = this.approved.has(approvalId) ? 'approved' : 'void';
    return decided(cohort, { approvalId, status, by: 'ana' }, this.at(lost.waits));
  }

  /** As the functions do it: what people said to the one that asked and is lost holds, and somebody else goes first. */
  #withoutLostLeader(cohort: Cohort): Cohort {
    const { phase, asked, leader } = cohort;
    const until = memberOf(cohort, leader)?.until ?? '';
    if (phase !== 'asks' || asked === null || Date.parse(until) > this.now.getTime()) return cohort;
    const settled = this.#decided(cohort, asked.approvalId);
    return leaves(settled, leader, { came: 'left', why: 'it was lost' }, this.at(lost.waits));
  }
}

it('of two hundred incidents that come one crowd after the other, and of which some die in the middle of a call, each that lives is treated once, in its wave', async () => {
  const property = fc.asyncProperty(
    fc.array(anyFate, { minLength: incidents, maxLength: incidents }),
    async (fates) => {
      const crowd = new Crowd(fates);
      const store = new CohortStore(dynamo.client, 'state');
      for (let round = 0; crowd.alive.length > 0; round += 1) {
        expect(round).toBeLessThan(2000);
        const come = crowd.all.slice(0, (round + 1) * atOnce);
        await Promise.all(come.filter((one) => crowd.alive.includes(one)).map((one) => crowd.turn(one)));
        const cohort = await store.read(cluster, key);
        if (cohort.phase === 'goes') expect(inFlight(cohort).length).toBeLessThanOrEqual(cohort.wave.size);
        crowd.now = new Date(crowd.now.getTime() + minute);
      }
      const dead = crowd.all.filter(({ is }) => is === 'dead');
      // One was heard, and where it was not, the next asked.
      expect(crowd.cards.length).toBeLessThanOrEqual(1 + dead.length);
      expect(new Set(crowd.treated).size).toBe(crowd.treated.length);
      expect(crowd.all.filter(({ is }) => is === 'out')).toEqual([]);
      expect(crowd.all.filter(({ is }) => is === 'helped')).toHaveLength(incidents - dead.length);
      // Some died in each way, or this tests little.
      expect(new Set(dead.map(({ fate }) => fate?.dies))).toEqual(
        new Set(['waiting', 'beginning', 'acting']),
      );
      // What the dead have left behind is over when their time is.
      crowd.now = new Date(crowd.now.getTime() + (lost.waits + 1) * minute);
      expect(atMoment(await store.read(cluster, key), crowd.at(lost.waits)).members).toEqual([]);
    },
  );
  await fc.assert(property, { numRuns: 1, endOnFailure: true });
}, 600_000);
