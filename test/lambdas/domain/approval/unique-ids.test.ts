import { describe, expect, it } from 'vitest';
import {
  mayBe,
  type Person,
  personOfArn,
  principalsOf,
  withUniqueIds,
} from '../../../../lambdas/domain/approval/person.ts';
import { People } from '../../../../lambdas/domain/settings/people.ts';

const session = (role: string, name: string, account = '111122223333') =>
  `arn:aws:sts::${account}:assumed-role/${role}/${name}`;
const aliceSession = session('AWSReservedSSO_OnCall_0123456789abcdef', 'alice@example.com');
const people = People.parse({
  alice: { aws: [aliceSession], groups: ['oncall'] },
  bob: { aws: ['arn:aws:iam::111122223333:user/staff/bob'], slack: 'U012BOB00' },
});
const trusted = [
  'arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_OnCall_0123456789abcdef',
];
const of = (arn: string): Person | undefined => personOfArn(people, trusted, arn);

it('is nobody for a role that only a service assumes', () => {
  expect(of(session('AWSServiceRoleForAmazonSSM', 'StateManagerService'))).toBeUndefined();
});

describe('whether somebody may be who asked by hand', () => {
  const admin = of(session('admin', 'carol')) as Person;
  const bob = of('arn:aws:iam::111122223333:user/staff/bob') as Person;

  it('asks IAM about whole roles and users, once each, and about nobody else', () => {
    expect(principalsOf(admin)).toEqual([
      { kind: 'role', name: 'admin', arn: 'arn:aws:iam::111122223333:role/admin' },
    ]);
    expect(principalsOf(bob)).toEqual([
      { kind: 'user', name: 'bob', arn: 'arn:aws:iam::111122223333:user/staff/bob' },
    ]);
    const unknownUser = of('arn:aws:iam::111122223333:user/dave') as Person;
    expect(principalsOf(unknownUser)).toHaveLength(1);
    expect(principalsOf(of(aliceSession) as Person)).toEqual([]);
  });

  it('compares the ids of roles: any session of the same role, and none of another', () => {
    const known = withUniqueIds(admin, ['AROAADMIN']);
    expect(mayBe('AROAADMIN:somebody-else', known)).toBe(true);
    expect(mayBe('AROAOTHER:somebody-else', known)).toBe(false);
    // The same session name may be the same person by another role.
    expect(mayBe('AROAOTHER:carol', known)).toBe(true);
  });

  it('compares the ids of users', () => {
    const known = withUniqueIds(bob, ['AIDABOB']);
    expect(mayBe('AIDABOB', known)).toBe(true);
    expect(mayBe('AIDAOTHER', known)).toBe(false);
  });

  it('takes everybody for whoever asked whose id is not known', () => {
    expect(mayBe('AROAOTHER:somebody-else', admin)).toBe(true);
    expect(mayBe('AIDAOTHER', bob)).toBe(true);
    // An unknown user has one ARN by two ways; one id is enough for it.
    const dave = of('arn:aws:iam::111122223333:user/dave') as Person;
    expect(mayBe('AIDAOTHER', dave)).toBe(true);
    expect(mayBe('AIDAOTHER', withUniqueIds(dave, ['AIDADAVE']))).toBe(false);
  });

  it('does not mix the two: a role that asked is no user who decides', () => {
    expect(mayBe('AROAOTHER:x', bob)).toBe(false);
    expect(mayBe('AIDAOTHER', admin)).toBe(false);
    expect(mayBe('AROAOTHER:somebody-else', of(aliceSession) as Person)).toBe(false);
  });
});
