import { type Person, personOfArn, personOfSlack } from '../../../lambdas/domain/approval/person.ts';
import { People } from '../../../lambdas/domain/settings/people.ts';

const account = '111122223333';
const role = `arn:aws:iam::${account}:role/people`;
const session = (name: string) => `arn:aws:sts::${account}:assumed-role/people/${name}`;

const groups = { ana: ['oncall'], bob: ['oncall'], cid: ['oncall'], max: ['managers'], eve: [] as string[] };

export const people = People.parse(
  Object.fromEntries(
    Object.entries(groups).map(([name, of]) => [
      name,
      { groups: of, aws: [session(name)], slack: `U0${name.toUpperCase()}000` },
    ]),
  ),
);

/** How AWS knows somebody of these who asks by hand. */
export const byHand = (name: string): string => `AROAEXAMPLEEXAMPLE00:${name}`;

/** Names of people; `role`: whoever uses a role of which nobody says who uses it, under two session names. */
export const names = ['ana', 'bob', 'cid', 'max', 'eve', 'role', 'role-again'] as const;
export type Name = (typeof names)[number];

/** Who they are to the door by which they come. */
export function personAt(name: Name, door: 'slack' | 'console'): Person {
  const unknown = name === 'role' || name === 'role-again';
  const person =
    door === 'slack' && !unknown
      ? personOfSlack(people, people[name]?.slack ?? '')
      : personOfArn(
          people,
          [role],
          unknown ? `arn:aws:sts::${account}:assumed-role/break-glass/${name}` : session(name),
        );
  if (person === undefined) throw new Error(`no door knows ${name}`);
  return person;
}

/** Who somebody is, told by hand: not by the code that is tested. */
export const whoIs: Record<Name, { id: string; known: boolean; groups: readonly string[] }> = {
  ana: { id: 'ana', known: true, groups: groups.ana },
  bob: { id: 'bob', known: true, groups: groups.bob },
  cid: { id: 'cid', known: true, groups: groups.cid },
  max: { id: 'max', known: true, groups: groups.max },
  eve: { id: 'eve', known: true, groups: groups.eve },
  role: { id: `arn:aws:iam::${account}:role/break-glass`, known: false, groups: [] },
  'role-again': { id: `arn:aws:iam::${account}:role/break-glass`, known: false, groups: [] },
};
