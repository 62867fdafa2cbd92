import { expect, it } from 'vitest';
import { statementsFor, statementsOf } from './rights-of.ts';
import { functionNamed, resourcesOf, synthesize } from './template.ts';

it('people who end standing treatments can put an end, and nothing else into the state table', () => {
  const template = synthesize({ clusters: { one: {}, two: {} } });
  const [policy, ...more] = resourcesOf(template, 'AWS::IAM::ManagedPolicy').filter(({ Properties }) =>
    String(Properties.Description).startsWith('Lets people see and end'),
  );
  expect(more).toEqual([]);
  const keys = (...names: string[]) => ({ 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': names } });
  expect(statementsOf(template, policy?.Properties.PolicyDocument)).toEqual([
    {
      Action: 'dynamodb:Query',
      Condition: keys('STANDING#one', 'STANDING#two', 'STANDING-END#one', 'STANDING-END#two'),
      Effect: 'Allow',
      Resource: '<StateTable.Arn>',
    },
    {
      Action: 'dynamodb:UpdateItem',
      Condition: {
        'ForAllValues:StringEquals': {
          'dynamodb:LeadingKeys': ['STANDING-END#one', 'STANDING-END#two'],
          // Not `ttl`: an end that expires is none.
          'dynamodb:Attributes': ['pk', 'sk', 'end'],
        },
      },
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

it.each([
  ['census-read', [['STANDING#*', 'STANDING-END#*']]],
  ['census-close', [['PAUSE#*'], ['STANDING#*', 'STANDING-END#*']]],
] as const)('%s may list these parts of the state table, and no other', (name, partitions) => {
  const template = synthesize();
  const { Role = null } = functionNamed(template, name).Properties;
  const lists = statementsFor(template, Role).filter(
    ({ action, resource }) => action === 'dynamodb:Query' && resource === '<StateTable.Arn>',
  );
  const listed = lists.map(({ condition }) => JSON.parse(condition || '{}')['ForAllValues:StringLike']);
  expect(listed.map((keys) => keys?.['dynamodb:LeadingKeys']).sort()).toEqual([...partitions].sort());
});
