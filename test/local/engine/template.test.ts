// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation writes its variables like this
import { describe, expect, it } from 'vitest';
import { Intrinsics, type Resource, UnsupportedTemplateError } from '../../../local/engine/intrinsics.ts';
import type { Json, JsonObject } from '../../../local/engine/json.ts';
import { stackOf } from '../../../local/engine/template.ts';

const resource = (Type: string, Properties: JsonObject = {}): Resource => ({ Type, Properties });

const resources: Record<string, Resource> = {
  Work: resource('AWS::Lambda::Function', {
    Handler: 'index.handler',
    Timeout: 30,
    MemorySize: 256,
    Code: { S3Bucket: { 'Fn::Sub': 'assets-${AWS::AccountId}-${AWS::Region}' }, S3Key: 'abc123.zip' },
    Environment: {
      Variables: {
        TABLE: { Ref: 'Table' },
        DOCUMENTS: { 'Fn::Join': ['', ['{"name":"', { Ref: 'Document' }, '"}']] },
      },
    },
    LoggingConfig: { LogGroup: { Ref: 'Log' } },
  }),
  Table: resource('AWS::DynamoDB::Table', {
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  }),
  Document: resource('AWS::SSM::Document', { Content: { schemaVersion: '2.2' } }),
  Named: resource('AWS::SSM::Parameter', { Name: '/a/mode', Type: 'String', Value: 'auto' }),
  Log: resource('AWS::Logs::LogGroup'),
  Topic: resource('AWS::SNS::Topic'),
  Key: resource('AWS::KMS::Key', { KeySpec: 'ECC_NIST_P256' }),
  Machine: resource('AWS::StepFunctions::StateMachine', {
    DefinitionString: {
      'Fn::Join': [
        '',
        [
          '{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"',
          { 'Fn::GetAtt': ['Work', 'Arn'] },
          '"}}}',
        ],
      ],
    },
  }),
  Rule: resource('AWS::Events::Rule', {
    State: 'ENABLED',
    EventPattern: { source: ['aws.states'], detail: { stateMachineArn: [{ Ref: 'Machine' }] } },
    Targets: [{ Arn: { 'Fn::GetAtt': ['Work', 'Arn'] }, Id: 'Target0' }],
  }),
  Odd: resource('AWS::EC2::VPC'),
};

function resolve(value: Json): Json {
  return new Intrinsics(resources, 'Stack').resolve(value);
}

describe('intrinsic functions', () => {
  it.each<[string, Json, Json]>([
    ['Ref of a name', { Ref: 'Table' }, 'Stack-Table'],
    ['Ref of a resource that names itself', { Ref: 'Named' }, '/a/mode'],
    ['Ref of a topic is its ARN', { Ref: 'Topic' }, 'arn:aws:sns:us-east-1:000000000000:Stack-Topic'],
    [
      'Ref of a state machine is its ARN',
      { Ref: 'Machine' },
      'arn:aws:states:us-east-1:000000000000:stateMachine:Stack-Machine',
    ],
    ['pseudo parameters', { Ref: 'AWS::Partition' }, 'aws'],
    [
      'Fn::GetAtt, list',
      { 'Fn::GetAtt': ['Work', 'Arn'] },
      'arn:aws:lambda:us-east-1:000000000000:function:Stack-Work',
    ],
    [
      'Fn::GetAtt, text',
      { 'Fn::GetAtt': 'Table.Arn' },
      'arn:aws:dynamodb:us-east-1:000000000000:table/Stack-Table',
    ],
    ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Region' }]] }, 'a-us-east-1'],
    ['Fn::Select of Fn::Split', { 'Fn::Select': [1, { 'Fn::Split': ['/', 'a/b/c'] }] }, 'b'],
    [
      'Fn::Sub',
      { 'Fn::Sub': '${AWS::AccountId}:${Table}:${Table.Arn}:${!Kept}' },
      '000000000000:Stack-Table:arn:aws:dynamodb:us-east-1:000000000000:table/Stack-Table:${Kept}',
    ],
    [
      'Fn::Sub with variables',
      { 'Fn::Sub': ['${x}-${Table}', { x: { Ref: 'AWS::StackName' } }] },
      'Stack-Stack-Table',
    ],
    ['nested in data', { a: [{ b: { Ref: 'Table' } }, 1, null] }, { a: [{ b: 'Stack-Table' }, 1, null] }],
  ])('%s', (_, value, expected) => {
    expect(resolve(value)).toEqual(expected);
  });

  it('gives a key the same id in every run', () => {
    expect(resolve({ Ref: 'Key' })).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    expect(resolve({ Ref: 'Key' })).toBe(resolve({ 'Fn::GetAtt': ['Key', 'KeyId'] }));
  });

  it.each<[string, Json, RegExp]>([
    ['an unknown function', { 'Fn::FindInMap': ['a', 'b', 'c'] }, /Fn::FindInMap is unknown here/],
    ['an unknown resource type', { Ref: 'Odd' }, /AWS::EC2::VPC \(Odd\)/],
    ['an unknown attribute', { 'Fn::GetAtt': ['Table', 'StreamArn'] }, /StreamArn of AWS::DynamoDB::Table/],
    ['a resource that is not there', { Ref: 'Gone' }, /"Gone"/],
    ['an item that is not there', { 'Fn::Select': [5, ['a']] }, /no item 5/],
  ])('names %s', (_, value, message) => {
    expect(() => resolve(value)).toThrow(UnsupportedTemplateError);
    expect(() => resolve(value)).toThrow(message);
  });
});

