import * as z from 'zod';

/** Which pods may go first. best-effort: those that ask for nothing. without-limits: those, and others with a container that no limit holds. */
export const ReliefPods = z.enum(['best-effort', 'without-limits']);
export type ReliefPods = z.infer<typeof ReliefPods>;

/** A drain of a few pods of a node, to give it room: of which kind, for how long, and how many at the most. */
export const Relief = z.object({
  pods: ReliefPods,
  minutes: z.int().positive(),
  most: z.int().positive(),
});
export type Relief = z.infer<typeof Relief>;

/** What a drain remembers of it. */
export const ReliefState = Relief.omit({ minutes: true }).extend({
  /** The pods that it is about, by uid, from the first look that saw all pods: none comes to it later. `null` before that. */
  chosen: z.array(z.string()).nullable(),
});
export type ReliefState = z.infer<typeof ReliefState>;
