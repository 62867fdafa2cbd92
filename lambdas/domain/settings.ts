import * as z from 'zod';
import { approvalProblems } from './settings/check-approvals.ts';
import { Cluster } from './settings/cluster.ts';
import { Intake } from './settings/intake.ts';
import { People, TrustedSessionRoles } from './settings/people.ts';
import { Slack } from './settings/slack.ts';
import { seconds } from './settings/units.ts';

export type { Census } from './settings/census.ts';
export { Cluster } from './settings/cluster.ts';
export { Mode, Need, Risk } from './settings/policy.ts';
export { Harm } from './settings/verification.ts';

/** Everything a platform team can set; parsed once when the app is synthesized and shipped with every function. */
export const Settings = z
  .strictObject({
    clusters: z
      .record(z.string().regex(/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/, 'must be an EKS cluster name'), Cluster)
      .refine((clusters) => Object.keys(clusters).length > 0, 'must name at least one cluster'),
    nodeRoles: z
      .array(z.string().regex(/^[\w+=,.@-]{1,64}$/, 'must be the name of an IAM role, without its path'))
      .max(10)
      .default([])
      .describe(
        'IAM roles of your nodes that get what their SSM agent needs, from a policy of this stack. For roles that have AmazonSSMManagedInstanceCore already there is nothing to add.',
      ),
    people: People,
    trustedSessionRoles: TrustedSessionRoles,
    slack: Slack.prefault({}),
    lease: z
      .strictObject({
        seconds: seconds(900, 86_400)
          .default(2700)
          .describe(
            'Life of a node’s lease. Every phase renews it, and no wait between two phases is longer than 720; it outlives a crashed incident by at most this long.',
          ),
      })
      .prefault({}),
    command: z
      .strictObject({
        deliverySeconds: seconds(30, 3600)
          .default(60)
          .describe(
            'Seconds within which the node’s agent must have taken a command. The service allows no less than 30.',
          ),
        pollSeconds: seconds(1, 60)
          .default(2)
          .describe('First wait between two looks at a running command; it doubles from look to look.'),
        maxPollSeconds: seconds(1, 300)
          .default(20)
          .describe('Longest wait between two looks at a running command.'),
        evidenceSeconds: seconds(2, 600)
          .default(90)
          .describe('Seconds, delivery included, after which an examination counts as unanswered.'),
      })
      .prefault({}),
    janitor: z
      .strictObject({
        settleSeconds: seconds(0, 60)
          .default(40)
          .describe(
            'Seconds that the janitor gives functions of a dead execution to come to their end before it looks.',
          ),
        undoSeconds: seconds(5, 200)
          .default(180)
          .describe('Seconds that the janitor waits for an undo on the node; its function may run for 300.'),
      })
      .prefault({}),
    intake: Intake.prefault({}),
    notify: z
      .strictObject({
        emails: z
          .array(z.email('must be an e-mail address, such as sre@example.com'))
          .max(10)
          .default([])
          .describe(
            'Addresses that get every message of the medic. Each has to confirm once. Empty: subscribe something to the topic in the output NotificationTopicArn, or nobody hears of anything.',
          ),
      })
      .prefault({}),
    prometheus: z
      .strictObject({
        workspaceArn: z
          .string()
          .regex(
            /^arn:aws[a-z-]*:aps:[a-z0-9-]+:\d{12}:workspace\/ws-[0-9a-f-]+$/,
            'must be the ARN of a workspace, such as arn:aws:aps:REGION:ACCOUNT:workspace/ws-0123',
          )
          .optional()
          .describe(
            'A workspace of Amazon Managed Prometheus, in this region, that gets the rules of prometheus/rules. Left out: none.',
          ),
      })
      .prefault({}),
    audit: z
      .strictObject({
        retentionDays: z
          .literal([90, 180, 365, 400, 545, 731, 1827, 3653])
          .default(400)
          .describe(
            'How long the audit log group keeps entries: thirteen months, so that a yearly review sees its year.',
          ),
      })
      .prefault({}),
  })
  .superRefine((settings, context) => {
    for (const { path, message } of approvalProblems(settings))
      context.addIssue({ code: 'custom', path, message });
  });
export type Settings = z.infer<typeof Settings>;
