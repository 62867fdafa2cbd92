import * as z from 'zod';
import { TreatmentId } from '../treatments/treatment-id.ts';

/** What a treatment may cost if it goes wrong; policy maps it to who has to agree. */
export const Risk = z.enum(['none', 'low', 'medium', 'high']);
export type Risk = z.infer<typeof Risk>;

/** The risks that people are asked about. */
export const approvalRisks = ['low', 'medium', 'high'] as const;
export type ApprovalRisk = (typeof approvalRisks)[number];

/** Who has to agree to a rung: nobody, a person, or it is never done. */
export const Need = z.enum(['auto', 'approve', 'never']);
export type Need = z.infer<typeof Need>;

/**
 * observe: say what would be done, do nothing. approve: every treatment asks a person. auto: the policy decides.
 * Switchable at run time through the parameter `/cgroup-medic/CLUSTER/mode`.
 */
export const Mode = z.enum(['observe', 'approve', 'auto']);
export type Mode = z.infer<typeof Mode>;

/** One setting for every treatment that changes something. */
function needByTreatment() {
  type Changing = Exclude<TreatmentId, 'notify'>;
  const changing = TreatmentId.options.filter((id): id is Changing => id !== 'notify');
  const entries = changing.map((id) => [
    id,
    Need.optional().describe(`Who agrees to ${id}, whatever its risk.`),
  ]);
  return Object.fromEntries(entries) as Record<Changing, z.ZodOptional<typeof Need>>;
}

export const Policy = z.strictObject({
  risk: z
    .strictObject({
      low: Need.default('auto').describe('Who agrees to treatments of low risk.'),
      medium: Need.default('approve').describe('Who agrees to treatments of medium risk.'),
      high: Need.default('approve').describe('Who agrees to treatments of high risk.'),
    })
    .prefault({}),
  treatments: z.strictObject(needByTreatment()).prefault({}),
});
