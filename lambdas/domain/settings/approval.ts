import * as z from 'zod';
import { seconds } from './units.ts';

const approver = z
  .string()
  .regex(
    /^@?[a-z0-9][a-z0-9._-]{0,63}$/,
    'must be a name of people, or "@" and a group of theirs, such as @oncall',
  );
const approvers = z.array(approver).max(50).default([]);
const quorum = z.int().min(1).max(3).default(1);

/** Who is asked about a treatment, for how long, and how many of them have to agree. */
export const Approvals = z
  .strictObject({
    expirySeconds: z
      .strictObject({
        low: seconds(1, 14_400)
          .default(1800)
          .describe('Seconds until an unanswered approval of low risk expires.'),
        medium: seconds(1, 14_400).default(1800).describe('The same for medium risk.'),
        high: seconds(1, 14_400)
          .default(7200)
          .describe('The same for high risk: the person may have to ask others first.'),
      })
      .prefault({}),
    approvers: z
      .strictObject({
        low: approvers.describe(
          'Who may decide on treatments of low risk: names of people, or "@" and a group. Empty: everybody whom a door lets in. In Slack those are the people of the settings; at the console, whom IAM lets start the runbook.',
        ),
        medium: approvers.describe('The same for medium risk.'),
        high: approvers.describe('The same for high risk.'),
      })
      .prefault({}),
    quorum: z
      .strictObject({
        low: quorum.describe(
          'How many different people have to approve a treatment of low risk. One denial is enough.',
        ),
        medium: quorum.describe('The same for medium risk.'),
        high: quorum.describe('The same for high risk.'),
      })
      .prefault({}),
    remindAtPercent: z
      .int()
      .min(0)
      .max(95)
      .default(50)
      .describe('When nobody has decided, people are reminded at this part of the time. 0: never.'),
    escalation: z
      .strictObject({
        atPercent: z
          .int()
          .min(0)
          .max(95)
          .default(75)
          .describe(
            'When nobody has decided at this part of the time, the second group is told as well. 0: never.',
          ),
        group: z
          .string()
          .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be a group of people, without "@"')
          .optional()
          .describe(
            'The second group: from then on its members may decide as well. Left out: there is none, and nobody else is told.',
          ),
      })
      .prefault({}),
    onePersonTeam: z
      .boolean()
      .default(false)
      .describe('Lets people approve what they started by hand. For teams of one; each use is in the audit.'),
  })
  .refine(
    ({ remindAtPercent, escalation }) =>
      remindAtPercent === 0 || escalation.atPercent === 0 || remindAtPercent < escalation.atPercent,
    { message: 'must remind before it escalates: remindAtPercent below escalation.atPercent' },
  );
export type Approvals = z.infer<typeof Approvals>;
