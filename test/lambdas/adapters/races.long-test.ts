import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BudgetStore } from '../../../lambdas/adapters/budget-store.ts';
import { LeaseStore } from '../../../lambdas/adapters/lease-store.ts';
import { MedicError } from '../../../lambdas/adapters/medic-error.ts';
import {
  holdersAt,
  inLineFor,
  withoutIncident,
  withPlace,
  withPlaceUntil,
} from '../../../lambdas/domain/gates/budget.ts';
import { Gates } from '../../../lambdas/domain/settings/gates.ts';
import { type LocalDynamo, startDynamo } from './local-dynamo.ts';
import { Died, type Fate, mortalClient } from './mortal-client.ts';

/**
 * Incidents that ask at the same moment, of which some die in the middle of a call, over and over until all are through. For
 * the budget they change one item, and for a lease one of twenty.
 */
const incidents = { budget: 120, lease: 200 };

let dynamo: LocalDynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

/** `undefined`: lives for ever. Somebody else has come first so often that it gave up for now: asks again. */
const anyFate = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record<Fate>({ calls: fc.integer({ min: 0, max: 12 }), arrives: fc.boolean() }),
  },
);

/** What somebody is told; `dead` where they do not live to hear it, `unheard` where nobody could be asked. */
async function heard<T>(asked: Promise<T>): Promise<T | 'dead' | 'unheard'> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Died) return 'dead';
    if (error instanceof MedicError) return 'unheard';
    throw error;
  }
}

const clientOf = (fate: Fate | undefined) =>
  fate === undefined ? dynamo.client : mortalClient(dynamo.client, fate);
const start = Date.parse('2026-11-28T06:00:00Z');
const minute = 60_000;
let runs = 0;

describe('the budget of a cluster with many incidents', () => {
  const { budget: settings } = Gates.parse({ budget: { perZone: 30 } });
  // Sixty of the cluster, thirty of each group and of each zone.
  const nodes = { cluster: 600, nodeGroup: 300 };
  const anyPlace = fc.record({
    nodeGroup: fc.constantFrom('web', 'db', 'jobs'),
    zone: fc.constantFrom('a', 'b', 'c'),
    fate: anyFate,
    /** Minutes for which it acts. */
    acts: fc.integer({ min: 0, max: 1 }),
  });

  it('is never exceeded, loses nobody, and has all its places again in the end, however many die', async () => {
    const property = fc.asyncProperty(
      fc.array(anyPlace, { minLength: incidents.budget, maxLength: incidents.budget }),
      async (all) => {
        runs += 1;
        const cluster = `fleet-${runs}`;
        const store = new BudgetStore(dynamo.client, 'state');
        const asking = all.map(({ fate, acts, nodeGroup, zone }, index) => ({
          me: {
            incident: `inc-${index}`,
            instanceId: `i-${index}`,
            treatment: 'restart-kubelet',
            nodeGroup,
            zone,
            nodes,
          },
          store: new BudgetStore(clientOf(fate), 'state'),
          left: acts,
          is: 'asking' as 'asking' | 'acting' | 'through' | 'dead',
        }));
        let at = start;

        /** One thing that an incident does: asks for a place, keeps it and acts, or gives it back. */
        async function turn(one: (typeof asking)[number], now: Date): Promise<void> {
          const until = new Date(now.getTime() + 8 * minute);
          const { me } = one;
          if (one.is === 'asking') {
            const answer = await heard(
              one.store.change(
                cluster,
                (state) => withPlace(state, me, settings, now, until) ?? inLineFor(state, me, now, until),
              ),
            );
            if (answer === 'dead') one.is = 'dead';
            else if (
              answer !== 'unheard' &&
              holdersAt(answer.after, now).some(({ incident }) => incident === me.incident)
            )
              one.is = 'acting';
          } else if (one.left > 0) {
            const answer = await heard(
              one.store.change(cluster, (state) => withPlaceUntil(state, me.incident, now, until)),
            );
            if (answer === 'dead') one.is = 'dead';
            else one.left -= 1;
          } else {
            const answer = await heard(
              one.store.change(cluster, (state) => withoutIncident(state, me.incident)),
            );
            if (answer === 'dead') one.is = 'dead';
            else if (answer !== 'unheard') one.is = 'through';
          }
        }

        while (asking.some(({ is }) => is === 'asking' || is === 'acting')) {
          const now = new Date(at);
          await Promise.all(
            asking.filter(({ is }) => is === 'asking' || is === 'acting').map((one) => turn(one, now)),
          );
          const acting = asking.filter(({ is }) => is === 'acting').map(({ me }) => me);
          const held = holdersAt(await store.read(cluster), now);
          for (const some of [acting, held]) {
            expect(some.length).toBeLessThanOrEqual(60);
            for (const by of ['nodeGroup', 'zone'] as const)
              for (const one of some)
                expect(some.filter((other) => other[by] === one[by]).length).toBeLessThanOrEqual(30);
          }
          // Whoever acts has a place, and keeps it.
          const places = new Set(held.map(({ incident }) => incident));
          expect(acting.filter(({ incident }) => !places.has(incident))).toEqual([]);
          at += minute;
          expect(at - start).toBeLessThan(120 * minute);
        }

        const dead = new Set(asking.flatMap(({ is, me }) => (is === 'dead' ? [me.incident] : [])));
        const left = holdersAt(await store.read(cluster), new Date(at));
        expect(left.filter(({ incident }) => !dead.has(incident))).toEqual([]);
        // What the dead have left behind is over when its time is.
        const later = new Date(at + 9 * minute);
        expect(holdersAt(await store.read(cluster), later)).toEqual([]);
      },
    );
    await fc.assert(property, { numRuns: 1 });
  }, 240_000);
});

