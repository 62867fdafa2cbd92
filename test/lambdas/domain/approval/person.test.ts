import { describe, expect, it } from 'vitest';
import { isAmong, mayBe, personOfArn, personOfSlack } from '../../../../lambdas/domain/approval/person.ts';
import { People } from '../../../../lambdas/domain/settings/people.ts';
import { someone } from './sample-approval.ts';

const account = '111122223333';
const user = `arn:aws:iam::${account}:user/ops/bob`;
const session = (role: string, name: string) => `arn:aws:sts::${account}:assumed-role/${role}/${name}`;
const sso = 'AWSReservedSSO_Ops_0123456789abcdef';
const people = People.parse({
  ana: { slack: 'U012AB3CD', aws: [session(sso, 'ana@example.com')], groups: ['oncall'] },
  bob: { aws: [user] },
});
const trusted = [`arn:aws:iam::${account}:role/aws-reserved/sso.amazonaws.com/eu-west-1/${sso}`];

describe('who somebody in Slack is', () => {
  it('is told by their member id, and nothing else', () => {
    expect(personOfSlack(people, 'U012AB3CD')).toMatchObject({ id: 'ana', known: true, groups: ['oncall'] });
    for (const other of ['U012AB3CE', 'ana', 'u012ab3cd', '', '__proto__', 'constructor']) {
      expect(personOfSlack(people, other), other).toBeUndefined();
    }
  });
});

describe('who an ARN stands for', () => {
  it('is the person of the settings who has it', () => {
    expect(personOfArn(people, trusted, user)).toMatchObject({ id: 'bob', known: true });
    expect(personOfArn(people, trusted, session(sso, 'ana@example.com'))).toMatchObject({ id: 'ana' });
  });

  it('is the session of a role that is trusted to name its sessions after people', () => {
    expect(personOfArn(people, trusted, session(sso, 'eve@example.com'))).toMatchObject({
      id: session(sso, 'eve@example.com'),
      known: false,
    });
  });

  it('is the whole role where anybody may choose the name of a session', () => {
    const role = `arn:aws:iam::${account}:role/Admin`;
    expect(personOfArn(people, trusted, session('Admin', 'ana@example.com'))).toMatchObject({
      id: role,
      known: false,
      aliases: [session('Admin', 'ana@example.com')],
    });
    expect(personOfArn(people, trusted, session('Admin', 'other'))?.id).toBe(role);
  });

  it.each([
    [
      'a role of the same name in another account',
      session(sso, 'ana@example.com').replace(account, '999999999999'),
    ],
    ['a role whose name only begins like it', session(`${sso}x`, 'ana@example.com')],
    ['another partition', session(sso, 'ana@example.com').replace('arn:aws:', 'arn:aws-cn:')],
  ])('is not ana for %s', (_, arn) => {
    expect(personOfArn(people, trusted, arn)?.id).not.toBe('ana');
    expect(personOfArn(people, trusted, arn)?.known).toBe(false);
  });

  it.each([
    `arn:aws:iam::${account}:root`,
    `arn:aws:sts::${account}:federated-user/ana`,
    'ssm.amazonaws.com',
    '',
    `arn:aws:sts::${account}:assumed-role/${sso}/ana@example.com/more`,
    `arn:aws:iam::${account}:user/`,
  ])('is nobody for %o', (arn) => {
    expect(personOfArn(people, trusted, arn)).toBeUndefined();
  });
});

describe('a list of approvers', () => {
  const ana = someone('ana', { known: true, groups: ['oncall'] });

  it('has people by name and by group; an empty one has everybody', () => {
    expect(isAmong(['ana'], ana)).toBe(true);
    expect(isAmong(['@oncall'], ana)).toBe(true);
    expect(isAmong(['bob', '@dba'], ana)).toBe(false);
    expect(isAmong([], someone('whoever'))).toBe(true);
  });

  it('has nobody who only calls themselves so', () => {
    expect(isAmong(['ana'], someone('ana'))).toBe(false);
    expect(isAmong(['@oncall'], someone('x', { groups: ['oncall'] }))).toBe(false);
  });
});

it('may be the one who asked by any name that they are known by', () => {
  const ana = personOfSlack(people, 'U012AB3CD') ?? someone('');
  expect(mayBe('AROAEXAMPLE:ana@example.com', ana)).toBe(true);
  expect(mayBe('AROAEXAMPLE:bob@example.com', ana)).toBe(false);
  expect(mayBe('ana', ana)).toBe(true);
});

describe('a person of the settings of whom nobody has said who they are in AWS', () => {
  const max = personOfSlack(People.parse({ max: { slack: 'U0MAX0001' } }), 'U0MAX0001') ?? someone('');

  it.each(['AROAEXAMPLE:somebody@example.com', 'AIDAEXAMPLE'])('may be %s, who asked by hand', (asked) => {
    expect(mayBe(asked, max)).toBe(true);
  });

  it('is nobody else of the people, nor somebody at the keyboard of one machine', () => {
    expect(mayBe('ana', max)).toBe(false);
    expect(mayBe('root', max)).toBe(false);
  });
});
