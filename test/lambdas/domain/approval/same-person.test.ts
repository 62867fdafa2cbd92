import { expect, it } from 'vitest';
import { mayBeSamePerson } from '../../../../lambdas/domain/approval/same-person.ts';

const sender = 'AROAEXAMPLEROLEID:alice@example.com';

it.each([
  ['the same unique id', sender, sender],
  [
    'an ARN of a session',
    sender,
    'arn:aws:sts::000000000000:assumed-role/AWSReservedSSO_Operator_0123456789abcdef/alice@example.com',
  ],
  ['a name alone', sender, 'Alice@Example.com'],
  ['another role of the same session', sender, 'AROAOTHER:alice@example.com'],
  ['a user of this machine', 'root', 'root'],
  ['the unique id of an IAM user', 'AIDAEXAMPLE', 'AIDAEXAMPLE'],
])('%s may be the same person', (_, one, other) => {
  expect(mayBeSamePerson(one, other)).toBe(true);
  expect(mayBeSamePerson(other, one)).toBe(true);
});

it.each([
  ['another session', sender, 'AROAEXAMPLEROLEID:bob@example.com'],
  ['another name', sender, 'bob@example.com'],
  ['a part of the name', sender, 'alice'],
  ['the role', sender, 'AROAEXAMPLEROLEID'],
])('%s is somebody else', (_, one, other) => {
  expect(mayBeSamePerson(one, other)).toBe(false);
});
