import * as z from 'zod';

export const TreatmentId = z.enum(['notify', 'reclaim']);
export type TreatmentId = z.infer<typeof TreatmentId>;
