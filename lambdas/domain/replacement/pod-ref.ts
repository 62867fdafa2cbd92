import * as z from 'zod';

const named = z.string().min(1);

/** A pod by what an eviction needs: its name may be that of the next one already, its uid never is. */
export const PodRef = z.object({ namespace: named, name: named, uid: named });
export type PodRef = z.infer<typeof PodRef>;
