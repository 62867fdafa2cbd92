import * as z from 'zod';
import { InstanceId } from '../census/node.ts';
import type { Cluster } from '../settings.ts';
import type { StandingTreatment } from './standing.ts';

/** A node that is being treated for a standing treatment, by its incident. It expires where that never ends. */
const Place = z.object({
  incident: z.string().max(100),
  instanceId: InstanceId,
  until: z.iso.datetime(),
});
export type StandingPlace = z.infer<typeof Place>;

/** What the quick looks of one day (UTC) found on the nodes of the group, one figure for all of them. */
export const StandingDay = z.object({
  day: z.iso.date(),
  runs: z.int().nonnegative(),
  /** Looks at nodes that told their figure (dying cgroups, or MB of the kubelet), and those of them that were over the threshold. */
  looks: z.int().nonnegative(),
  over: z.int().nonnegative(),
  /** That figure, over all these looks. */
  sum: z.int().nonnegative(),
  max: z.int().nonnegative(),
  /** Nodes for which an incident was opened. */
  raised: z.int().nonnegative(),
  /** Looks at nodes whose figure, or whose course, is not known, and why it was not on one of them. Left out before there were any. */
  unseen: z.int().nonnegative().default(0),
  whyUnseen: z.string().max(300).optional(),
});
export type StandingDay = z.infer<typeof StandingDay>;

/** More days than the longest window that a judgement looks at. */
const mostDays = 30;

/** What has come of a standing treatment so far. `id` says of which: that of an earlier one of the same group says nothing. */
export const Course = z.object({
  version: z.literal(1),
  id: z.string().max(100),
  places: z.array(Place),
  days: z.array(StandingDay).max(mostDays),
  acts: z.object({
    helped: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    /** Failures since it last helped. */
    failedInRow: z.int().nonnegative(),
  }),
  /** When people were last told how it goes. */
  judgedAt: z.iso.datetime().nullable(),
});
export type Course = z.infer<typeof Course>;

export function freshCourse(id: string): Course {
  return {
    version: 1,
    id,
    places: [],
    days: [],
    acts: { helped: 0, failed: 0, failedInRow: 0 },
    judgedAt: null,
  };
}

/** The course of this very standing treatment. */
export function courseOf(course: Course, id: string): Course {
  return course.id === id ? course : freshCourse(id);
}

export function placesAt({ places }: Course, now: Date): StandingPlace[] {
  return places.filter(({ until }) => Date.parse(until) > now.getTime());
}

/** Nodes of one group at a time. A restart that goes wrong is to be seen before the next node has had it. */
export function atOnceOf(
  treatment: StandingTreatment,
  { nodesAtOnce }: Pick<Cluster['standing'], 'nodesAtOnce'>,
): number {
  return treatment === 'standing-restart' ? 1 : nodesAtOnce;
}

/**
 * The course with this node among those that are being treated, or as it was where there are as many as may be. An incident that
 * has its place keeps it longer.
 */
export function withPlace(course: Course, place: StandingPlace, most: number, now: Date): Course {
  const others = placesAt(course, now).filter(({ incident }) => incident !== place.incident);
  return others.length >= most ? course : { ...course, places: [...others, place] };
}

export function hasPlace(course: Course, incident: string, now: Date): boolean {
  return placesAt(course, now).some((place) => place.incident === incident);
}

/**
 * The course after one of its incidents.
 *
 * @param helped `undefined` where nothing was done to the node, or nobody knows whether it helped
 */
export function withoutPlace(course: Course, incident: string, helped: boolean | undefined): Course {
  const places = course.places.filter((place) => place.incident !== incident);
  const { acts } = course;
  if (helped === undefined) return { ...course, places };
  return {
    ...course,
    places,
    acts: helped
      ? { ...acts, helped: acts.helped + 1, failedInRow: 0 }
      : { ...acts, failed: acts.failed + 1, failedInRow: acts.failedInRow + 1 },
  };
}

/** What one run of the census saw of the group. */
export type StandingLook = Pick<StandingDay, 'looks' | 'over' | 'sum' | 'max' | 'raised'> &
  Partial<Pick<StandingDay, 'unseen' | 'whyUnseen'>>;

/** The course with one more run. */
export function withRun(course: Course, look: StandingLook, at: Date): Course {
  const day = at.toISOString().slice(0, 10);
  const known = course.days.find((one) => one.day === day);
  const next: StandingDay = {
    day,
    runs: (known?.runs ?? 0) + 1,
    looks: (known?.looks ?? 0) + look.looks,
    over: (known?.over ?? 0) + look.over,
    sum: Math.min((known?.sum ?? 0) + look.sum, Number.MAX_SAFE_INTEGER),
    max: Math.max(known?.max ?? 0, look.max),
    raised: (known?.raised ?? 0) + look.raised,
    unseen: (known?.unseen ?? 0) + (look.unseen ?? 0),
    ...whyUnseen(look.whyUnseen ?? known?.whyUnseen),
  };
  const days = [...course.days.filter((one) => one.day !== day), next]
    .sort((a, b) => (a.day < b.day ? -1 : 1))
    .slice(-mostDays);
  return { ...course, days };
}

function whyUnseen(why: string | undefined): Pick<StandingDay, 'whyUnseen'> {
  return why === undefined ? {} : { whyUnseen: why.slice(0, 300) };
}
