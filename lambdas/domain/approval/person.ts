import * as z from 'zod';
import type { People } from '../settings/people.ts';
import { mayBeSamePerson } from './same-person.ts';

export const Door = z.enum(['local', 'console', 'slack']);
export type Door = z.infer<typeof Door>;

/** Somebody who decides, as the door that let them in knows them. */
export const Person = z.object({
  /** Their name in the settings; of somebody who is not there, the ARN that AWS vouches for: an IAM user, or a role as a whole. */
  id: z.string().min(1).max(256),
  /** One of the people of the settings. */
  known: z.boolean(),
  groups: z.array(z.string()),
  /** Everything else that they are known by, to be compared with who asked. */
  aliases: z.array(z.string()),
});
export type Person = z.infer<typeof Person>;

/** The person with this Slack member id; `undefined` for everybody who is not in the settings. */
export function personOfSlack(people: People, memberId: string): Person | undefined {
  const found = Object.entries(people).find(([, { slack }]) => slack === memberId);
  return found === undefined ? undefined : personNamed(...found);
}

/**
 * Who an ARN from AWS stands for (`GetAutomationExecution.ExecutedBy`). The session name of an assumed role is chosen by
 * whoever assumes it, so it names a person only for the roles that the settings trust; of any other role all sessions
 * are one person.
 *
 * @param arn of an IAM user, or of a session of a role (`arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`)
 * @param trustedRoles ARNs of roles (`arn:aws:iam::ACCOUNT:role/PATH/ROLE`)
 * @returns `undefined` for what is neither, such as the root user or a service: they decide nothing
 */
export function personOfArn(
  people: People,
  trustedRoles: readonly string[],
  arn: string,
): Person | undefined {
  const identity = identityOf(trustedRoles, arn);
  if (identity === undefined) return undefined;
  const found = Object.entries(people).find(([, { aws }]) => aws.includes(identity));
  if (found !== undefined) return personNamed(...found);
  return { id: identity, known: false, groups: [], aliases: [arn] };
}

/** Whether one of these may be who decides: `list` has names and `@groups`; an empty one is everybody. */
export function isAmong(list: readonly string[], { id, known, groups }: Person): boolean {
  if (list.length === 0) return true;
  return known && (list.includes(id) || groups.some((group) => list.includes(`@${group}`)));
}

/**
 * Whether a name by which somebody asked may be this person's. A session of a role asks as `ROLE-ID:SESSION` and an IAM user
 * as `USER-ID`; where the person is known by the ARN of a role or user whose unique id nobody has found out, they may be
 * whoever asked with any. So may a person of the settings of whom nobody has said who they are in AWS.
 */
export function mayBe(name: string, { id, aliases, known }: Person): boolean {
  const own = [id, ...aliases];
  return own.some((one) => mayBeSamePerson(name, one)) || mayBeBehind(name, own, known);
}

/** A role that is one person as a whole, or an IAM user: AWS knows them by a unique id as well. */
export type Principal = { kind: 'role' | 'user'; name: string; arn: string };

/** Those among the names of a person of whom IAM can say the unique id. */
export function principalsOf({ id, aliases }: Person): Principal[] {
  return [...new Set([id, ...aliases])].flatMap((arn) => {
    const found = principalArn.exec(arn)?.groups;
    return found === undefined ? [] : [{ kind: found.kind, name: found.name, arn } as Principal];
  });
}

/** The same person, known by these unique ids as well. */
export function withUniqueIds(person: Person, ids: readonly string[]): Person {
  return { ...person, aliases: [...new Set([...person.aliases, ...ids])] };
}

/** A name in an ARN stands behind a path; it has no slash itself. */
const principalArn = /^arn:[\w-]+:iam::\d{12}:(?<kind>role|user)\/(?:.*\/)?(?<name>[^/]+)$/;

/** How unique ids begin: IAM user guide, "Understanding unique ID prefixes". */
const prefixes = { role: 'AROA', user: 'AIDA' } as const;

function isUniqueId(id: string): boolean {
  return Object.values(prefixes).some((prefix) => id.startsWith(prefix));
}

function mayBeBehind(name: string, own: readonly string[], known: boolean): boolean {
  const [uniqueId = ''] = name.split(':');
  if (known && isUniqueId(uniqueId) && !own.some((one) => one.startsWith('arn:'))) return true;
  return (['role', 'user'] as const).some((kind) => {
    const prefix = prefixes[kind];
    if (!uniqueId.startsWith(prefix)) return false;
    const principals = [...new Set(own)].filter((one) => principalArn.exec(one)?.groups?.kind === kind);
    const ids = own.filter((one) => one.startsWith(prefix) && !one.includes(':'));
    return principals.length > ids.length || ids.includes(uniqueId);
  });
}

function personNamed(name: string, { slack, aws, groups }: People[string]): Person {
  return { id: name, known: true, groups, aliases: [...aws, ...(slack === undefined ? [] : [slack])] };
}

function identityOf(trustedRoles: readonly string[], arn: string): string | undefined {
  if (/^arn:[\w-]+:iam::\d{12}:user\/./.test(arn)) return arn;
  const session =
    /^arn:(?<partition>[\w-]+):sts::(?<account>\d{12}):assumed-role\/(?<role>[^/]+)\/[^/]+$/.exec(
      arn,
    )?.groups;
  if (session === undefined) return undefined;
  const { partition, account, role = '' } = session;
  // Only services assume these, and nobody else can give a role such a name: IAM user guide, "Service-linked roles".
  if (role.startsWith('AWSServiceRoleFor')) return undefined;
  // The ARN of a session has the name of its role and not its path; a name is unique in an account.
  const prefix = `arn:${partition}:iam::${account}:role/`;
  const trusted = trustedRoles.some(
    (one) => one.startsWith(prefix) && one.slice(prefix.length).split('/').at(-1) === role,
  );
  return trusted ? arn : `${prefix}${role}`;
}
