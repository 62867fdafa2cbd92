import * as z from 'zod';
import type { Budget } from '../settings/gates.ts';
import { Whereabouts } from './fleet.ts';

/** More than these do not stand in line: who comes later is told so at once, and the item stays small. */
export const mostWaiting = 100;
/** No cluster is allowed to have more disrupted at once. */
const mostHolders = 1000;

const Place = Whereabouts.omit({ nodes: true }).extend({
  incident: z.string().max(100),
  instanceId: z.string().max(30),
  treatment: z.string().max(50),
  since: z.iso.datetime(),
  /** Whoever never gives it back loses it then. */
  until: z.iso.datetime(),
});
export type Place = z.infer<typeof Place>;

/** What one node is counted by. */
export type Counted = Whereabouts & Pick<Place, 'incident' | 'instanceId'>;
const Waiting = Place.extend({ nodes: Whereabouts.shape.nodes });

/** Whose nodes are being disrupted now, and who waits until theirs may be. */
export const BudgetState = z.object({
  version: z.literal(1),
  holders: z.array(Place).max(mostHolders),
  waiting: z.array(Waiting).max(mostWaiting),
});
export type BudgetState = z.infer<typeof BudgetState>;

export const nobodyDisrupted: BudgetState = { version: 1, holders: [], waiting: [] };

/** How many of each are disrupted now, and how many may be. */
type Share = { held: number; most: number };
type Shares = { cluster: Share; nodeGroup: Share; zone: Share };
export type Room = Shares & {
  /** Whether this node may be disrupted as well. */
  open: boolean;
  /** Those who wait and go first. */
  ahead: number;
};

/**
 * What is left for one node. Those who came before it and wait go first: they count as if they had their place in group and
 * zone, and in the cluster where they could take it at once. So nobody is overtaken, and nobody waits for a place that
 * those before cannot use.
 */
export function roomFor(me: Counted, state: BudgetState, settings: Budget, now: Date): Room {
  const others = <T extends Place>(places: readonly T[]): T[] =>
    places.filter((place) => isLive(place, now) && place.instanceId !== me.instanceId);
  const line = [...state.waiting].sort(inLine);
  const mine = line.findIndex((place) => place.incident === me.incident && isLive(place, now));
  const before = others(mine < 0 ? line : line.slice(0, mine));
  const holders: Place[] = others(state.holders);
  const taken = [...holders];
  const reserved: Place[] = [];
  for (const one of before) {
    if (fits(sharesOf(one, taken, reserved, settings))) taken.push(one);
    else reserved.push(one);
  }
  return {
    ...sharesOf(me, holders, [], settings),
    open: fits(sharesOf(me, taken, reserved, settings)),
    ahead: before.length,
  };
}

function fits({ cluster, nodeGroup, zone }: Shares): boolean {
  return [cluster, nodeGroup, zone].every(({ held, most }) => held < most);
}

/** The state with a place for this node, held until then; `undefined` where there is none for it. One that is held already is held longer, and never shorter. */
export function withPlace(
  state: BudgetState,
  me: Counted & Pick<Place, 'treatment'>,
  settings: Budget,
  now: Date,
  until: Date,
): BudgetState | undefined {
  const kept = live(state, now);
  const held = kept.holders.find(({ incident }) => incident === me.incident);
  if (held === undefined && !roomFor(me, state, settings, now).open) return undefined;
  const place = placeOf(me, held?.since ?? now.toISOString(), laterOf(held, until));
  return {
    ...kept,
    // A node is leased to one incident at a time: what an earlier one left behind is this one's now.
    holders: [...kept.holders.filter(({ instanceId }) => instanceId !== me.instanceId), place],
    waiting: kept.waiting.filter(({ incident }) => incident !== me.incident),
  };
}

/**
 * The state with this incident in line; `undefined` where the line is full. Who stands there keeps their turn for as long as
 * they come back: it is renewed once half of its time is over, so that not every question is a write.
 */
export function inLineFor(
  state: BudgetState,
  me: Counted & Pick<Place, 'treatment'>,
  now: Date,
  until: Date,
): BudgetState | undefined {
  const kept = live(state, now);
  const mine = kept.waiting.find(({ incident }) => incident === me.incident);
  const half = (now.getTime() + until.getTime()) / 2;
  if (mine !== undefined && Date.parse(mine.until) > half) return state;
  const others = kept.waiting.filter((place) => place !== mine);
  if (others.length >= mostWaiting) return undefined;
  const place = placeOf(me, mine?.since ?? now.toISOString(), until);
  return { ...kept, waiting: [...others, { ...place, nodes: me.nodes }] };
}

/** The state with the place of this incident held until then, or for as long as it was; `undefined` where it has none any more. */
export function withPlaceUntil(
  state: BudgetState,
  incident: string,
  now: Date,
  until: Date,
): BudgetState | undefined {
  const kept = live(state, now);
  if (!kept.holders.some((place) => place.incident === incident)) return undefined;
  return {
    ...kept,
    holders: kept.holders.map((place) =>
      place.incident === incident ? { ...place, until: laterOf(place, until).toISOString() } : place,
    ),
  };
}

/** The state without this incident, as a holder and in line. */
export function withoutIncident(state: BudgetState, incident: string): BudgetState {
  const isOther = (place: Place): boolean => place.incident !== incident;
  if (state.holders.every(isOther) && state.waiting.every(isOther)) return state;
  return { ...state, holders: state.holders.filter(isOther), waiting: state.waiting.filter(isOther) };
}

/** Who holds places at this moment. */
export function holdersAt({ holders }: BudgetState, now: Date): Place[] {
  return holders.filter((place) => isLive(place, now));
}

function live(state: BudgetState, now: Date): BudgetState {
  return {
    ...state,
    holders: holdersAt(state, now),
    waiting: state.waiting.filter((place) => isLive(place, now)),
  };
}

function laterOf(held: Place | undefined, until: Date): Date {
  return held === undefined || Date.parse(held.until) < until.getTime() ? until : new Date(held.until);
}

function isLive({ until }: Place, now: Date): boolean {
  return Date.parse(until) > now.getTime();
}

/** Who came first; of two at the same moment one is first all the same. */
function inLine(a: Place, b: Place): number {
  return a.since === b.since ? (a.incident < b.incident ? -1 : 1) : a.since < b.since ? -1 : 1;
}

function placeOf(
  { incident, instanceId, nodeGroup, zone, treatment }: Counted & Pick<Place, 'treatment'>,
  since: string,
  until: Date,
): Place {
  return { incident, instanceId, nodeGroup, zone, treatment, since, until: until.toISOString() };
}

function sharesOf(
  { nodeGroup, zone, nodes }: Whereabouts,
  taken: readonly Place[],
  reserved: readonly Place[],
  { clusterPercent, nodeGroupPercent, perZone }: Budget,
): Shares {
  const all = [...taken, ...reserved];
  return {
    cluster: { held: taken.length, most: shareOf(nodes.cluster, clusterPercent) },
    nodeGroup: {
      held: all.filter((place) => place.nodeGroup === nodeGroup).length,
      most: shareOf(nodes.nodeGroup, nodeGroupPercent),
    },
    zone: { held: all.filter((place) => place.zone === zone).length, most: perZone },
  };
}

/** One node may always be: a small group could never be helped otherwise. */
function shareOf(nodes: number, percent: number): number {
  return Math.max(1, Math.floor((nodes * percent) / 100));
}