describe('stackOf', () => {
  const stack = stackOf(resources, 'Stack', { abc123: '/assembly/asset.abc123' });

  it('reads a function with its own environment and directory', () => {
    expect(stack.functions).toEqual([
      {
        logicalId: 'Work',
        name: 'Stack-Work',
        arn: 'arn:aws:lambda:us-east-1:000000000000:function:Stack-Work',
        handler: 'index.handler',
        environment: { TABLE: 'Stack-Table', DOCUMENTS: '{"name":"Stack-Document"}' },
        timeoutSeconds: 30,
        memoryMb: 256,
        logGroup: 'Stack-Log',
        directory: '/assembly/asset.abc123',
      },
    ]);
  });

  it('reads the state machine with the ARNs of the functions in it', () => {
    expect(stack.stateMachines[0]?.definition).toEqual({
      StartAt: 'A',
      States: { A: { Type: 'Task', Resource: stack.functions[0]?.arn } },
    });
  });

  it('reads what the functions work with', () => {
    expect(stack.documents).toMatchObject([{ name: 'Stack-Document', content: { schemaVersion: '2.2' } }]);
    expect(stack.tables).toMatchObject([
      { name: 'Stack-Table', keySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }] },
    ]);
    expect(stack.parameters).toMatchObject([{ name: '/a/mode', value: 'auto' }]);
    expect(stack.rules).toMatchObject([
      {
        enabled: true,
        pattern: { detail: { stateMachineArn: [stack.stateMachines[0]?.arn] } },
        targets: [stack.functions[0]?.arn],
      },
    ]);
    expect(stack.keys).toMatchObject([{ spec: 'ECC_NIST_P256' }]);
  });

  it('leaves the template as it was', () => {
    const before = structuredClone(resources);
    stackOf(resources, 'Stack', { abc123: '/assembly/asset.abc123' });
    expect(resources).toEqual(before);
  });

  it.each<[string, Record<string, Resource>, RegExp]>([
    [
      'code that is not in the assembly',
      { F: resource('AWS::Lambda::Function', { Handler: 'index.handler', Code: { ZipFile: 'x' } }) },
      /code of function F/,
    ],
    [
      'a schedule',
      { R: resource('AWS::Events::Rule', { ScheduleExpression: 'rate(1 minute)' }) },
      /rule R has no event pattern/,
    ],
    [
      'a target that shapes its input',
      { R: resource('AWS::Events::Rule', { EventPattern: {}, Targets: [{ Arn: 'arn', Input: '{}' }] }) },
      /Input/,
    ],
  ])('names %s', (_, given, message) => {
    expect(() => stackOf(given, 'Stack', {})).toThrow(message);
  });
});
