import { describe, expect, it } from 'vitest';
import { Settings } from '../../lambdas/domain/settings.ts';
import { render, resourcesOf, synthesize } from './template.ts';

describe('the roles of nodes', () => {
  it('are left alone where the settings name none', () => {
    const policies = resourcesOf(synthesize({ clusters: { example: {} } }), 'AWS::IAM::ManagedPolicy');
    expect(JSON.stringify(policies)).not.toContain('ssmmessages');
  });

  it('get what the agent needs to be given commands, and no more, where they are named', () => {
    const template = synthesize({ clusters: { example: {} }, nodeRoles: ['node-a', 'node-b'] });
    const policies = resourcesOf(template, 'AWS::IAM::ManagedPolicy').filter((one) =>
      JSON.stringify(one).includes('ssmmessages'),
    );
    expect(policies).toHaveLength(1);
    const { Roles, PolicyDocument } = policies[0]?.Properties ?? {};
    expect(Roles).toEqual(['node-a', 'node-b']);
    const { Statement } = JSON.parse(JSON.stringify(render(template, PolicyDocument ?? null)));
    expect(Statement).toHaveLength(1);
    expect(Statement[0]).toMatchObject({ Effect: 'Allow', Resource: '*' });
    const services = new Set(Statement[0].Action.map((action: string) => action.split(':')[0]));
    expect([...services].sort()).toEqual(['ec2messages', 'ssm', 'ssmmessages']);
    expect(Statement[0].Action.filter((action: string) => action.startsWith('ssm:'))).toEqual([
      'ssm:UpdateInstanceInformation',
    ]);
    expect(JSON.stringify(Statement)).not.toMatch(/:[A-Za-z]*\*"/);
  });

  it('must be names', () => {
    const named = (name: string) =>
      Settings.safeParse({ clusters: { example: {} }, nodeRoles: [name] }).success;
    expect(['node-a', 'arn:aws:iam::111122223333:role/node', 'path/node', ''].map(named)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
