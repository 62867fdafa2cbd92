import * as z from 'zod';

const channel = z
  .string()
  .regex(/^[CG][A-Z0-9]{4,20}$/, 'must be the id of a channel, such as C012AB3CD, not its name');

/** The Slack app of the account, if there is one. */
export const Slack = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe(
      'Whether cards go to Slack and decisions are taken there (docs/slack.md). Without it people decide at the AWS console.',
    ),
  teamId: z
    .string()
    .regex(/^[TE][A-Z0-9]{4,20}$/, 'must be the id of a workspace, such as T012AB3CD')
    .optional()
    .describe('The workspace. A request that names another one is refused.'),
  reservedConcurrency: z
    .int()
    .min(0)
    .max(100)
    .default(5)
    .describe(
      'Requests that the door in Slack takes at the same time: whoever finds its address can call it, and each call costs. 0 reserves none, for accounts whose whole concurrency is too small to keep 5 apart.',
    ),
});

/** Where the cards of one cluster go. */
export const SlackOfCluster = z.strictObject({
  channel: channel
    .optional()
    .describe('Channel that gets the cards of this cluster. Left out: none of them goes to Slack.'),
  escalationChannel: channel
    .optional()
    .describe('Channel of the second group, told when nobody has decided. Left out: the same channel.'),
});
