import * as z from 'zod';
import { seconds } from './units.ts';

export const Approvals = z.strictObject({
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
  onePersonTeam: z
    .boolean()
    .default(false)
    .describe('Lets people approve what they started by hand. For teams of one; each use is in the audit.'),
});
