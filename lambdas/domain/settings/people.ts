import * as z from 'zod';

const personName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be a name in small letters, digits, ".", "_" and "-"');

/** A person as the doors know them. Whom no door knows decides nothing there. */
export const PersonSettings = z.strictObject({
  slack: z
    .string()
    .regex(/^[UW][A-Z0-9]{4,20}$/, 'must be the member id of a Slack user, such as U012AB3CD')
    .optional()
    .describe('Member id in Slack. Names in Slack can be changed by whoever bears them and are not used.'),
  aws: z
    .array(
      z
        .string()
        .regex(
          /^arn:aws[a-z-]*:(iam::\d{12}:user\/[\w+=,.@/-]+|sts::\d{12}:assumed-role\/[\w+=,.@-]+\/[\w+=,.@-]+)$/,
          'must be the ARN of an IAM user, or of a session of a role in trustedSessionRoles (arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION)',
        ),
    )
    .max(10)
    .default([])
    .describe('Who they are at the AWS console.'),
  groups: z.array(personName).max(20).default([]).describe('Groups that they belong to, such as oncall.'),
});
export type PersonSettings = z.infer<typeof PersonSettings>;

export const People = z
  .record(personName, PersonSettings)
  .default({})
  .describe('The people who decide, by name.');
export type People = z.infer<typeof People>;

export const TrustedSessionRoles = z
  .array(
    z
      .string()
      .regex(
        /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/,
        'must be the ARN of a role, such as arn:aws:iam::111122223333:role/oncall',
      ),
  )
  .max(20)
  .default([])
  .describe(
    'Roles whose session names are people: those that IAM Identity Center makes, and those whose trust policy pins sts:RoleSessionName. Of every other role the session name is chosen by whoever assumes it, so there the whole role counts as one person. A name that begins with AWSReservedSSO_ is not enough: AWS documents that nobody else can modify such roles, and not that nobody else can make them (docs/approvals.md).',
  );