describe('one item that two hundred incidents want to change at the same moment', () => {
  it('lets all of them through, each once, in some tries for each, and never gives away more places than there are', async () => {
    const { budget: settings } = Gates.parse({ budget: { perZone: 30 } });
    const store = new BudgetStore(dynamo.client, 'state');
    const now = new Date(start);
    const until = new Date(start + 8 * minute);
    const nodes = { cluster: 600, nodeGroup: 600 };
    let reads = 0;
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const zone = `zone-${index % 10}`;
        const me = {
          incident: `inc-${index}`,
          instanceId: `i-${index}`,
          treatment: 'x',
          nodeGroup: 'web',
          zone,
          nodes,
        };
        for (;;) {
          const answer = await heard(
            store.change('one', (state) => {
              reads += 1;
              return withPlace(state, me, settings, now, until) ?? inLineFor(state, me, now, until);
            }),
          );
          if (answer !== 'unheard') return;
        }
      }),
    );

    const { holders, waiting } = await store.read('one');
    expect(holders).toHaveLength(60);
    expect(waiting).toHaveLength(100);
    // Every read and write of the losers is one that another has to wait for.
    expect(reads).toBeLessThan(200 * 100);
  }, 240_000);
});

describe('the leases of some nodes with hundreds of incidents', () => {
  const nodes = 20;
  const seconds = 300;
  const anyHolder = fc.record({
    node: fc.nat({ max: nodes - 1 }),
    fate: anyFate,
    acts: fc.integer({ min: 0, max: 2 }),
    /** Minutes for which it hears and does nothing once it has the lease: more than five, and it is another's. */
    sleeps: fc.constantFrom(0, 0, 0, 0, 7),
  });

  it('are with one incident each at any moment, go on, and are free in the end, however many die or sleep', async () => {
    const property = fc.asyncProperty(
      fc.array(anyHolder, { minLength: incidents.lease, maxLength: incidents.lease }),
      async (all) => {
        runs += 1;
        const store = new LeaseStore(dynamo.client, 'state');
        const asking = all.map(({ node, fate, acts, sleeps }, index) => ({
          node: `i-${runs}-${node}`,
          me: `inc-${index}`,
          store: new LeaseStore(clientOf(fate), 'state'),
          left: acts,
          sleeps,
          fencing: 0,
          /** Until when it believes that the node is its own. */
          until: 0,
          is: 'asking' as 'asking' | 'holding' | 'through' | 'lost' | 'dead',
        }));
        type One = (typeof asking)[number];
        const newest = new Map<string, number>();
        let at = start;

        async function turn(one: One, now: Date): Promise<void> {
          if (one.is === 'asking') {
            const answer = await heard(one.store.take(one.node, one.me, seconds, now));
            if (answer === 'dead') one.is = 'dead';
            else if (answer !== 'unheard' && answer.status === 'ours') {
              // Nobody has ever been given that number, or a later one.
              expect(answer.fencing).toBeGreaterThan(newest.get(one.node) ?? 0);
              newest.set(one.node, answer.fencing);
              Object.assign(one, { is: 'holding', fencing: answer.fencing, until: Date.parse(answer.until) });
            }
          } else if (one.sleeps > 0) {
            one.sleeps -= 1;
          } else if (one.left > 0) {
            const answer = await heard(one.store.renew(one.node, one.me, one.fencing, seconds, now));
            if (answer === 'dead') one.is = 'dead';
            else if (answer !== 'unheard') {
              one.left -= 1;
              if (answer.status === 'ours') one.until = Date.parse(answer.until);
              else one.is = 'lost';
            }
          } else {
            const answer = await heard(one.store.release(one.node, one.me));
            if (answer !== 'unheard') one.is = answer === 'dead' ? 'dead' : answer ? 'through' : 'lost';
          }
        }

        const busy = ({ is }: One): boolean => is === 'asking' || is === 'holding';
        while (asking.some(busy)) {
          const now = new Date(at);
          await Promise.all(asking.filter(busy).map((one) => turn(one, now)));
          const owned = asking
            .filter(({ is, until }) => is === 'holding' && until > at)
            .map(({ node }) => node);
          expect(owned).toHaveLength(new Set(owned).size);
          at += minute;
          expect(at - start).toBeLessThan(600 * minute);
        }
        expect(asking.filter(({ is }) => is === 'through').length).toBeGreaterThan(incidents.lease / 2);
        // Nobody who slept too long has taken anything from whoever came after them.
        const later = new Date(at + (seconds + 1) * 1000);
        const names = [...new Set(asking.map(({ node }) => node))];
        const taken = await Promise.all(names.map((node) => store.take(node, 'another', seconds, later)));
        expect(taken.filter(({ status }) => status !== 'ours')).toEqual([]);
      },
    );
    await fc.assert(property, { numRuns: 1 });
  }, 240_000);
});
