import { expect, it } from 'vitest';
import { statementsFor, statementsOf } from './rights-of.ts';
import { functionNamed, resourcesOf, synthesize } from './template.ts';

it('people who pause may read and put the pauses of the configured clusters, and nothing else of the state table', () => {
  const template = synthesize({ clusters: { one: {}, two: {} } });
  const [policy, ...more] = resourcesOf(template, 'AWS::IAM::ManagedPolicy').filter(({ Properties }) =>
    String(Properties.Description).startsWith('Lets people pause'),
  );
  expect(more).toEqual([]);
  expect(statementsOf(template, policy?.Properties.PolicyDocument)).toEqual([
    {
      Action: ['dynamodb:PutItem', 'dynamodb:Query'],
      Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['PAUSE#one', 'PAUSE#two'] } },
      Effect: 'Allow',
      Resource: '<StateTable.Arn>',
    },
    {
      Action: 'ssm:GetParameter',
      Effect: 'Allow',
      Resource: ['one', 'two'].map((name) => `arn:aws:ssm:us-east-1:000000000000:parameter<Modes${name}>`),
    },
    { Action: 'cloudformation:DescribeStacks', Effect: 'Allow', Resource: expect.anything() },
  ]);
});

it.each(['gate', 'recheck'] as const)(
  '%s may list the pauses in the state table, and nothing else in it',
  (name) => {
    const template = synthesize();
    const { Role = null } = functionNamed(template, name).Properties;
    const lists = statementsFor(template, Role).filter(
      ({ action, resource }) => action === 'dynamodb:Query' && resource === '<StateTable.Arn>',
    );
    const pausesOnly = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['PAUSE#*'] } };
    expect(lists.map(({ condition }) => JSON.parse(condition || '{}'))).toEqual([pausesOnly]);
  },
);
